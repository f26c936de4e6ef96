"""Designs as Optuna's parameters."""

import logging

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from sizing.search.peers.optimizer import Answers
from sizing.search.peers.optuna_samplers import Coding, Study
from sizing.task.problem import Metric, Problem, Variable

PROBLEM = Problem(
    "p",
    "p",
    (
        Variable("m", tuple(float(m) for m in range(1, 100))),
        Variable("cc", tuple(k * 1e-13 for k in range(1, 100))),
        Variable("l", tuple(np.geomspace(1e-7, 1e-6, 7).tolist())),
        Variable("rz", tuple(50.0 * k for k in range(20))),
        Variable("fixed", (3.0,)),
    ),
    (Metric("gain", "V/V", at_least=300.0), Metric("power", "W", at_most=1e-3)),
)


class Listening(optuna.samplers.RandomSampler):
    def after_trial(self, study, trial, state, values):
        self.study = study


def test_grids_are_whole_numbers_and_logarithmic_where_they_can_be():
    linear = Coding(PROBLEM, "linear", constrained=True).distributions
    assert [linear[name].high for name in linear] == [98, 98, 6, 19, 0]
    assert all(isinstance(each, IntDistribution) and not each.log and each.low == 0 for each in linear.values())
    log = Coding(PROBLEM, "log", constrained=True).distributions
    assert log["m"] == log["cc"] == IntDistribution(1, 99, log=True)
    assert log["l"] == FloatDistribution(np.log(1e-7), np.log(PROBLEM.variables[2].values[-1]))
    assert log["rz"] == IntDistribution(0, 19)
    assert log["fixed"] == IntDistribution(1, 1, log=True)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_design_comes_back_from_its_trial(scale: str):
    coding = Coding(PROBLEM, scale, constrained=True)
    designs = np.random.default_rng(0).integers(0, PROBLEM.shape, (30, 5))
    trials = coding.trials(Answers(designs, np.zeros((30, 2)), np.empty((30, 0))))
    assert [coding.design(trial.params) for trial in trials] == [tuple(design) for design in designs.tolist()]


def test_a_value_between_two_of_the_grid_is_the_one_nearer_by_logarithm():
    coding = Coding(PROBLEM, "log", constrained=True)
    between = {"m": 1, "cc": 1, "l": np.log(1e-7 * 10 ** (0.7 / 6)), "rz": 0, "fixed": 1}
    assert coding.design(between)[2] == 1
    assert coding.design(between | {"l": np.log(1e-7 * 10 ** (0.45 / 6))})[2] == 0


def test_a_study_hears_every_violation_and_the_cost_and_leaves_the_logger_alone(capfd: pytest.CaptureFixture[str]):
    initial = Answers(
        np.zeros((12, 5), dtype=int) + np.arange(12)[:, None] * [1, 1, 0, 1, 0],
        np.full((12, 2), 0.5),
        np.empty((12, 0)),
    )
    before = logging.getLogger("optuna").level
    sampler = Listening(seed=0)
    study = Study(Coding(PROBLEM, "log", constrained=True), initial, sampler)
    assert study.ask(2).shape == (2, 5)
    study.tell(Answers(np.zeros((2, 5), dtype=int), np.array([[0.25, -0.5], [-0.1, -0.2]]), np.empty((2, 0))))
    told = sampler.study.trials
    assert [trial.value for trial in told[-2:]] == [0.25, 0.0]
    assert [trial.constraints for trial in told[-2:]] == [{"gain": 0.25, "power": -0.5}, {"gain": -0.1, "power": -0.2}]
    assert told[0].constraints == {"gain": 0.5, "power": 0.5}
    assert logging.getLogger("optuna").level == before
    assert capfd.readouterr().err == ""
