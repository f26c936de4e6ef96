"""Schematics as code."""
