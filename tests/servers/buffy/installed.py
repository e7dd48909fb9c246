"""Where the real Buffy and its redis are: in the virtual environment that runs the tests, by `install`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

FASTAPI = ("0.99.1", "0.78.0")
HELP = "Python 3.11, a package index with DZDBuffy 0.7.3, and redis-server: on the PATH, or from Debian by apt-get"
PINS = Path(__file__).parent
HOME = Path(sys.prefix) / "servers"
DEBIAN = HOME / "debian"


def python(fastapi: str) -> Path:
    """The Python that has DZDBuffy with this FastAPI."""
    return HOME / f"fastapi-{fastapi}" / "bin" / "python"


def redis_server() -> str:
    """The system's, or the one that was unpacked here."""
    return shutil.which("redis-server") or str(DEBIAN / "usr" / "bin" / "redis-server")


def libraries() -> str:
    """Where what was unpacked here finds its libraries: a search path."""
    return ":".join(str(folder) for folder in (DEBIAN / "usr" / "lib").glob("*-linux-*"))


def missing() -> list[str]:
    """What the real server cannot be started without, and is not there."""
    redis = [] if Path(redis_server()).exists() else ["redis-server"]
    return redis + [f"DZDBuffy with FastAPI {fastapi}" for fastapi in FASTAPI if not is_whole(fastapi)]


def is_whole(fastapi: str) -> bool:
    """Whether it was installed to the end, and by the pins as they are."""
    return mark(fastapi).is_file() and mark(fastapi).read_text() == pins(fastapi)


def mark(fastapi: str) -> Path:
    return python(fastapi).parents[1] / "installed.txt"


def pins(fastapi: str) -> str:
    return "".join((PINS / name).read_text() for name in ("buffy.txt", f"fastapi-{fastapi}.txt"))
