"""The published comparisons, done again: one command each, ours set beside the paper's."""
