"""Designs -> evaluations: at which corners, counted once, and what earlier runs know already."""
