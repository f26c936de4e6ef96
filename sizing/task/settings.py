"""Run settings: every constant of the search, as a spec may set them and the command line override them.

Defaults are those of Hakhamaneshi et al. (2022) and of the BagNet configurations released with it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sizing.units import parse_quantity

AUTO = "auto"
MOST_DESIGNS = 1_000_000
"""Designs held at a time."""
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[
    float,
    BeforeValidator(lambda value: float(parse_quantity(value, "s")), json_schema_input_type=str | float),
    Field(gt=0, le=10_000_000),
]
Bytes = Annotated[
    float,
    BeforeValidator(lambda value: float(parse_quantity(value, "B")), json_schema_input_type=str | float),
    Field(gt=0),
]


class Settings(BaseModel):
    """Frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SearchSettings(Settings):
    """The evolutionary loop."""

    reference_rank: int = Field(20, ge=1, description="rank of the reference design; this many best are inspected")
    pool: int = Field(100, ge=2, le=MOST_DESIGNS, description="designs in each parent pool")
    crossover: Fraction = Field(0.6, description="probability that a child has two parents; otherwise it is a mutant")
    blend: Fraction = Field(0.5, description="share of crossovers that blend; the others swap genes")
    blend_alpha: float = Field(0.5, ge=0, description="how far a blend may leave the interval between its parents")
    swap: Fraction = Field(0.5, description="probability per gene of a swap")
    mutate: Fraction = Field(0.5, description="probability per gene of a fresh uniform value in a mutant")
    max_candidates: int = Field(20_000, ge=1, le=MOST_DESIGNS, description="candidates judged in one iteration at most")
    accept_regardless: Fraction = Field(0.001, description="probability that a candidate passes whatever the judgement")
    acceptance: Literal["filter", "ranking"] = Field(
        "filter", description="filter: children that pass, one by one; ranking: the most promising of a large pool"
    )


class RankingSettings(Settings):
    """The pool of candidates behind each batch, where acceptance is by ranking."""

    parents: int = Field(10, ge=1, description="best designs that the pool descends from")
    drawn: int = Field(1000, ge=1, description="random designs in the pool")
    children: int = Field(2000, ge=2, description="descendants in the first generation; later ones have half as many")
    generations: int = Field(3, ge=1, description="generations that the pool evolves by the judgement alone")
    kept: int = Field(500, ge=1, description="most promising designs kept from one generation to the next")
    elite: int = Field(100, ge=1, description="of these, the ones that have children")
    looked_at: int = Field(100, ge=1, description="most promising designs whose operating point is found, if at all")
    looked_generations: int = Field(2, ge=0, description="generations that descend from these, looked at too")
    looked_elite: int = Field(30, ge=1, description="designs of each generation that have children")
    looked_children: int = Field(100, ge=2, description="children of each generation")


class JudgeSettings(Settings):
    """Training of a learned discriminator, and what a graph network reads."""

    steps: int = Field(100, ge=1, description="gradient steps after each iteration")
    batch: int = Field(
        32, ge=2, le=10_000, description="simulated designs in each step, every one compared with every other"
    )
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    dropout: Fraction = Field(0.2, description="share of a network's activations that a step leaves out")
    body_steps: int = Field(20, ge=0, description="of these steps, those that also train a graph network's backbone")
    body_rate: Fraction = Field(0.1, description="the backbone's learning rate, as a share of learning_rate")
    checkpoint: str = Field("opamp", description="pretrained graph network: a shipped one by name, or a path")
    readout: Literal["attention", "mean"] = Field(
        "attention", description="from a graph network's tokens to an embedding"
    )
    designs: int = Field(300, ge=10, description="designs of its run that a Gaussian process learns from at most")
    evidence: int = Field(150, ge=10, description="designs of earlier runs that it learns from at most")
    graph: str | None = Field(None, description="test bench whose circuit is the graph [default: the first]")
    device: str = Field("cpu", description="where networks live: cpu, or cuda")


class PeerSettings(Settings):
    """Optimizers of other people."""

    scale: Literal["linear", "log"] = Field(
        "linear", description="how variables are given to them: by grid index, or by their logarithm where positive"
    )


class RunSettings(Settings):
    """One run: who searches, from which seed, and when it ends."""

    method: str = Field(
        AUTO,
        description="who searches; auto: tables where device tables tell the circuit, else gp-op where a look takes a "
        "millisecond or two, else gp",
    )
    seed: int = Field(0, ge=0, description="of every random stream")
    initial: int = Field(100, ge=0, le=MOST_DESIGNS, description="distinct random designs to start from")
    batch: int = Field(5, ge=1, le=MOST_DESIGNS, description="designs simulated in an iteration")
    in_spec: int = Field(20, ge=1, description="stop when this many designs meet every target")
    best: Literal["margin", "first"] = Field(
        "margin",
        description="which design in spec is the best, where no objective tells: the one whose smallest margin is the "
        "largest, or the first that was found",
    )
    max_sims: int | None = Field(None, ge=1, description="stop after this many simulations, initial ones included")
    max_seconds: Seconds | None = Field(None, description="stop after this wall-clock time")
    patience: int = Field(5000, ge=1, description="stop after this many simulations without a better best design")
    corners: Literal["nominal-first", "all"] = Field(
        "nominal-first",
        description="of a spec with corners: nominal-first, where only a design that meets every target at the nominal "
        "one is simulated at others, or all of them for every design",
    )
    max_failed: Fraction = Field(0.9, gt=0, description="stop when this share of the latest 50 simulations failed")
    simulator: str = Field(
        "ngspice",
        description="ngspice in process; ngspice-batch, as a program, for decks that crash it; tables; or a plug-in's",
    )
    timeout: Seconds = Field(60.0, description="wall-clock limit of one simulation")
    memory: Bytes = Field(4e9, description="memory limit of one simulator process")
    warm_start: Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)] = Field(
        (), description="folders of earlier runs to learn from, of this circuit or another with the same metrics"
    )
    own: dict[str, Any] = Field(default_factory=dict, description="settings of a plug-in's method, as it defines them")
    search: SearchSettings = SearchSettings()
    ranking: RankingSettings = RankingSettings()
    judge: JudgeSettings = JudgeSettings()
    peer: PeerSettings = PeerSettings()


def merged(settings: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with others in their place; of a group that both have, single settings are replaced."""
    result = dict(settings)
    for name, value in others.items():
        both = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = {**result[name], **value} if both else value
    return result
