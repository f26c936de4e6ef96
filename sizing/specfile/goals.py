"""What a spec minimizes and maximizes, held against its metrics, and the metrics of the problem that come of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sizing.errors import nearest
from sizing.measures.measure import Measure
from sizing.specfile.entries import SpecModel
from sizing.specfile.mistakes import Location
from sizing.task.problem import Goal, Metric

GOALS: tuple[Goal, ...] = ("minimize", "maximize")


@dataclass(frozen=True)
class ObjectiveEntries:
    """The objectives of a spec: single metrics, and weighted sums, each metric in units of its target."""

    model: SpecModel
    measured: Mapping[str, Measure]
    """All metrics, the one that stands for operating regions too."""

    def mistakes(self, written: Iterable[str]) -> Iterator[tuple[Location, str]]:
        """What is wrong with them, `written` being all names under `metrics`, of mistaken entries too."""
        known = list(written)
        single: Counter[str] = Counter()
        for goal, parts in self._each():
            for name in parts:
                metric = self.measured.get(name)
                if name not in known:
                    yield (goal, name), f"no metric {name!r}{nearest(name, known)}"
                elif metric is None:
                    continue  # its own mistake has been told
                elif _is_sum(parts) and not _target(metric, goal):
                    yield (goal, name), "expected a metric with a target other than 0, its unit in a weighted sum"
            if not _is_sum(parts):
                single.update(parts)
        for name, times in single.items():
            if times > 1:
                yield (GOALS[0], name), f"expected each metric once among the objectives, got {name} twice"
        for name, metric in self.measured.items():
            if metric.at_least is None and metric.at_most is None and name not in single:
                message = "expected a target: at_least, at_most or both; or the metric under minimize or maximize"
                yield ("metrics", name), message

    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the problem: the measured ones, then the weighted sums."""
        objectives = {next(iter(parts)): goal for goal, parts in self._each() if not _is_sum(parts)}
        measured = [
            Metric(name, metric.unit, metric.at_least, metric.at_most, metric.weight, objectives.get(name))
            for name, metric in self.measured.items()
        ]
        return (*measured, *(self._sum(goal, parts) for goal, parts in self._each() if _is_sum(parts)))

    def _sum(self, goal: Goal, parts: dict[str, float]) -> Metric:
        words = "+".join(name if weight == 1 else f"{weight:g}*{name}" for name, weight in parts.items())
        factors = {name: weight / abs(_target(self.measured[name], goal)) for name, weight in parts.items()}
        return Metric(words.replace("+-", "-"), "", goal=goal, sum_of=tuple(factors.items()))

    def _each(self) -> Iterator[tuple[Goal, dict[str, float]]]:
        for goal in GOALS:
            for parts in self.model.minimize if goal == "minimize" else self.model.maximize:
                yield goal, parts


def _is_sum(parts: dict[str, float]) -> bool:
    return len(parts) > 1 or min(parts.values()) < 0


def _target(metric: Measure, goal: Goal) -> float:
    """The target that the metric counts in units of: on the side it is to leave behind, else the other; 0 for none."""
    first, second = (metric.at_most, metric.at_least) if goal == "minimize" else (metric.at_least, metric.at_most)
    return (first if first is not None else second) or 0.0
