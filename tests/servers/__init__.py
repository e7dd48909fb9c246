"""Servers that the tests talk to over real sockets."""

from .scripted import GUARD, Peer, ReceivedRequest, Script, ScriptedServer, Serve

__all__ = ["GUARD", "Peer", "ReceivedRequest", "Script", "ScriptedServer", "Serve"]
