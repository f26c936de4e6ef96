"""Draws docs/run.svg, the README's picture, from a finished run: python docs/picture.py RUN"""

import sys
from io import StringIO
from pathlib import Path

from rich.console import Console

from sizing.cli.show import run_summary
from sizing.runs.records.reading import read_run
from sizing.runs.run import Result

result = Result(read_run(sys.argv[1]))
console = Console(record=True, width=118, file=StringIO(), force_terminal=True)
run_summary(result, console)
console.save_svg(str(Path(__file__).parent / "run.svg"), title="sizing run specs/opamp_cc.yaml")
