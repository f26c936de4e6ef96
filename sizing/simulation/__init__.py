"""Simulation: decks and variable values -> waveforms -> outcomes, in worker processes."""
