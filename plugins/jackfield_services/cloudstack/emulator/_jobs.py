"""Asynchronous jobs: their plans, and what queryAsyncJobResult says of them; time passes by polls alone."""

import enum
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ._wire import ApiError, Json, JsonObject

NAMESPACE = uuid.UUID("6f8a2d1e-3c47-5b90-a1d2-7e9f04c6b835")
ACCOUNT: JsonObject = {
    "accountid": str(uuid.uuid5(NAMESPACE, "account admin")),
    "account": "admin",
    "domainid": str(uuid.uuid5(NAMESPACE, "domain ROOT")),
    "userid": str(uuid.uuid5(NAMESPACE, "user admin")),
}


class JobOutcome(enum.Enum):
    """How a job ends."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a job goes: that many answers say pending, then the outcome."""

    polls: int | None = None
    outcome: JobOutcome = JobOutcome.SUCCEEDED
    error_in_result: bool = True


@dataclass(slots=True, kw_only=True)
class Job:
    """One job. `effect` is what success does to the cloud: it gives the jobresult, or raises an ApiError."""

    id: str
    command: str
    instance_id: str
    created: str
    plan: Plan
    polls_left: int
    effect: Callable[[], JsonObject]
    ending: JsonObject = field(default_factory=dict[str, "Json"])

    def poll(self, now: float) -> None:
        """One question of the client: one step of the job."""
        if self.ending or self.plan.outcome is JobOutcome.NEVER:
            return
        if self.polls_left:
            self.polls_left -= 1
        else:
            self.ending = {**self._end(), "completed": timestamp(now)}

    def report(self) -> JsonObject:
        """The fields of a queryAsyncJobResult; jobprocstatus says nothing, as in practice."""
        pending: JsonObject = {"jobstatus": 0, "jobprocstatus": 0, "jobresultcode": 0}
        about: JsonObject = {
            "cmd": self.command,
            "created": self.created,
            "jobinstancetype": "VirtualMachine",
        }
        return {
            **ACCOUNT,
            **about,
            "jobinstanceid": self.instance_id,
            "jobid": self.id,
            **(self.ending or pending),
        }

    def _end(self) -> JsonObject:
        if self.plan.outcome is JobOutcome.CANCELLED:
            return self._failure(3, 0, ApiError(530, "The job was cancelled"))
        if self.plan.outcome is JobOutcome.FAILED:
            return self._failure(2, 530, ApiError(530, f"{self.command} failed, as the emulator was told"))
        try:
            result = self.effect()
        except ApiError as error:
            return self._failure(2, error.status, error)
        return {
            "jobstatus": 1,
            "jobprocstatus": 0,
            "jobresultcode": 0,
            "jobresulttype": "object",
            "jobresult": result,
        }

    def _failure(self, status: int, code: int, error: ApiError) -> JsonObject:
        if not self.plan.error_in_result:
            return {"jobstatus": status, "jobprocstatus": 0}
        result: JsonObject = {"errorcode": error.status, "errortext": error.text}
        ended: JsonObject = {"jobstatus": status, "jobprocstatus": 0, "jobresultcode": code}
        return {**ended, "jobresulttype": "object", "jobresult": result}


class Jobs:
    """All jobs by id, in the order they started, and the plans of those to come."""

    def __init__(self) -> None:
        self.plans: deque[Plan] = deque()
        self.all: dict[str, Job] = {}

    def start(
        self,
        command: str,
        instance_id: str,
        effect: Callable[[], JsonObject],
        *,
        wanted: str,
        polls: int,
        now: float,
    ) -> Job:
        """Start a job by the next plan, or by `polls`; `wanted` is the id the client chose, or empty."""
        job_id = self._id(wanted)
        plan = self.plans.popleft() if self.plans else Plan()
        left = polls if plan.polls is None else plan.polls
        created = timestamp(now)
        job = Job(
            id=job_id,
            command=command,
            instance_id=instance_id,
            created=created,
            plan=plan,
            polls_left=left,
            effect=effect,
        )
        self.all[job_id] = job
        return job

    def pending(self) -> dict[Json, str]:
        """The id of the job that is running, by the id of what it runs on."""
        return {job.instance_id: job.id for job in self.all.values() if not job.ending}

    def _id(self, wanted: str) -> str:
        if not wanted:
            return str(uuid.uuid5(NAMESPACE, f"job {len(self.all) + 1}"))
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
