"""What jackfield is tested with, for your tests too: scripted answers, and runtimes whose time is virtual."""

from ._time import VirtualAsyncioRuntime, VirtualSyncRuntime
from ._transport import Answer, FakeTransport, json_response

__all__ = [
    "Answer",
    "FakeTransport",
    "VirtualAsyncioRuntime",
    "VirtualSyncRuntime",
    "json_response",
]
