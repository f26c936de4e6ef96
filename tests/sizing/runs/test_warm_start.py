"""Warm starts: a run that learns from earlier ones counts them apart, stands alone, and refuses what it cannot use."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import sizing
from sizing.errors import InputError
from sizing.evaluation.evidence import Evidence
from sizing.runs.records.evidence import evidence_of, read_evidence
from sizing.runs.records.reading import read_run
from sizing.specfile.load import Spec, load_spec
from surrogates.features import OTHER_CIRCUIT, LogarithmicFeatures


@pytest.fixture(scope="module")
def earlier(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the same amplifier with another load."""
    folder = tmp_path_factory.mktemp("earlier")
    text = (specs / "cs_amp.yaml").read_text().replace("netlists/", f"{specs}/netlists/")
    (folder / "loaded.yaml").write_text(text.replace("cl out 0 50f", "cl out 0 60f"))
    sizing.run(folder / "loaded.yaml", method="random", max_sims=60, out=folder / "run", workers=1)
    return folder / "run"


@pytest.mark.slow
def test_what_is_known_before_is_counted_apart_and_saves_simulations(amplifier: Spec, earlier: Path, tmp_path: Path):
    warm = sizing.run(amplifier, method="gp", warm_start=(str(earlier),), initial=2, out=tmp_path / "warm", workers=1)
    cold = sizing.run(amplifier, method="gp", out=tmp_path / "cold", workers=1)
    row, other = warm.table.iloc[0], cold.table.iloc[0]
    assert row["sims_pretrain"] == len(read_run(earlier).simulations)
    assert row["status"] == other["status"] == "in spec"
    assert row["sims_initial"] == 2
    assert row["sims_total"] < other["sims_total"]
    assert row["method"] == "gp:initial=2:warm_start=run"


@pytest.mark.slow
def test_a_warm_run_stands_alone_and_is_taken_up_without_the_earlier_one(
    amplifier: Spec, earlier: Path, tmp_path: Path
):
    before = tmp_path / "before"
    shutil.copytree(earlier, before)
    whole = sizing.run(amplifier, method="gp", warm_start=(str(before),), out=tmp_path / "run", workers=1)
    shutil.rmtree(before)
    journal = whole.folder / "journal.jsonl"
    lines = journal.read_bytes()
    journal.write_bytes(b"".join(lines.splitlines(keepends=True)[:25]))
    (whole.folder / "summary.json").unlink()
    sizing.resume(whole.folder, workers=1)
    assert journal.read_bytes() == lines


def test_evidence_comes_back_from_the_run_folder_as_it_was(amplifier: Spec, earlier: Path, tmp_path: Path):
    found = evidence_of(read_run(earlier), amplifier.problem)
    result = sizing.run(amplifier, method="gp", warm_start=(str(earlier),), max_sims=2, out=tmp_path / "run", workers=1)
    (kept,) = read_evidence(result.record)
    assert (kept.run, kept.variables, kept.metrics) == (found.run, found.variables, found.metrics)
    np.testing.assert_array_equal(kept.settings, found.settings)
    np.testing.assert_array_equal(kept.values, found.values)
    evidence = result.folder / "evidence.json"
    evidence.write_text(evidence.read_text()[:200])
    with pytest.raises(InputError, match=r"evidence.json: damaged: .*; start a new run"):
        read_evidence(result.record)


def test_what_cannot_be_learned_from_is_refused_before_anything_runs(amplifier: Spec, earlier: Path, tmp_path: Path):
    out = tmp_path / "run"
    with pytest.raises(InputError, match="warm_start: fc does not learn from earlier runs; expected one of gp"):
        sizing.run(amplifier, method="fc", warm_start=(str(earlier),), out=out)
    with pytest.raises(InputError, match=r"nothing: expected a run folder"):
        sizing.run(amplifier, method="gp", warm_start=(str(tmp_path / "nothing"),), out=out)
    other = tmp_path / "other"
    shutil.copytree(earlier, other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["problem"]["metrics"][0]["unit"] = "V"
    (other / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"other: expected a run that measured gain in V/V, got one without"):
        sizing.run(amplifier, method="gp", warm_start=(str(other),), out=out)
    assert not out.exists()


def test_designs_and_evidence_of_one_circuit_have_the_same_features(amplifier: Spec, earlier: Path):
    record = read_run(earlier)
    evidence = evidence_of(record, amplifier.problem)
    features = LogarithmicFeatures(amplifier.problem, [evidence])
    designs = np.array([evaluation.design for evaluation in record.population if evaluation.ok])
    np.testing.assert_allclose(features(designs), features.of(evidence), atol=1e-12)


def test_a_variable_that_a_circuit_does_not_have_is_at_the_low_end_of_its_range(specs: Path):
    without, having = (load_spec(specs / f"{name}.yaml").problem for name in ("opamp_cc", "opamp_cc_rz"))
    names = tuple(variable.name for variable in having.variables)
    settings = np.array([list(having.values(d).values()) for d in ([0] * 8, (having.shape - 1).tolist())])
    metrics = tuple((metric.name, metric.unit) for metric in having.metrics)
    evidence = Evidence("r", 2, having.topology, names, settings, metrics, np.ones((2, 8)), ({}, {}))
    features = LogarithmicFeatures(without, [evidence])
    own, foreign = features(np.zeros((1, 7), dtype=np.int64))[0], features.of(evidence)
    np.testing.assert_allclose(own, [-1.0] * 8 + [OTHER_CIRCUIT])
    np.testing.assert_allclose(foreign[0], [-1.0] * 8 + [-OTHER_CIRCUIT])
    np.testing.assert_allclose(foreign[1], [1.0] * 8 + [-OTHER_CIRCUIT])
