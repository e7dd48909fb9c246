"""The errors of what was waited for, and ended otherwise."""

from __future__ import annotations

from typing import Any

from jackfield import JobCancelledError, JobFailedError

from ._errors import HubAPIError
from ._model import Record


class HubJobError(HubAPIError, JobFailedError):
    """It has failed, or somebody has rejected it. `code` is the Hub's word for that.

    Attributes:
        record: what the Hub told of it: the analysis, or the part of the node that has rejected it.
    """

    def __init__(self, message: str, code: str, record: Record) -> None:
        super().__init__(message)
        self.code = code
        self.record: Any = record


class HubJobCancelledError(HubJobError, JobCancelledError):
    """Somebody has stopped it."""
