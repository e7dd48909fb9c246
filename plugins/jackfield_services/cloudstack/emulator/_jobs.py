"""Asynchronous jobs: their plans, and what queryAsyncJobResult says of them; time passes by polls alone."""

import enum
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from jackfield_services._given import expect

from ._refusal import Refusal
from ._users import made_id
from ._wire import ApiError, Json, JsonObject


class JobOutcome(enum.Enum):
    """How a job ends."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEVER = "never"
    PURGED = "purged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a job goes: that many answers say pending, then the outcome."""

    polls: int | None = None
    outcome: JobOutcome = JobOutcome.SUCCEEDED
    error: Refusal | None = None
    error_in_result: bool = True
    result: bool | str = True

    def __post_init__(self) -> None:
        expect(self.polls, int | None, "polls is a whole number")
        if self.polls is not None and self.polls < 0:
            raise ValueError(f"polls is a count, 0 or more, not {self.polls}")
        expect(self.outcome, JobOutcome, "outcome is a JobOutcome, as in JobOutcome.FAILED")
        expect(self.error, Refusal | None, "error is a Refusal, as in Refusal(533)")
        expect(self.error_in_result, bool, "error_in_result is True or False")
        expect(self.result, bool | str, "result is True, False or a text")


@dataclass(slots=True, kw_only=True)
class Job:
    """One job. `effect` is what success does to the cloud: it gives the jobresult, or raises an ApiError."""

    command: str
    instance_id: str
    kind: str
    owner: JsonObject
    created: float
    effect: Callable[[], JsonObject]
    id: str | int = ""
    plan: Plan = Plan()
    polls_left: int = 0
    ending: JsonObject = field(default_factory=dict[str, "Json"])

    def poll(self, now: float) -> None:
        """One question of the client: one step of the job."""
        if self.polls_left:
            self.polls_left -= 1
        elif not self.ending and self.plan.outcome is not JobOutcome.NEVER:
            self.ending = {**self._end(), "completed": timestamp(now)}

    def report(self) -> JsonObject:
        """The fields of a queryAsyncJobResult; jobprocstatus says nothing, as in practice."""
        pending: JsonObject = {"jobstatus": 0, "jobprocstatus": 0, "jobresultcode": 0}
        about: JsonObject = {"cmd": self.command, "created": timestamp(self.created), "jobinstancetype": self.kind}
        return {
            **self.owner,
            **about,
            "jobinstanceid": self.instance_id,
            "jobid": self.id,
            **(self.ending or pending),
        }

    def _end(self) -> JsonObject:
        if self.plan.outcome is JobOutcome.CANCELLED:
            return self._failure(3, 0, ApiError(530, "The job was cancelled"))
        if self.plan.outcome is JobOutcome.FAILED:
            asked = self.plan.error or Refusal(530, f"{self.command} failed, as the emulator was told")
            return self._failure(2, asked.status, asked.error())
        try:
            result = self.effect()
        except ApiError as error:
            return self._failure(2, error.status, error)
        ended: JsonObject = {"jobstatus": 1, "jobprocstatus": 0, "jobresultcode": 0}
        if isinstance(self.plan.result, str):
            return {**ended, "jobresulttype": "text", "jobresult": self.plan.result}
        return {**ended, "jobresulttype": "object", "jobresult": result} if self.plan.result else ended

    def _failure(self, status: int, code: int, error: ApiError) -> JsonObject:
        if not self.plan.error_in_result:
            return {"jobstatus": status, "jobprocstatus": 0}
        payload = error.payload()
        names = ("uuidList", "errorcode", "errortext") if error.uuids else ("errorcode", "errortext")
        ended: JsonObject = {"jobstatus": status, "jobprocstatus": 0, "jobresultcode": code}
        return {**ended, "jobresulttype": "object", "jobresult": {name: payload[name] for name in names}}


class Jobs:
    """All jobs by id, in the order they started, and the plans of those to come."""

    def __init__(self) -> None:
        self.plans: deque[Plan] = deque()
        self.all: dict[str, Job] = {}
        self._started = 0
        self._running: dict[str, Job] = {}

    def start(self, job: Job, wanted: str, polls: int, *, numbered: bool) -> None:
        """Start a job by the next plan, or by `polls`; `wanted` is the id the client chose, or empty."""
        job.id = self._id(wanted, numbered)
        job.plan = self.plans.popleft() if self.plans else job.plan
        job.polls_left = polls if job.plan.polls is None else job.plan.polls
        self.all[str(job.id)] = self._running[job.instance_id] = job

    def polled(self, job_id: str, now: float) -> Job | None:
        """The job after one step more; None where nobody knows it, or knows it any longer."""
        job = self.all.get(job_id)
        if job is not None and job.plan.outcome is JobOutcome.PURGED and not job.polls_left:
            del self.all[job_id]
            self._rest(job)
            return None
        if job is not None:
            job.poll(now)
            if job.ending:
                self._rest(job)
        return job

    def latest(self, instance_id: str) -> str:
        """The id of the last job on that; empty where there was none."""
        return next((str(job.id) for job in reversed(self.all.values()) if job.instance_id == instance_id), "")

    def running(self, instance_id: Json) -> Job | None:
        """The job that is running on that."""
        return self._running.get(str(instance_id))

    def purge(self) -> None:
        """No job is known from here on."""
        self.all.clear()
        self._running.clear()

    def _rest(self, job: Job) -> None:
        if self._running.get(job.instance_id) is job:
            del self._running[job.instance_id]

    def _id(self, wanted: str, numbered: bool) -> str | int:
        self._started += 1
        if not wanted:
            return self._started if numbered else made_id(f"job {self._started}")
        try:
            chosen = str(uuid.UUID(wanted))
        except ValueError:
            raise ApiError(431, f"Given UUID {wanted} is invalid") from None
        if chosen != wanted or chosen in self.all:
            raise ApiError(431, f"Given UUID {wanted} is in use or not canonical")
        return chosen


def timestamp(now: float) -> str:
    """As the API writes dates: 2026-04-14T09:25:51+0000."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(now))
