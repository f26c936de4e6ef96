"""Feature extractors: batch of designs (B, …) -> embedding (B, F)."""
