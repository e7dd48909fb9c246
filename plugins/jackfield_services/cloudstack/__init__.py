"""Apache CloudStack: `CloudStack` and `AsyncCloudStack`. For tests there is an emulator in `.emulator`."""

from typing import TYPE_CHECKING, Any

from ._clients import AsyncCloudStack, CloudStack
from ._errors import CloudStackClientException
from ._service import CloudStackService

if TYPE_CHECKING:
    from ._commands import Command, CommandParameter, Commands, ResponseField
    from ._config import read_config
    from ._errors import (
        CloudStackAllocationError,
        CloudStackCapacityError,
        CloudStackConflictError,
        CloudStackDecodeError,
        CloudStackGatewayError,
        CloudStackInUseError,
        CloudStackLimitError,
        CloudStackMaintenanceError,
        CloudStackMethodError,
        CloudStackParameterError,
        CloudStackPermissionError,
        CloudStackRateLimitedError,
        CloudStackSecondFactorError,
        CloudStackTooLongError,
        CloudStackUnauthorizedError,
        CloudStackUnavailableError,
        CloudStackUnknownCommandError,
        CloudStackUnknownJobError,
    )
    from ._job_errors import (
        CloudStackJobAllocationError,
        CloudStackJobCancelledError,
        CloudStackJobCapacityError,
        CloudStackJobConflictError,
        CloudStackJobError,
        CloudStackJobInUseError,
        CloudStackJobLimitError,
        CloudStackJobParameterError,
        CloudStackJobPermissionError,
        CloudStackJobUnavailableError,
    )
    from ._login import Login

__all__ = [
    "AsyncCloudStack",
    "CloudStack",
    "CloudStackAllocationError",
    "CloudStackCapacityError",
    "CloudStackClientException",
    "CloudStackConflictError",
    "CloudStackDecodeError",
    "CloudStackGatewayError",
    "CloudStackInUseError",
    "CloudStackJobAllocationError",
    "CloudStackJobCancelledError",
    "CloudStackJobCapacityError",
    "CloudStackJobConflictError",
    "CloudStackJobError",
    "CloudStackJobInUseError",
    "CloudStackJobLimitError",
    "CloudStackJobParameterError",
    "CloudStackJobPermissionError",
    "CloudStackJobUnavailableError",
    "CloudStackLimitError",
    "CloudStackMaintenanceError",
    "CloudStackMethodError",
    "CloudStackParameterError",
    "CloudStackPermissionError",
    "CloudStackRateLimitedError",
    "CloudStackSecondFactorError",
    "CloudStackService",
    "CloudStackTooLongError",
    "CloudStackUnauthorizedError",
    "CloudStackUnavailableError",
    "CloudStackUnknownCommandError",
    "CloudStackUnknownJobError",
    "Command",
    "CommandParameter",
    "Commands",
    "Login",
    "ResponseField",
    "read_config",
]

# What only some need is imported when it is asked for.
_LATER = {
    "CloudStackAllocationError": "_errors",
    "CloudStackCapacityError": "_errors",
    "CloudStackConflictError": "_errors",
    "CloudStackDecodeError": "_errors",
    "CloudStackGatewayError": "_errors",
    "CloudStackInUseError": "_errors",
    "CloudStackJobAllocationError": "_job_errors",
    "CloudStackJobCancelledError": "_job_errors",
    "CloudStackJobCapacityError": "_job_errors",
    "CloudStackJobConflictError": "_job_errors",
    "CloudStackJobError": "_job_errors",
    "CloudStackJobInUseError": "_job_errors",
    "CloudStackJobLimitError": "_job_errors",
    "CloudStackJobParameterError": "_job_errors",
    "CloudStackJobPermissionError": "_job_errors",
    "CloudStackJobUnavailableError": "_job_errors",
    "CloudStackLimitError": "_errors",
    "CloudStackMaintenanceError": "_errors",
    "CloudStackMethodError": "_errors",
    "CloudStackParameterError": "_errors",
    "CloudStackPermissionError": "_errors",
    "CloudStackRateLimitedError": "_errors",
    "CloudStackSecondFactorError": "_errors",
    "CloudStackTooLongError": "_errors",
    "CloudStackUnauthorizedError": "_errors",
    "CloudStackUnavailableError": "_errors",
    "CloudStackUnknownCommandError": "_errors",
    "CloudStackUnknownJobError": "_errors",
    "Command": "_commands",
    "CommandParameter": "_commands",
    "Commands": "_commands",
    "Login": "_login",
    "ResponseField": "_commands",
    "read_config": "_config",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'jackfield_services.cloudstack' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
