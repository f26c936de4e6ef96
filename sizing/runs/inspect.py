"""A closer look at a run's best design: its waveforms, and its neighbours one grid step away."""

from collections.abc import Callable
from dataclasses import replace

from sizing.evaluation.evaluator import completed_outcome
from sizing.runs.records.inspection import Inspection, Step, best_evaluation, read_inspection, thinned, write_inspection
from sizing.runs.records.journal import RunError
from sizing.runs.records.reading import RunRecord
from sizing.simulation.pool import default_workers
from sizing.simulation.simulator import Failed, SimulationError
from sizing.simulation.simulators import pool_for
from sizing.specfile.load import load_spec
from sizing.task.problem import Design, Problem


def inspect_best(
    record: RunRecord,
    *,
    waveforms: bool,
    sensitivities: bool,
    workers: int | None = None,
    trust: bool = False,
    announce: Callable[[int], None] = lambda count: None,
) -> Inspection:
    """What was asked for of the run's best design, simulated where the run's folder does not hold it yet.

    Waveforms take one simulation, sensitivities one for each neighbour on the grid: at most two for each variable.
    They are kept in the folder, and are none of the run's. `announce` hears how many there will be before the first.
    `trust` is for `load_spec`. Raises RunError for a run without a measured design or whose spec is not the run's, and
    SimulationError where a waveform was asked for and the design cannot be simulated again.
    """
    best, known = best_evaluation(record), read_inspection(record)
    if best is None:
        raise RunError(f"{record.path}: expected a run with a measured design to look at, got one without")
    wave = waveforms and (known is None or known.waveforms is None)
    moves = _moves(record.problem, best.design) if sensitivities and not (known and known.steps) else []
    designs = [best.design] * wave + [design for _, _, design in moves]
    if not designs:
        if known is None:
            raise RunError(f"{record.path}: expected a variable with more than one value, got none")
        return known
    spec = load_spec(record.path / "spec.yaml", trust=trust)
    if spec.problem != record.problem:
        raise RunError(f"{record.path / 'spec.yaml'}: expected the variables and metrics of the manifest, got others")
    announce(len(designs))
    task = replace(spec.task, keep_waveforms=wave)
    with pool_for(task, spec.run, min(workers or default_workers(), len(designs))) as pool:
        outcomes = pool.run([record.problem.job(design) for design in designs])
        simulator = f"{spec.run.simulator} {pool.version.partition(' built ')[0]}"
    measures = dict(zip((metric.name for metric in record.problem.measured), spec.measures, strict=True))
    commands = {f"{bench.name}.{each.name}": each.command for bench in spec.benches for each in bench.analyses}
    found = known or Inspection(best.design, simulator, measures, commands)
    if wave:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Failed):
            raise SimulationError(outcome.reason, f"{record.path}: the best design: {outcome.message}")
        found = replace(found, waveforms={name: thinned(each) for name, each in (outcome.waveforms or {}).items()})
    if moves:
        whole = (completed_outcome(record.problem, outcome) for outcome in outcomes)
        steps = (Step(variable, way, outcome) for (variable, way, _), outcome in zip(moves, whole, strict=True))
        found = replace(found, steps=tuple(steps))
    write_inspection(record, found)
    kept = read_inspection(record)  # so that this report and the next one are of the same numbers
    assert kept is not None
    return kept


def _moves(problem: Problem, design: Design) -> list[tuple[int, int, Design]]:
    """Variable, direction and the design there, for every single step of the grid from a design."""
    return [
        (variable, way, (*design[:variable], place + way, *design[variable + 1 :]))
        for variable, place in enumerate(design)
        for way in (-1, 1)
        if 0 <= place + way < len(problem.variables[variable].values)
    ]
