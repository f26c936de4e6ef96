"""Training of the learned judges: repeatably, with missing values in the data; what moves, and what stays."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from sizing.clock import Clock
from sizing.errors import InputError
from sizing.evaluation.evaluator import Evaluation, designs_of
from sizing.search.context import Context
from sizing.search.evolution import Streams
from sizing.simulation.simulator import Measured
from sizing.specfile.load import Spec, load_spec
from sizing.task.settings import JudgeSettings, RunSettings
from surrogates import judges
from surrogates.networks.discriminator import LearnedDiscriminator

LEARNED = {
    "fc": judges.fully_connected,
    "gnn-random": judges.graph_from_scratch,
    "gnn-frozen": judges.graph_frozen,
    "gnn-finetuned": judges.graph_finetuned,
}
QUICK = JudgeSettings(steps=8, body_steps=3, batch=16)


def evaluations(spec: Spec, count: int = 40, missing: float = 0.2) -> list[Evaluation]:
    """Random designs with random metrics, some of them missing."""
    rng = np.random.default_rng(2)
    result = []
    for index in range(count):
        values = rng.lognormal(size=len(spec.problem.metrics))
        values[rng.random(len(values)) < missing] = np.nan
        design = tuple(rng.integers(0, spec.problem.shape).tolist())
        result.append(Evaluation(index, design, Measured(tuple(values), {})))
    return result


def untrained(spec: Spec, method: str, settings: JudgeSettings = QUICK) -> LearnedDiscriminator:
    circuits = {bench.name: bench.circuit for bench in spec.benches}
    context = Context(spec.problem, RunSettings(judge=settings), circuits, None, Streams.from_seed(9), Clock())  # type: ignore[arg-type]
    return LEARNED[method](context)


def trained(spec: Spec, method: str, rounds: int = 2) -> LearnedDiscriminator:
    judge = untrained(spec, method)
    known = evaluations(spec)
    for done in range(rounds):
        judge.fit(known[: 30 + 5 * done])
    return judge


def weights(judge: LearnedDiscriminator) -> Mapping[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in judge.model.state_dict().items()}


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(params=LEARNED)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.slow
def test_training_is_repeatable_bit_for_bit_and_leaves_torch_s_own_stream_alone(amplifier: Spec, method: str):
    before = torch.random.get_rng_state()
    assert same(weights(trained(amplifier, method)), weights(trained(amplifier, method)))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_missing_values_leave_no_nan_in_the_weights(amplifier: Spec, method: str):
    assert all(torch.isfinite(tensor).all() for tensor in weights(trained(amplifier, method)).values())


@pytest.mark.slow
def test_judging_has_no_side_effect_on_training(amplifier: Spec, method: str):
    plain, asked = trained(amplifier, method, 1), trained(amplifier, method, 1)
    asked.judge(np.array([[1, 2], [3, 4]]), evaluations(amplifier)[0])
    plain.fit(evaluations(amplifier))
    asked.fit(evaluations(amplifier))
    assert same(weights(plain), weights(asked))


def test_a_frozen_backbone_stays_bit_for_bit_and_the_heads_learn(amplifier: Spec):
    judge = untrained(amplifier, "gnn-frozen")
    before = weights(judge)
    judge.fit(evaluations(amplifier))
    after = weights(judge)
    body = [name for name in before if "backbone" in name]
    assert body
    assert all(torch.equal(before[name], after[name]) for name in body)
    assert not torch.equal(before["comparison.out.weight"], after["comparison.out.weight"])
    assert not torch.equal(before["extractor.readout.latents"], after["extractor.readout.latents"])


def test_a_fine_tuned_backbone_starts_where_the_frozen_one_is_and_moves(amplifier: Spec):
    frozen, tuned = (untrained(amplifier, each) for each in ("gnn-frozen", "gnn-finetuned"))
    start = weights(tuned)
    body = [name for name in start if "backbone" in name]
    assert all(torch.equal(start[name], weights(frozen)[name]) for name in body)
    tuned.fit(evaluations(amplifier))
    assert not all(torch.equal(start[name], weights(tuned)[name]) for name in body)


def test_a_random_backbone_needs_no_checkpoint(amplifier: Spec):
    settings = QUICK.model_copy(update={"checkpoint": "/nowhere"})
    untrained(amplifier, "gnn-random", settings).fit(evaluations(amplifier))
    with pytest.raises(InputError, match="shipped checkpoint"):
        untrained(amplifier, "gnn-frozen", settings)


@pytest.mark.parametrize("readout", ["attention", "mean"])
def test_a_graph_is_read_out_as_the_settings_say(readout: str, amplifier: Spec):
    judge = untrained(amplifier, "gnn-random", QUICK.model_copy(update={"readout": readout}))
    judge.fit(evaluations(amplifier))
    assert ("extractor.readout.latents" in weights(judge)) == (readout == "attention")


def test_kinds_of_device_that_a_checkpoint_has_not_seen_are_scaled_by_the_run_s_own_designs(tmp_path: Path):
    netlist = tmp_path / "filter.cir"
    netlist.write_text("* filter\n.param ls=1n r=1k\nl1 in out {ls}\nr1 out 0 {r}\n")
    spec = tmp_path / "filter.yaml"
    spec.write_text(
        "netlist: filter.cir\n"
        "variables: {ls: {from: 1n, to: 9n, step: 1n}, r: {from: 1k, to: 9k, step: 1k}}\n"
        "benches:\n  b: {stimulus: 'v1 in 0 dc 1', analyses: {op: op}}\n"
        "metrics: {level: {measure: dc_value, of: b.op, output: out, at_least: 0.5 V}}\n"
    )
    extractor = untrained(load_spec(spec), "gnn-frozen").model.extractor
    scaled = extractor.backbone.normalisation(  # type: ignore[union-attr,operator]
        torch.from_numpy(extractor._graph.parameters({"ls": np.array([1e-9, 9e-9])})), extractor._wiring.kinds
    )
    assert 1 < scaled[1, 0, 0] - scaled[0, 0, 0] < 8


def test_the_graph_of_an_unknown_bench_is_refused(amplifier: Spec):
    with pytest.raises(InputError, match=r"run\.judge\.graph: expected a test bench"):
        untrained(amplifier, "gnn-random", QUICK.model_copy(update={"graph": "nowhere"}))


def test_a_reference_in_spec_is_judged_by_its_targets_and_another_by_comparison(amplifier: Spec, method: str):
    judge = trained(amplifier, method)
    batch = np.array([[1, 2], [30, 40], [98, 49]])
    gain, bandwidth, current = 5.0, 1e6, 5e-4  # met, not met, met
    reference = Evaluation(0, (50, 25), Measured((gain, bandwidth, current), {}))
    judge.model.eval()
    with torch.inference_mode():
        extractor = judge.model.extractor
        embedding = extractor(extractor.read(np.concatenate([designs_of([reference]), batch])))
        comparison = torch.sigmoid(judge.model.comparison(embedding[1:], embedding[:1])).numpy()
        meets = torch.sigmoid(judge.model.meets(embedding[1:])).numpy()
    expected = np.stack([meets[:, 0], comparison[:, 1], meets[:, 2]], axis=1)
    np.testing.assert_allclose(judge.judge(batch, reference), expected, atol=1e-6)
