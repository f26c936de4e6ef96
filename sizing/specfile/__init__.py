"""Spec files: YAML -> Spec. Every mistake is reported at once, with its place and what was expected."""
