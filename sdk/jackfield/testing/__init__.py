"""What jackfield is tested with, for your tests too: scripted answers, servers that misbehave, and virtual time."""

from ._arriving import CutBody
from ._fault_server import FaultServer
from ._faults import Behaviour, Cut, Drip, HangUp, Reply, redirect, storm
from ._network import SimulatedNetwork, Trouble
from ._peer import Peer
from ._received import ReceivedRequest
from ._relay import Relay, Tamper
from ._scheduler import DeadlockError
from ._simulation import SimulatedRuntime
from ._task import Cancelled, Task
from ._time import VirtualAsyncioRuntime, VirtualSyncRuntime
from ._transport import Answer, FakeTransport, json_response

__all__ = [
    "Answer",
    "Behaviour",
    "Cancelled",
    "Cut",
    "CutBody",
    "DeadlockError",
    "Drip",
    "FakeTransport",
    "FaultServer",
    "HangUp",
    "Peer",
    "ReceivedRequest",
    "Relay",
    "Reply",
    "SimulatedNetwork",
    "SimulatedRuntime",
    "Tamper",
    "Task",
    "Trouble",
    "VirtualAsyncioRuntime",
    "VirtualSyncRuntime",
    "json_response",
    "redirect",
    "storm",
]
