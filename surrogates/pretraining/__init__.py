"""Pretraining: circuits to sample, data sets of operating points, training of backbones, and what they reach."""
