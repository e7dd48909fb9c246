"""CloudStack's asynchronous jobs: what `queryAsyncJobResult` means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jackfield import Done, JobState, Pending

from ._answer import FAILED, error_of, integer
from ._errors import CloudStackClientException, CloudStackJobCancelledError, CloudStackJobError

if TYPE_CHECKING:
    from ._service import CloudStackService

# JobInfo.Status of the server; jobprocstatus is progress and no sign of an end.
_IN_PROGRESS, _SUCCEEDED, _CANCELLED = 0, 1, 3


async def poll(service: CloudStackService, job: Pending) -> JobState[dict[str, Any]]:
    """Asks for the job once."""
    answer = await service.execute("queryAsyncJobResult", jobid=job.id)
    status, result = integer(answer.get("jobstatus")), answer.get("jobresult")
    if status == _IN_PROGRESS:
        return job
    if status == _SUCCEEDED and not integer(answer.get("jobresultcode")) and isinstance(result, dict):
        return Done(result)
    raise _failure(status, answer)


def _failure(status: int | None, answer: dict[str, Any]) -> CloudStackClientException:
    code, text = error_of(answer.get("jobresult"))  # a failed job hides its error in there
    kind = CloudStackJobCancelledError if status == _CANCELLED else CloudStackJobError
    return kind(FAILED, integer(answer.get("jobresultcode")) if code is None else code, text)
