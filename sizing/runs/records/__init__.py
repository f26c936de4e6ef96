"""Run folders: what a run leaves on disk, written as it goes and read back. runs/README.md documents the format."""
