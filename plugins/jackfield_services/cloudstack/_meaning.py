"""What an error of CloudStack means: its class by `errorcode` (ApiErrorCode), refined by `cserrorcode`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ._errors import (
    CloudStackAllocationError,
    CloudStackCapacityError,
    CloudStackClientException,
    CloudStackConflictError,
    CloudStackInUseError,
    CloudStackLimitError,
    CloudStackMaintenanceError,
    CloudStackMethodError,
    CloudStackParameterError,
    CloudStackPermissionError,
    CloudStackRateLimitedError,
    CloudStackSecondFactorError,
    CloudStackUnauthorizedError,
    CloudStackUnavailableError,
    CloudStackUnknownCommandError,
    CloudStackUnknownJobError,
)

Meaning: TypeAlias = type[CloudStackClientException]

POLL = "queryasyncjobresult"

_BY_CODE: Mapping[int | None, Meaning] = {
    401: CloudStackUnauthorizedError,
    405: CloudStackMethodError,
    411: CloudStackSecondFactorError,
    429: CloudStackRateLimitedError,
    430: CloudStackParameterError,
    431: CloudStackParameterError,
    432: CloudStackUnknownCommandError,
    503: CloudStackMaintenanceError,
    531: CloudStackPermissionError,
    532: CloudStackLimitError,
    533: CloudStackCapacityError,
    534: CloudStackUnavailableError,
    535: CloudStackAllocationError,
    536: CloudStackInUseError,
    537: CloudStackConflictError,
}
_GENERAL = frozenset({431, 530, 531})  # what the server says of exceptions of many kinds
_BY_CS_CODE: Mapping[int | None, Meaning] = {
    4280: CloudStackLimitError,  # AccountLimitException
    4285: CloudStackUnavailableError,  # AgentUnavailable
    4290: CloudStackUnauthorizedError,  # CloudAuthentication
    4295: CloudStackSecondFactorError,
    4300: CloudStackConflictError,  # ConcurrentOperation
    4305: CloudStackConflictError,  # ConflictingNetworkSettings
    **dict.fromkeys((4320, 4325, 4330, 4331, 4335, 4340), CloudStackCapacityError),  # Insufficient…
    4350: CloudStackParameterError,  # InvalidParameterValue
    4360: CloudStackConflictError,  # NetworkRuleConflict
    4365: CloudStackPermissionError,  # PermissionDenied
    4370: CloudStackAllocationError,
    4375: CloudStackInUseError,
    4380: CloudStackUnavailableError,  # ResourceUnavailable
    4385: CloudStackUnavailableError,  # StorageUnavailable
    4545: CloudStackRateLimitedError,  # RequestLimit
    4550: CloudStackConflictError,  # StorageConflict
}


def meaning_of(code: int | None, cs_code: int | None, command: str = "") -> Meaning:
    """The class of an error of this command with these codes."""
    kind, finer, name = _BY_CODE.get(code), _BY_CS_CODE.get(cs_code), command.lower()
    if code == 431 and name == POLL:
        return CloudStackUnknownJobError
    if code == 531 and name == "login":
        return CloudStackUnauthorizedError
    if finer is not None and (kind is None or code in _GENERAL):
        return finer
    return kind or CloudStackClientException
