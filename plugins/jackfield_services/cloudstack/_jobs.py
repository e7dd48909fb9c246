"""CloudStack's asynchronous jobs: what `queryAsyncJobResult` means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jackfield import Done, JobState, Pending
from jackfield_plugins.polling import Polling

from ._answer import FAILED, error_of
from ._errors import CloudStackClientException
from ._job_errors import CloudStackJobCancelledError, job_error
from ._json import inside, whole
from ._json import text as text_of
from ._meaning import POLL, meaning_of
from ._reply import Reply
from ._secrecy import masked

if TYPE_CHECKING:
    from ._base import CloudStackBase

# JobInfo.Status of the server; jobprocstatus is progress and no sign of an end.
_IN_PROGRESS, _SUCCEEDED, _CANCELLED = 0, 1, 3
_NO_RESULT = "the job has succeeded, but its result is missing: look up what came of it"


def started(answer: dict[str, Any], command: str, secrets: Iterable[str] = ()) -> JobState[dict[str, Any]]:
    """The job that the answer of this command tells of, or else the answer."""
    if answer.get("jobid") in (None, "") or command.lower() == POLL:
        return Done(answer)
    # Creates answer with the new resource's id, too: it is known before the job ends.
    job = Started(str(answer["jobid"]), command, str(answer.get("id") or ""))
    job.secrets = tuple(secrets)
    return job


def job_of_no_list(answer: dict[str, Any], command: str) -> CloudStackClientException:
    """The error of a command that was taken for a list, and has started a job."""
    from msgspec.json import encode  # here, so that importing this stays cheap

    id = str(answer["jobid"])
    token = encode(["job", id, command]).decode()
    return CloudStackClientException(
        f"{command} is no list, and has started the job {id}, which goes on",
        response=Reply.of(answer),
        command=command,
        job_id=id,
        hint=f"wait for it with job.resume({token!r}).result(); call {command} without fetch_list",
    )


class Started(Pending):
    """A job that was started here: it knows the secrets that it was given."""

    secrets: tuple[str, ...] = ()

    def _replace(self, **changes: Any) -> Started:  # pyright: ignore[reportIncompatibleMethodOverride]  # keeps them
        other = super()._replace(**changes)
        other.secrets = self.secrets
        return other


async def poll(service: CloudStackBase, job: Pending) -> JobState[dict[str, Any]]:
    """Asks for the job once."""
    try:
        answer = await service.execute("queryAsyncJobResult", jobid=job.id)
    except CloudStackClientException as error:
        error.command = job.label or error.command
        error.add_note(f"this was a poll of the job {job.id} of {job.label or 'an unknown command'}")
        raise
    status, result = whole(answer.get("jobstatus")), answer.get("jobresult")
    if status == _IN_PROGRESS:
        return job
    if status == _SUCCEEDED and not whole(answer.get("jobresultcode")) and result is not None:
        return Done(result if isinstance(result, dict) else {"jobresult": result})  # jobresulttype may be text
    raise _failure(status, answer, job)


def _failure(status: int | None, answer: dict[str, Any], job: Pending) -> CloudStackClientException:
    if isinstance(job, Started) and job.secrets:
        answer = inside(masked(Reply.of(answer), job.secrets).decode(Any))
    said = error_of(answer.get("jobresult"))  # a failed job hides its error in there
    result_code = whole(answer.get("jobresultcode")) or None
    code = result_code if said.code is None else said.code
    text = _NO_RESULT if status == _SUCCEEDED and code is None else said.text or text_of(answer.get("jobresult"))
    kind = CloudStackJobCancelledError if status == _CANCELLED else job_error(meaning_of(code, said.cs_code))
    return kind(
        FAILED,
        code,
        text,
        Reply.of(answer),
        cs_error_code=said.cs_code,
        uuid_list=said.uuid_list,
        command=job.label or None,
        job_id=job.id,
    )


JOBS = Polling(
    poll,
    interval=lambda service: service.async_poll_latency,
    timeout=lambda service: service.job_timeout,
    jitter=0,  # the interval is the caller's own word
)
