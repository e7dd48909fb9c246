"""CloudStack's asynchronous jobs: what `queryAsyncJobResult` means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jackfield import Done, JobState, Pending
from jackfield_plugins.polling import Polling

from ._answer import FAILED, error_of
from ._errors import CloudStackClientException
from ._job_errors import CloudStackJobCancelledError, job_error
from ._json import whole
from ._meaning import POLL, meaning_of
from ._reply import Reply

if TYPE_CHECKING:
    from ._base import CloudStackBase

# JobInfo.Status of the server; jobprocstatus is progress and no sign of an end.
_IN_PROGRESS, _SUCCEEDED, _CANCELLED = 0, 1, 3
_NO_RESULT = "the job has succeeded, but its result is missing: look up what came of it"


def started(answer: dict[str, Any], command: str) -> JobState[dict[str, Any]]:
    """The job that the answer of this command tells of, or else the answer."""
    if answer.get("jobid") in (None, "") or command.lower() == POLL:
        return Done(answer)
    # Creates answer with the new resource's id, too: it is known before the job ends.
    return Pending(str(answer["jobid"]), command, str(answer.get("id") or ""))


async def poll(service: CloudStackBase, job: Pending) -> JobState[dict[str, Any]]:
    """Asks for the job once."""
    try:
        answer = await service.execute("queryAsyncJobResult", jobid=job.id)
    except CloudStackClientException as error:
        error.command = job.label or error.command
        raise
    status, result = whole(answer.get("jobstatus")), answer.get("jobresult")
    if status == _IN_PROGRESS:
        return job
    if status == _SUCCEEDED and not whole(answer.get("jobresultcode")) and result is not None:
        return Done(result if isinstance(result, dict) else {"jobresult": result})  # jobresulttype may be text
    raise _failure(status, answer, job)


def _failure(status: int | None, answer: dict[str, Any], job: Pending) -> CloudStackClientException:
    said = error_of(answer.get("jobresult"))  # a failed job hides its error in there
    result_code = whole(answer.get("jobresultcode")) or None
    code = result_code if said.code is None else said.code
    text = _NO_RESULT if status == _SUCCEEDED and code is None else said.text
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
