"""The networks that studies of ladders compare, each with its schedule."""

from typing import Any

from surrogates.pretraining.recipe import Recipe

PAPERS_SCHEDULE = {"steps": 30_000, "batch": 256, "learning_rate": 1e-3, "warmup": 0.0, "final_rate": 0.05}
"""As published, for ladders."""


def network(kind: str, width: int, layers: int, **schedule: Any) -> Recipe:
    """A network for ladders, with the keys of a recipe that say how it is trained."""
    backbone = {"kind": kind, "width": width, "layers": layers}
    return Recipe.model_validate({"name": kind, "data": "ladder", "accuracy": 100, "backbone": backbone} | schedule)


def label(recipe: Recipe) -> str:
    """A network's name in tables."""
    return f"{recipe.backbone.kind} {recipe.backbone.width} x {recipe.backbone.layers}"
