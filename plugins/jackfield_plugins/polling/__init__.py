"""Polling: how jobs are asked for, as styles for `@job`."""

from ._cancel import CancelRequest
from ._fields import StateFields
from ._pace import Paced, PaceOptions
from ._polling import Polling
from ._result import Result
from ._states import States
from ._status_list import StatusList
from ._status_url import StatusUrl

__all__ = [
    "CancelRequest",
    "PaceOptions",
    "Paced",
    "Polling",
    "Result",
    "StateFields",
    "States",
    "StatusList",
    "StatusUrl",
]
