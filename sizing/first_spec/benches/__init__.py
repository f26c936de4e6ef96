"""Test benches and metrics, a module for each class of circuit."""
