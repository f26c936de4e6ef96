"""What is asked: the problem with its variables and metrics, objectives, run settings, test benches."""
