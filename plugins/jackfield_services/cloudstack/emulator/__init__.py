"""An emulator of the Apache CloudStack API server, to test a client against: see `CloudStackEmulator`.

It is a real HTTP server on loopback, made of the standard library alone and of no client code: it checks
signatures as the server's source does, so a client that signs wrongly gets here the 401 it would get there.
"""

from ._emulator import CloudStackEmulator
from ._faults import Fault
from ._jobs import JobOutcome
from ._refusal import Refusal
from ._request import ReceivedRequest
from ._sessions import Session
from ._throttle import Throttle
from ._users import User

__all__ = [
    "CloudStackEmulator",
    "Fault",
    "JobOutcome",
    "ReceivedRequest",
    "Refusal",
    "Session",
    "Throttle",
    "User",
]
