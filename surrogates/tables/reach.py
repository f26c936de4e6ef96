"""What device tables can tell, before anything is measured."""

from collections.abc import Sequence

from sizing.task.bench import Task
from surrogates.tables.network import Network, Unmodelled

_AT_REST = frozenset({"op", "dc", "ac", "noise"})
"""Analyses around operating points, of which tables tell nearly everything."""


def untold(task: Task) -> str:
    """Why device tables would not help with a task; empty where they would.

    They do where they know an equation for every device, and a metric comes from an operating point or a small signal.
    Whether ngspice can bias its devices is seen when it measures them.
    """
    if not task.benches:
        return "there is no bench"
    try:
        networks = [Network(bench.circuit) for bench in task.benches]
    except Unmodelled as reason:
        return str(reason)
    if not any(network.tabled for network in networks):
        return "no device of the circuit has a model"
    if not any(_tells(task, measure.references) for measure in task.measures):
        return "every metric is of a transient"
    return ""


def _tells(task: Task, references: Sequence[str]) -> bool:
    kinds = {f"{bench.name}.{each.name}": each.kind for bench in task.benches for each in bench.analyses}
    return all(kinds[reference] in _AT_REST for reference in references)
