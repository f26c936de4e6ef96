"""Whoever changes what a simulation gives is reminded that caches hold what it gave before."""

import ast
import hashlib
import sys
from pathlib import Path

import pytest

import sizing
from sizing.simulation.cache import RESULTS_VERSION

SOURCES = (
    "measures/*.py",
    *(f"simulation/{name}.py" for name in ("dialect", "meas", "messages", "ngspice", "ngspice_batch", "validity")),
)
KNOWN = {1: "76690fc48e850a8a", 2: "0754c2d301c79041"}
"""Of each count of `RESULTS_VERSION`, the digest of the code behind it."""


def code_without_words(path: Path) -> str:
    """The statements of a module, without docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the digest is of how Python 3.11 writes the code")
def test_code_that_gives_other_results_is_counted():
    root = Path(str(sizing.__file__)).parent
    paths = sorted(path for pattern in SOURCES for path in root.glob(pattern))
    assert len(paths) > 15
    digest = hashlib.sha256("\n".join(map(code_without_words, paths)).encode()).hexdigest()[:16]
    assert KNOWN[RESULTS_VERSION] == digest, (
        "what simulations give may have changed: if so, count sizing.simulation.cache.RESULTS_VERSION up, and put "
        f"{{…: {digest!r}}} here; if not, put it in place of the digest of the count that holds"
    )
