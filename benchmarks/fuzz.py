"""Feeds damaged and hostile specs and netlists to load_spec and check, and counts how each of them ends.

    python benchmarks/fuzz.py [--count 10000] [--seed 0] [--simulations N]

Each ends in a Spec that is simulated, or in an error with a message; never in another exception, beyond the time
allowed, or with the canary's file on disk. What does is kept in the folder that is named last; the exit status is 1.
"""

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from math import inf
from pathlib import Path

from sizing.errors import InputError
from sizing.runs.run import check
from sizing.simulation.simulator import Measured, SimulationError
from sizing.specfile.load import load_spec

SPECS = Path(__file__).parent.parent / "specs"
NAMES = ("cs_amp", "opamp_cc", "opamp_cc_rz")
SECONDS = 20
"""Allowed for reading a spec, and a little more than a simulation is."""
LINES = (
    ".control\nshell touch CANARY\n.endc", ".controls\nshell touch CANARY\n.endc", "*# shell touch CANARY",
    ".incl EVIL", ".include EVIL", ".inc EVIL", ".lib EVIL tt", ".libx EVIL tt", ".if (1)\n.incl EVIL\n.endif",
    ".exec touch CANARY", ".print op v(out) > CANARY", ".save `touch CANARY`", ".options rawfile=CANARY interactive",
    "*ng_script\nshell touch CANARY", "shell touch CANARY", "system touch CANARY", "source EVIL", "write CANARY",
    "\x0b.control\n shell touch CANARY\n.endc", "r9 out 0 1k\r.control\rshell touch CANARY\r.endc", ".INCL EVIL",
    ".model fs filesource (file=\"EVIL\")\na1 %v([out]) fs", "v9 out 0 pwl file=EVIL", "r9 out 0 {`touch CANARY`}",
    ".param x='`touch CANARY`'", "r9 out 0 $(touch CANARY)", ".subckt s a\nx1 a s\n.ends\nx9 out s",
    "+ + +", "((((", "}}",
)  # fmt: skip
"""For netlists."""
HOSTILE = (
    *LINES,
    "bias: op; shell touch CANARY", "bias: op > CANARY", "bias: 'op `touch CANARY`'", "name: ../../CANARY",
    "netlist: EVIL", "options: {sourcepath: CANARY}", "run: {timeout: 1e308}", "&a [*a, *a]", "<<: *a",
    "!!python/object/apply:os.system ['touch CANARY']", "1e999", "-.inf", ".nan", "0x" + "f" * 5000, "9" * 5000,
    "\0", "é\u2028", "\xa0", "''", '"', "{" * 200, "[" * 200, "(" * 200, "\t", "null", "true", "-1", "0", "1e-300",
    "1e300", "10M", "2001-13-45",
)  # fmt: skip

AIMED = 0.25
"""Share of cases that are whole but for one hostile line: damaged ones seldom get as far as the simulator."""
NUMBERS = ("0", "1", "2", "7", "40", "-3", "1e3", "1e9", "1e-9", "0.5", "99999999", "")


