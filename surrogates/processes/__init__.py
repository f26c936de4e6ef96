"""Gaussian processes on metrics: scales, the process, the judge made of them."""
