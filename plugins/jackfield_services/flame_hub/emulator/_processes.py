"""What takes its time: builds, distributions, runs, the sync of master images. Time passes by polls."""

import enum
from dataclasses import dataclass

from ._names import Generation
from ._settings import Settings
from ._wire import Record


class Outcome(enum.Enum):
    """How a process ends."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a process goes: that many polls find it under way, the next its outcome."""

    polls: int
    outcome: Outcome = Outcome.SUCCEEDED


@dataclass(slots=True)
class Process:
    """One that is under way; `kind` is what the fields of its record begin with: build, distribution, run."""

    record: Record
    kind: str
    plan: Plan
    polled: int = 0


class Processes:
    """All that are under way, and the plans of the next ones."""

    def __init__(self, settings: Settings) -> None:
        self.plans: list[tuple[int | None, Outcome]] = []
        self._settings = settings
        self._running: list[Process] = []

    def start(self, record: Record, kind: str) -> None:
        """It is starting; the next plan says how it goes on."""
        polls, outcome = self.plans.pop(0) if self.plans else (None, Outcome.SUCCEEDED)
        plan = Plan(self._settings.polls if polls is None else polls, outcome)
        self._running.append(Process(record, kind, plan))
        _set(record, f"{kind}_status", "starting")
        _set(record, f"{kind}_progress", 0)

    def stop(self, record: Record, kind: str) -> None:
        """It is stopping, and the next poll finds it stopped."""
        for process in self._running:
            if process.record is record and process.kind == kind:
                process.plan = Plan(0, Outcome.STOPPED)
                _set(record, f"{kind}_status", "stopping")

    def under_way(self, record: Record, kind: str) -> bool:
        """Whether one of this kind is."""
        return any(process.record is record and process.kind == kind for process in self._running)

    def poll(self, record: Record) -> list[Process]:
        """Somebody reads the record; gives the processes that have ended by that."""
        polled = [process for process in self._running if process.record is record]
        for process in polled:
            process.polled += 1
            self._go_on(process)
        ended = [process for process in polled if not _goes_on(process)]
        self._running = [process for process in self._running if process not in ended]
        return ended

    def _go_on(self, process: Process) -> None:
        record, kind, plan = process.record, process.kind, process.plan
        if _goes_on(process):
            if process.polled > 1:
                _set(record, f"{kind}_status", "started")
            _set(record, f"{kind}_progress", min(100 * process.polled // (plan.polls + 1), 99))
            return
        _set(record, f"{kind}_status", ended_as(plan.outcome, self._settings.generation))
        if plan.outcome is Outcome.SUCCEEDED:
            _set(record, f"{kind}_progress", 100)


def ended_as(outcome: Outcome, generation: Generation) -> str:
    """The status of what has ended so."""
    if outcome is Outcome.SUCCEEDED:
        return "finished" if generation == "0.1.1" else "executed"
    return str(outcome.value)


def _goes_on(process: Process) -> bool:
    return process.plan.outcome is Outcome.NEVER or process.polled <= process.plan.polls


def _set(record: Record, name: str, value: str | int) -> None:
    if name in record:
        record[name] = value
