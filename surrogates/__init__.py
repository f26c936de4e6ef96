"""Learned judges: feature extractors and heads that tell, without simulating, which of two designs is better."""
