"""A spec as an environment to learn in: actions move variables on their grids, the reward is what the cost falls by."""

import numpy as np

import sizing


class Environment:
    def __init__(self, spec: str) -> None:
        self.spec = sizing.load_spec(spec)

    def reset(self) -> np.ndarray:
        self.place, self.cost = np.array(self.spec.problem.start), 0.0
        return self.step(np.zeros_like(self.place))[0]

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool]:
        self.place = np.clip(self.place + action, 0, self.spec.problem.shape - 1)
        row = sizing.evaluate(self.spec, [self.spec.problem.values(self.place)], workers=1).iloc[0]
        before, self.cost = self.cost, row["cost"]
        return (
            row[[metric.name for metric in self.spec.problem.metrics]].to_numpy(float),
            before - self.cost,
            row["in_spec"],
        )


if __name__ == "__main__":
    environment = Environment("specs/cs_amp.yaml")
    print(environment.reset(), environment.step(np.array([5, -2])))