def mutated(text: str, rng: random.Random, other: str, hostile: Sequence[str]) -> str:
    """The text after one to four changes to its characters, words or lines."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        lines, at = text.split("\n"), rng.randrange(len(text) + 1)
        row = rng.randrange(len(lines))
        words = lines[row].split(" ")
        column = rng.randrange(len(words))
        match rng.randrange(11):
            case 0:
                text = text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) + text[at + 1 :]
            case 1:
                text = text[:at] + text[at + rng.randint(1, 20) :]
            case 2:
                text = text[:at] + rng.choice(hostile) + text[at:]
            case 3:
                lines.insert(row, lines[row][: len(lines[row]) - len(lines[row].lstrip())] + rng.choice(hostile))
                text = "\n".join(lines)
            case 4:
                words[column] = rng.choice(hostile)
                text = "\n".join([*lines[:row], " ".join(words), *lines[row + 1 :]])
            case 5:
                del lines[row]
                text = "\n".join(lines)
            case 6:
                lines.insert(rng.randrange(len(lines)), lines[row])
                text = "\n".join(lines)
            case 7:
                words[column] = rng.choice(other.split() or [""])
                text = "\n".join([*lines[:row], " ".join(words), *lines[row + 1 :]])
            case 8:
                lines.insert(row, rng.choice(other.split("\n")))
                text = "\n".join(lines)
            case _:
                numbers = list(re.finditer(r"\d+", text))
                number = rng.choice(numbers) if numbers else re.search("", text)
                text = text[: number.start()] + rng.choice(NUMBERS) + text[number.end() :]
    return text


def _aimed(rng: random.Random, spec: Path, netlist: Path, texts: dict[Path, str], line: str) -> tuple[Path, str]:
    """A file and its text with one hostile line, where ngspice would read it: in the netlist or in a stimulus."""
    if rng.random() < 0.5:
        lines = texts[netlist].split("\n")
        lines.insert(rng.randrange(1, len(lines)), line)
        return netlist, "\n".join(lines)
    stimulus = "    stimulus: |\n"
    indented = "".join(f"      {each}\n" for each in line.split("\n"))
    return spec, texts[spec].replace(stimulus, stimulus + indented, 1)


def write_case(folder: Path, seed: int, number: int) -> Path:
    """Write one damaged spec, or netlist, or both; its path."""
    rng = random.Random(f"{seed} {number}")
    name = rng.choice((*NAMES, NAMES[0]))
    canary, evil = folder.parent / "canary", folder.parent / "evil.cir"
    evil.write_text(f".control\nshell touch {canary}\n.endc\n")
    hostile = [each.replace("CANARY", str(canary)).replace("EVIL", str(evil)) for each in HOSTILE]
    shutil.copytree(SPECS / "netlists", folder / "netlists")
    spec, netlist = folder / "spec.yaml", folder / "netlists" / f"{name}.cir"
    texts = {spec: (SPECS / f"{name}.yaml").read_text(), netlist: netlist.read_text()}
    texts[spec] = texts[spec].rstrip() + ("\nrun: {timeout: 5}\n" if "\nrun:" not in texts[spec] else "\n")
    aimed = rng.random() < AIMED
    if aimed:
        texts |= dict([_aimed(rng, spec, netlist, texts, rng.choice(hostile[: len(LINES)]))])
    for path in () if aimed else rng.choice(([spec], [netlist], [spec, netlist])):
        texts[path] = mutated(texts[path], rng, texts[spec] + texts[netlist], hostile)
    for path, text in texts.items():
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return spec


def outcome(path: Path, simulate: bool) -> str:
    """How the spec ends, one of GOOD; any exception but those of mistakes escapes."""
    try:
        spec = load_spec(path)
    except InputError as error:
        return "spec refused" if str(error).strip() else "refused without a word"
    if not simulate:
        return "read"
    try:
        return "simulated" if isinstance(check(spec.with_run(timeout=5.0)), Measured) else "no metrics"
    except SimulationError as error:
        return "deck refused" if str(error).strip() else "refused without a word"


GOOD = {"read", "simulated", "no metrics", "spec refused", "deck refused"}

SIMULATED = {"simulated", "no metrics", "deck refused"}


def fuzz(count: int, seed: int, keep: Path, simulations: float = inf) -> tuple[Counter[str], float]:
    """Run cases 0 to count of this seed; how often each ending came, and the longest seconds of one.

    After so many `simulations`, specs that are accepted are only read.
    """
    endings: Counter[str] = Counter()
    longest = 0.0
    for number in range(count):
        place = Path(tempfile.mkdtemp(prefix="fuzz-"))
        (place / "case").mkdir()
        path = write_case(place / "case", seed, number)
        began = time.monotonic()
        signal.signal(signal.SIGALRM, _hung)
        signal.alarm(SECONDS)
        try:
            ending = outcome(path, sum(endings[each] for each in SIMULATED) < simulations)
        except Exception as error:
            ending = f"broke: {type(error).__name__}"
            (place / "traceback").write_text(traceback.format_exc())
        finally:
            signal.alarm(0)
        longest = max(longest, time.monotonic() - began)
        if os.path.lexists(place / "canary") or Path("canary").exists():
            ending = "EXECUTED"
        endings[ending] += 1
        if number % 500 == 499:
            print(number + 1, dict(endings), file=sys.stderr, flush=True)
        if ending not in GOOD:
            shutil.copytree(place, keep / f"{seed}-{number}", dirs_exist_ok=True)
        shutil.rmtree(place)
    return endings, longest


def _hung(*_: object) -> None:
    raise TimeoutError(f"no end within {SECONDS} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--simulations", type=float, default=inf, help="after so many, only read what is accepted")
    arguments = parser.parse_args()
    kept = Path(tempfile.mkdtemp(prefix="fuzz-kept-"))
    found, slowest = fuzz(arguments.count, arguments.seed, kept, arguments.simulations)
    for ending, times in found.most_common():
        print(f"{times:7} {ending}")
    print(f"longest {slowest:.1f} s; kept in {kept}")
    sys.exit(bool(found.keys() - GOOD))
