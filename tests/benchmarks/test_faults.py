"""A run under faults of every kind, killed and out of disk now and then, ends like a run without."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


def test_a_small_campaign_loses_and_changes_nothing():
    command = [
        sys.executable,
        "-m",
        "benchmarks.faults",
        "--campaigns",
        "2",
        "--sims",
        "8",
        "--rate",
        "0.5",
        "--seed",
        "5",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 campaigns of 16 evaluations, 2 identical" in done.stdout
    happened = dict(re.findall(r"([a-z][a-z ]+) (\d+)", done.stdout.split(";")[1]))
    assert int(happened.pop("start")) == 2
    assert len(happened) >= 4
