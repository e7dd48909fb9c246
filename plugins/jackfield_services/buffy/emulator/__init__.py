"""An emulator of a Buffy server, to test a client against: see `BuffyEmulator`.

It is real HTTP on loopback, made of the standard library alone and of no client's code.
"""

from ._emulator import BuffyEmulator
from ._faults import Fault, Reply
from ._origins import Fetch
from ._quirks import Quirk
from ._request import ReceivedRequest

__all__ = [
    "BuffyEmulator",
    "Fault",
    "Fetch",
    "Quirk",
    "ReceivedRequest",
    "Reply",
]
