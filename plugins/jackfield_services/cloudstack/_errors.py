"""CloudStack's errors: our tree's meanings, with the attributes and the text that users of CloudStackAIO know."""

from __future__ import annotations

from jackfield import CallSummary, DecodeError, JobCancelledError, JobFailedError, Response, ServiceError


class CloudStackClientException(ServiceError):
    """CloudStack did not do what it was asked.

    Its text has the form users of CloudStackAIO match on; `call` (and a traceback) says in which call it happened.

    Args:
        message: what happened.
        error_code: CloudStack's `errorcode`, else the HTTP status.
        error_text: CloudStack's `errortext`.
        response: the whole answer, as a value.
    """

    def __init__(
        self,
        message: str,
        error_code: int | None = None,
        error_text: str | None = None,
        response: Response | None = None,
    ) -> None:
        status = response.status if response else None
        ServiceError.__init__(self, message, status=status, code=error_code, text=error_text, response=response)
        self.error_code = error_code
        self.error_text = error_text

    def attach(self, call: CallSummary) -> None:
        """Says once in which call this happened."""
        if self.call is None:
            super().attach(call)
            self.add_note(str(call))

    def __str__(self) -> str:
        return f"(message={self.message}, errorcode={self.error_code}, errortext={self.error_text})"

    __repr__ = __str__


class CloudStackDecodeError(CloudStackClientException, DecodeError):
    """The answer is not CloudStack's: a proxy's page, say, or an end point that is something else."""


class CloudStackJobError(CloudStackClientException, JobFailedError):
    """The job failed."""


class CloudStackJobCancelledError(CloudStackJobError, JobCancelledError):
    """The job was cancelled."""
