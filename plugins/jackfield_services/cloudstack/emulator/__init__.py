"""An emulator of the Apache CloudStack API server, to test a client against: see `CloudStackEmulator`.

It is a real HTTP server on loopback, made of the standard library alone and of no client code: it checks
signatures as the server's source does, so a client that signs wrongly gets here the 401 it would get there.
"""

from ._emulator import CloudStackEmulator
from ._faults import Fault
from ._jobs import JobOutcome
from ._service import ReceivedRequest

__all__ = ["CloudStackEmulator", "Fault", "JobOutcome", "ReceivedRequest"]
