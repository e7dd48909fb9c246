"""DZDBuffy on loopback, with a redis of its own: the server itself, as its authors gave it out."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import urllib3

from .guarded import Guarded, free_port, until
from .installed import python
from .redis import Redis

# The program `buffy-server` asks for its version before all else, and does not find it.
START = "import buffy; buffy.__version__ = '0.7.3'; from buffy.buffyserver.main import start_buffy_server as go; go()"
SETTINGS = {
    "LOG_LEVEL": "DEBUG",
    "STORAGE_CLEAN_EVERY_N_SEC": "5",
    "DOWNLOAD_SERVICE_MAX_DOWNLOADS_PER_DOMAIN": "4",
}


class Buffy(Protocol):
    """What tests may do with a Buffy, be it the server itself or an emulator of it."""

    @property
    def url(self) -> str: ...
    @property
    def fastapi(self) -> str: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def flush(self) -> None: ...
    def lose_files(self) -> object: ...


class BuffyServer:
    """`with BuffyServer("0.99.1", folder) as buffy:` runs until it is stopped, killed, or the block ends.

    Attributes:
        fastapi: the version it runs on.
        url: where it is, however often it is started.
    """

    def __init__(self, fastapi: str, folder: Path) -> None:
        self.fastapi = fastapi
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._log = folder / "buffy.log"
        self._process: Guarded | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs. What kills it has done so within two seconds."""
        return self._process is not None and self._process.alive

    def start(self) -> None:
        """Starts it once more, with all that redis and its folder hold.

        Raises:
            AssertionError: it does not answer. The message has its log's end.
        """
        self.kill()  # whatever is left of it
        command: list[str | Path] = [python(self.fastapi), "-c", START]
        self._process = Guarded(command, self._folder, self._env(), self._log)
        try:
            until(self._answers)
        except TimeoutError as error:
            self.kill()
            raise AssertionError(f"Buffy does not start:\n{self.log()}") from error

    def stop(self) -> None:
        """Asks it to leave, and waits until it has."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """`kill -9`, to all of it."""
        if self._process:
            self._process.kill()

    def flush(self) -> None:
        """Every request is forgotten. Not while something is downloaded: that kills it."""
        assert self._redis.ask("FLUSHDB") == "+OK"

    def lose_files(self) -> None:
        """The content of every version is deleted behind its back."""
        for path in (self._folder / "cache").rglob("*"):
            if path.is_file():
                path.unlink()

    def log(self, at_most: int = 6000) -> str:
        """The end of what it said: so many characters."""
        return self._log.read_text(errors="replace")[-at_most:]

    def __enter__(self) -> Self:
        self._redis = Redis(self._folder)
        try:
            self.start()
        except BaseException:
            self._redis.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._redis.kill()

    def _env(self) -> dict[str, str]:
        own = {
            "UVICORN_PARAMS": json.dumps({"host": "127.0.0.1", "port": self.port}),
            "STORAGE_BACKEND_CONFIG": json.dumps({"host": "127.0.0.1", "port": self._redis.port, "db": 0}),
            "STORAGE_BACKEND_FILE_DIR": str(self._folder / "cache"),
        }
        outside = {"PATH": os.environ["PATH"], "TZ": "UTC"}  # versions are local times
        return outside | {f"CONFIGS_{name}": value for name, value in (SETTINGS | own).items()}

    def _answers(self) -> bool | None:
        assert self.alive, f"Buffy ended at its start:\n{self.log()}"
        with suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"{self.url}/openapi.json", retries=False, timeout=5).status == 200 or None
        return None


def past(version: str) -> None:
    """Waits until the second has passed that a version is of: one more copy in it takes the other's place, and name."""
    until(lambda: datetime.now(UTC).strftime("%Y%m%d%H%M%S") > version or None)
