"""What a command imports: only what it needs, so that help and mistakes are answered at once."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = "{'numpy', 'pandas', 'rich', 'scipy', 'matplotlib', 'torch', 'surrogates'}"


@pytest.mark.parametrize("arguments", [["--help"], ["pretrain", "--help"], ["run"]])
def test_help_and_mistakes_load_nothing_heavy(arguments: list[str]):
    code = f"import sys; from sizing.cli import main\ntry: main()\nfinally: print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, *arguments], text=True, capture_output=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Usage" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_run_of_the_default_method_loads_no_networks_and_no_peers(specs: Path, tmp_path: Path):
    script = tmp_path / "script.py"
    others = "{'torch', 'sympy', 'torch_geometric', 'matplotlib', 'optuna', 'pymoo', 'botorch'}"
    script.write_text(
        "import sys\nfrom sizing.runs.run import run\nif __name__ == '__main__':\n"
        f"    method = run({str(specs / 'cs_amp.yaml')!r}, out='run').record.manifest['method']\n"
        f"    print(method, sorted({others} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, text=True, capture_output=True)
    assert done.stdout == "tables []\n", done.stderr
