"""Recipes: all that decides how a backbone is pretrained, as a YAML file says it. Shipped ones are in recipes/."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sizing.errors import InputError
from sizing.task.settings import Settings
from surrogates.networks.backbones.build import BackboneSettings

SHIPPED = Path(__file__).parent / "recipes"


class RecipeError(InputError):
    """A recipe that cannot be used; the message says which key, and what was expected."""


class TargetSettings(Settings):
    """A graph-level target of the data set, told from a readout of the backbone's tokens."""

    name: str
    scale: Literal["linear", "logarithmic"] = Field(
        "linear", description="logarithmic: the decimal logarithm is told, for what spans decades"
    )
    readout: Literal["attention", "mean"] = "attention"
    beta: float = Field(1.0, gt=0, description="standard deviations up to which the loss is quadratic")


class Recipe(Settings):
    """Data, network and schedule."""

    name: str = Field(pattern=r"^[\w.-]+$")
    data: str = Field(description="a named data set, or the folder of one")
    target: TargetSettings | None = Field(None, description="what to tell [default: the voltages of all nets]")
    backbone: BackboneSettings = BackboneSettings()
    steps: int = Field(ge=1)
    batch: int = Field(64, ge=1)
    learning_rate: float = Field(4e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    warmup: float = Field(0.08, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    final_rate: float = Field(0.005, gt=0, le=1, description="the learning rate at the end, as a share of the highest")
    clip: float = Field(1.0, gt=0, description="norm to which gradients are clipped")
    beta: float = Field(0.01, gt=0, description="volts up to which the loss of voltages is quadratic")
    validation: float = Field(0.1, gt=0, lt=1, description="share of the rows kept for validation")
    rows: int | None = Field(None, ge=1, description="use only this many rows for training")
    looks: int = Field(20, ge=1, description="how often the validation accuracy is taken")
    accuracy: int = Field(200, ge=1, description="K of Acc@K")
    start_from: str | None = Field(None, description="a checkpoint to fine-tune")
    precision: Literal["float32", "bfloat16"] = "float32"


def read_recipe(name: str, **overrides: Any) -> Recipe:
    """A shipped recipe by name, or one from a YAML file; raises RecipeError."""
    path = next((p for p in (SHIPPED / f"{name}.yaml", Path(name)) if p.is_file()), None)
    if path is None:
        known = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.yaml")))
        raise RecipeError(f"expected a recipe ({known}) or a YAML file, got {name!r}")
    try:
        raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: expected YAML: {error}") from None
    if not isinstance(raw, dict):
        raise RecipeError(f"{path}: expected keys and values ({', '.join(Recipe.model_fields)})")
    given = {key: value for key, value in overrides.items() if value is not None}
    try:
        return Recipe.model_validate({"name": path.stem, **raw, **given})
    except ValidationError as error:
        said = [f"{path}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise RecipeError("\n".join(said)) from None
