"""The server of `jackfield.testing` that does what a script says, and how a test starts one."""

from __future__ import annotations

from ssl import SSLContext
from typing import Protocol

from jackfield.testing._peer import GUARD, Gone, Peer, ReceivedRequest, Script
from jackfield.testing._scripted import ScriptedServer

__all__ = ["GUARD", "Gone", "Peer", "ReceivedRequest", "Script", "ScriptedServer", "Serve"]


class Serve(Protocol):
    """Starts a server that the test's end stops."""

    def __call__(self, *scripts: Script, host: str = "127.0.0.1", tls: SSLContext | None = None) -> ScriptedServer: ...
