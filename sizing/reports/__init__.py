"""What people look at: reads records, never a live run."""
