"""Measurements: waveforms of a bench -> the value of a metric, or why there is none."""
