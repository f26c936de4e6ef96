"""Runs: the loop, what starts and ends one, what takes one up again, comparisons, and the tables they leave."""
