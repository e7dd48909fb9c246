"""Apache CloudStack: `CloudStack` and `AsyncCloudStack`. For tests there is an emulator in `.emulator`."""

from ._errors import (
    CloudStackClientException,
    CloudStackDecodeError,
    CloudStackJobCancelledError,
    CloudStackJobError,
)
from ._service import AsyncCloudStack, CloudStack, CloudStackService

__all__ = [
    "AsyncCloudStack",
    "CloudStack",
    "CloudStackClientException",
    "CloudStackDecodeError",
    "CloudStackJobCancelledError",
    "CloudStackJobError",
    "CloudStackService",
]
