"""Simulations under way: jobs are submitted, and each ends when it ends; whoever wants them in order waits for that."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Protocol

from sizing.simulation.simulator import Outcome
from sizing.task.job import Job, JobKey

Ticket = int
"""What a submitted job is known by until it is done."""


class Simulations(Protocol):
    """Where simulations are done: worker processes of this machine, a cluster, a cache before these."""

    def submit(self, job: Job) -> Ticket:
        """Have a job done; returns at once."""

    def next_done(self) -> tuple[Ticket, Outcome]:
        """Wait for any of the submitted jobs that has not been handed over yet. Raises IndexError where there is none.

        Raises SimulationError where nothing can be simulated any more.
        """

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Do without these jobs: those that wait are not begun, and nobody hears of the others."""


def in_order(simulations: Simulations, jobs: Sequence[Job]) -> Iterator[Outcome]:
    """The outcome of every job, in their order, each as soon as it and those before it are there.

    Jobs that are left when nobody asks for more are abandoned.
    """
    tickets = deque(map(simulations.submit, jobs))
    done: dict[Ticket, Outcome] = {}
    try:
        while tickets:
            while tickets[0] not in done:
                ticket, outcome = simulations.next_done()
                done[ticket] = outcome
            yield done.pop(tickets.popleft())
    finally:
        simulations.abandon([ticket for ticket in tickets if ticket not in done])


class Answered:
    """Simulations of which some are known: these are answered at once, and the others asked of `simulations`.

    `known` gives what is known of a job, or None; `learn` hears what the others gave.
    """

    def __init__(
        self,
        known: Callable[[Job], Outcome | None],
        simulations: Simulations,
        learn: Callable[[Job, Outcome], None] = lambda job, outcome: None,
    ) -> None:
        self._known = known
        self._simulations = simulations
        self._learn = learn
        self._tickets = count()
        self._at_once: deque[tuple[Ticket, Outcome]] = deque()
        self._asked: dict[Ticket, tuple[Ticket, Job]] = {}
        """By the ticket of `simulations`, ours and the job."""

    def submit(self, job: Job) -> Ticket:
        """Answer a job that is known, or have it simulated."""
        ticket = next(self._tickets)
        known = self._known(job)
        if known is None:
            self._asked[self._simulations.submit(job)] = ticket, job
        else:
            self._at_once.append((ticket, known))
        return ticket

    def next_done(self) -> tuple[Ticket, Outcome]:
        """One that is known, else the next that has been simulated."""
        if self._at_once:
            return self._at_once.popleft()
        its, outcome = self._simulations.next_done()
        ticket, job = self._asked.pop(its)
        self._learn(job, outcome)
        return ticket, outcome

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Do without these."""
        given_up = [its for its, (ticket, _) in self._asked.items() if ticket in tickets]
        self._simulations.abandon(given_up)
        for its in given_up:
            del self._asked[its]
        self._at_once = deque(each for each in self._at_once if each[0] not in tickets)


def journalled(simulations: Iterable[tuple[Job, Outcome]]) -> Callable[[Job], Outcome | None]:
    """What a journal holds of a job: each of its simulations answers once."""
    held: defaultdict[JobKey, deque[Outcome]] = defaultdict(deque)
    for job, outcome in simulations:
        held[job.key].append(outcome)
    return lambda job: held[job.key].popleft() if held[job.key] else None
