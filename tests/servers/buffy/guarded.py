"""Commands that end with whoever started them; and the ports they listen on."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from . import guard

T = TypeVar("T")
PATIENCE = 30.0  # seconds for any one thing; then it is an error


class Guarded:
    """Runs a command; nothing of it outlives this object's process.

    Args:
        log: where all that it says is written to.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path, env: dict[str, str], log: Path) -> None:
        with log.open("ab") as file:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", guard.__file__, *command],
                cwd=folder,
                env=env,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for the tests, which then see to this
            )

    @property
    def alive(self) -> bool:
        return self._guard.poll() is None

    def stop(self) -> None:
        """Asks every process of it to leave; returns when none is left."""
        self._end(b"leave")

    def kill(self) -> None:
        """`kill -9` for every process of it; returns when none is left."""
        self._end(b"")

    def _end(self, word: bytes) -> None:
        pipe = self._guard.stdin
        assert pipe
        if not pipe.closed:
            with suppress(BrokenPipeError), pipe:  # it had ended by itself
                pipe.write(word)
        self._guard.wait(PATIENCE)


def until(found: Callable[[], T | None], within: float = PATIENCE, every: float = 0.05) -> T:
    """Asks again and again, until there is something: that. An OSError is nothing yet.

    Raises:
        TimeoutError: there was nothing within so many seconds.
    """
    end = time.monotonic() + within
    while time.monotonic() < end:
        with suppress(OSError):
            if (something := found()) is not None:
                return something
        time.sleep(every)
    raise TimeoutError(f"nothing within {within} s")


def free_port() -> int:
    """A port of the loopback that nobody listens on, and that the system gives to nobody who does not ask for it.

    Ports of the system's own choice, from 32768 on, may be a client's while a server that will come back is down.
    """
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", port := random.randrange(20000, 30000))):
            return port
