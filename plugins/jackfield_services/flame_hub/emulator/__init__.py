"""An emulator of the three services of a FLAME Hub, to test a client against: see `FlameHubEmulator`.

It is real HTTP on loopback, made of the standard library alone and of no client's code.
"""

from ._emulator import FlameHubEmulator
from ._faults import Fault, Reply
from ._names import Generation
from ._processes import Outcome
from ._request import ReceivedRequest

__all__ = [
    "Fault",
    "FlameHubEmulator",
    "Generation",
    "Outcome",
    "ReceivedRequest",
    "Reply",
]
