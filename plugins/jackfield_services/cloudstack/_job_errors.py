"""The errors of jobs that failed, by meaning: each is the job's and the meaning's error at once."""

from __future__ import annotations

from jackfield import JobCancelledError, JobFailedError

from ._errors import (
    CloudStackAllocationError,
    CloudStackCapacityError,
    CloudStackClientException,
    CloudStackConflictError,
    CloudStackInUseError,
    CloudStackLimitError,
    CloudStackParameterError,
    CloudStackPermissionError,
    CloudStackUnavailableError,
)


class CloudStackJobError(CloudStackClientException, JobFailedError):
    """The job failed."""


class CloudStackJobCancelledError(CloudStackJobError, JobCancelledError):
    """The job was cancelled."""


class CloudStackJobParameterError(CloudStackJobError, CloudStackParameterError):
    """The job failed for a parameter."""


class CloudStackJobPermissionError(CloudStackJobError, CloudStackPermissionError):
    """The job failed for what the account may not do."""


class CloudStackJobLimitError(CloudStackJobError, CloudStackLimitError):
    """The job failed for the account's limit."""


class CloudStackJobAllocationError(CloudStackJobError, CloudStackAllocationError):
    """The job failed for what cannot be allocated."""


class CloudStackJobCapacityError(CloudStackJobError, CloudStackCapacityError):
    """The job failed as the cloud has no room."""


class CloudStackJobUnavailableError(CloudStackJobError, CloudStackUnavailableError):
    """The job failed for what is not available."""


class CloudStackJobInUseError(CloudStackJobError, CloudStackInUseError):
    """The job failed for what is in use."""


class CloudStackJobConflictError(CloudStackJobError, CloudStackConflictError):
    """The job failed for a contradiction to what is there."""


_OF_MEANING: tuple[tuple[type[CloudStackClientException], type[CloudStackJobError]], ...] = (
    (CloudStackParameterError, CloudStackJobParameterError),
    (CloudStackPermissionError, CloudStackJobPermissionError),
    (CloudStackLimitError, CloudStackJobLimitError),
    (CloudStackAllocationError, CloudStackJobAllocationError),
    (CloudStackCapacityError, CloudStackJobCapacityError),
    (CloudStackUnavailableError, CloudStackJobUnavailableError),
    (CloudStackInUseError, CloudStackJobInUseError),
    (CloudStackConflictError, CloudStackJobConflictError),
)


def job_error(meaning: type[CloudStackClientException]) -> type[CloudStackJobError]:
    """The error of a job that failed with this meaning."""
    return next((kind for base, kind in _OF_MEANING if issubclass(meaning, base)), CloudStackJobError)
