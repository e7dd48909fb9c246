"""A redis on loopback, which keeps nothing on disk."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from .guarded import PATIENCE, Guarded, free_port, until
from .installed import libraries, redis_server


class Redis:
    """Runs from when it is made until `kill`.

    Args:
        folder: for its log.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        settings = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        env = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": libraries()}
        self._process = Guarded([redis_server(), *settings], folder, env, folder / "redis.log")
        until(lambda: self.ask("PING") == "+PONG" or None)

    def ask(self, command: str) -> str:
        """The first line of the answer to a command of one line (RESP: an inline command)."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.makefile(newline="\r\n").readline().rstrip()

    def kill(self) -> None:
        """Ends it, and forgets all."""
        self._process.kill()
