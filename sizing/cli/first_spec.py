"""The command that writes a first spec for a netlist."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sizing.cli.trust import TrustOption


def init(
    netlist: Annotated[Path, typer.Argument(metavar="NETLIST", help="your own SPICE file")],
    out: Annotated[
        Path | None, typer.Option(help="spec to write [default: beside the netlist, as NETLIST.yaml]")
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(metavar="KIT|FILE[:SECTION]", help="device models that it does not include; again for more"),
    ] = None,
    top: Annotated[
        str | None, typer.Option(metavar="NAME", help="the sub-circuit to size, where there are several")
    ] = None,
    trust: TrustOption = False,
) -> None:
    """Write a first spec for a netlist: variables with ranges, test benches for what it is, targets to change.

    Sizes that are plain numbers become parameters in a copy, SPEC_sized, beside it. Nothing is overwritten.

    Example: sizing init my_opamp.cir --models models.lib
    """
    from sizing.first_spec.write import write_first_spec

    first = write_first_spec(netlist, out, models or (), top, trust=trust)
    print(first.path)
    copy = f", with {first.netlist} for the netlist" if first.copied else ""
    print(f"{first.title}: {first.variables} variables{copy}", file=sys.stderr)
    if not first.recognised:
        print(
            "note: its benches are yours to write; where the netlist is itself a test bench, --top NAME sizes the "
            "sub-circuit that it calls",
            file=sys.stderr,
        )
    for line in first.set_aside:
        print(f"note: left out {line}; write what it is for in the spec's benches", file=sys.stderr)
    for why in dict.fromkeys(first.missing.values()):
        names = ", ".join(name for name, reason in first.missing.items() if reason == why)
        print(f"note: {names} could not be measured: {why}", file=sys.stderr)
    print(f"Next: look for TODO in {first.path}, then sizing check {first.path}", file=sys.stderr)
