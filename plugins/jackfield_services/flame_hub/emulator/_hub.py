"""A Hub: its state and its parts, put together; no HTTP."""

import threading

from jackfield_services._injected import Injected

from ._auth_resources import auth_resources
from ._commands import Commands
from ._core_resources import core_resources
from ._effects import Effects
from ._envelope import Envelope
from ._faults import Fault, Reply
from ._gate import Gate, Limits
from ._grants import Grants
from ._log_resources import log_resources
from ._processes import Processes
from ._records import Records
from ._request import ReceivedRequest
from ._seeds import sow
from ._settings import Settings
from ._special import Special
from ._storage_resources import storage_resources
from ._store import Store
from ._tokens import Tokens


class Hub:
    """What the three services share; to be touched under its lock."""

    def __init__(self, settings: Settings, nodes: int, approved: bool) -> None:
        generation = settings.generation
        resources = [
            *auth_resources(generation),
            *core_resources(generation, approved),
            *storage_resources(),
            *([] if generation == "0.1.1" else log_resources()),
        ]
        self.lock = threading.RLock()
        self.requests: list[ReceivedRequest] = []
        self.faults = Injected[Fault | Reply, tuple[str, str]](Fault | Reply, "a Fault, a Reply")
        self.tokens = Tokens()
        self.store = Store({resource.name: resource for resource in resources}, settings.now)
        effects = Effects(self.store, generation)
        self.seeds = sow(self.store, effects, generation, nodes)
        self.processes = Processes(settings)
        self.gate = Gate(settings, self.tokens)
        self.limits = Limits(settings)
        self.envelope = Envelope(generation)
        commands = Commands(self.store, self.processes, generation)
        self.records = Records(self.store, effects, commands, self.envelope, generation)
        grants = Grants(self.store, settings, self.tokens)
        self.special = Special(self.store, settings, self.records, commands, self.envelope, grants)
