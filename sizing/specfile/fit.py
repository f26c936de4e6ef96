"""Whether a measurement fits the analysis that it is to be read from, and the circuit."""

from collections.abc import Iterator

from sizing.errors import nearest
from sizing.measures.catalogue import name_of
from sizing.measures.meas import Meas
from sizing.measures.measure import Measure
from sizing.measures.noise import RmsNoise
from sizing.measures.sweep import SWEPT, Regulation
from sizing.spice.meas import parse_meas
from sizing.spice.reserved import NETS, taken
from sizing.task.bench import Bench, transistors


def lacking(metric: Measure, reference: str, bench: Bench) -> Iterator[str]:
    """What the measurement needs and this analysis does not have."""
    analysis = next(a for a in bench.analyses if a.name == reference.split(".")[1])
    if analysis.kind not in metric.kinds:
        yield f"{name_of(type(metric))} reads {' or '.join(metric.kinds)}, but {reference} is `{analysis.command}`"
    vectors = metric.vectors
    if isinstance(metric, Meas):
        texts = dict(analysis.meas)
        if metric.name in texts:
            vectors = parse_meas(analysis.kind, texts[metric.name]).vectors
        else:
            yield f"name: {reference} has no meas {metric.name!r}{nearest(metric.name, texts)}"
    if isinstance(metric, Regulation) and metric.unit in SWEPT and analysis.kind == "dc":
        _, source, _, _, _, *more = analysis.command.lower().split()
        if more or source[0] != SWEPT[metric.unit]:
            expected = "voltage" if metric.unit == "V/V" else "current"
            yield f"a regulation in {metric.unit} is by one swept {expected}, but {reference} is `{analysis.command}`"
    if isinstance(metric, RmsNoise) and analysis.kind == "noise":
        source = analysis.command.lower().partition(")")[2].split()[0]
        unit = "A" if metric.referred == "input" and source.startswith("i") else "V"
        if metric.unit != unit:
            referred = f"the source {source}" if metric.referred == "input" else "the output"
            yield f"unit: rms_noise referred to {referred} is in {unit}, got {metric.unit!r}; write `unit: {unit}`"
    nets = bench.circuit.nets
    sources = {device.name for device in bench.circuit.devices if device.kind == "v"}
    devices = transistors(bench.circuit)
    for vector in vectors:
        device = vector[1:].partition("[")[0]
        if vector.startswith("@") and device not in devices:
            inside = sorted(name for name in devices if name.startswith(f"{device}."))
            many = f"; {device} holds several, such as {inside[0]}" if inside else nearest(device, devices)
            yield f"no transistor {device!r} in bench {bench.name}{many}"
        letter, _, name = vector.rstrip(")").partition("(")
        if letter == "v" and (wrong := taken([name], NETS)):
            yield f"expected a net whose voltage can be read, {wrong}"
        elif letter == "v" and name not in nets:
            yield f"net {name!r} is not in the netlist of bench {bench.name}{nearest(name, nets)}"
        if letter == "i" and name not in sources:
            yield f"no voltage source {name!r} in bench {bench.name}{nearest(name, sources)}"
