"""Brings the real Buffy, on both versions of FastAPI, and its redis, where they are missing: a program for tox.

Both go into the virtual environment that runs the tests, and go with it: nothing is installed into the system, and no
right of an administrator is asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from .installed import DEBIAN, FASTAPI, HELP, HOME, PINS, is_whole, mark, missing, pins, python, redis_server

_AT_MOST = 300.0  # seconds for one command


def install() -> None:
    """Brings what is missing.

    Raises:
        OSError, subprocess.SubprocessError: what is needed for it is not there, or fails.
    """
    HOME.mkdir(exist_ok=True)
    with ThreadPoolExecutor() as together:
        for done in [together.submit(_redis), *(together.submit(_buffy, fastapi) for fastapi in FASTAPI)]:
            done.result()


def _buffy(fastapi: str) -> None:
    if is_whole(fastapi):
        return
    home = str(python(fastapi).parents[1])
    _run([sys.executable, "-m", "venv", "--clear", "--without-pip", home])
    wanted = str(PINS / f"fastapi-{fastapi}.txt")
    _run([sys.executable, "-m", "pip", "--python", home, "install", "--quiet", "--no-deps", "-r", wanted])
    mark(fastapi).write_text(pins(fastapi))


def _redis() -> None:
    """Fetches Debian's packages and unpacks them, as apt-get does for everybody who names folders of his own."""
    if Path(redis_server()).exists():
        return
    with TemporaryDirectory(dir=HOME) as folder:
        lists, cache, unpacked = Path(folder, "lists"), Path(folder, "cache"), Path(folder, "unpacked")
        for needed in (lists / "partial", cache / "archives" / "partial", unpacked):
            needed.mkdir(parents=True)
        own = {"Dir::State::Lists": lists, "Dir::Cache": cache, "Debug::NoLocking": 1, "APT::Sandbox::User": "root"}
        own |= {"Acquire::Retries": 3}
        apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in own.items())]
        _run([*apt, "update"])
        _run([*apt, "install", "--yes", "--download-only", "--no-install-recommends", "redis-server"])
        for package in (cache / "archives").glob("*.deb"):
            _run(["dpkg-deb", "--extract", str(package), str(unpacked)])
        unpacked.rename(DEBIAN)


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True, timeout=_AT_MOST)


def main() -> int:
    """Installs, and says what is missing after that; where CI is set, this is a failure."""
    try:
        if sys.prefix == sys.base_prefix:
            raise FileNotFoundError("this Python is no virtual environment")
        install()
    except (OSError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)
    if lacking := missing():
        print(f"The tests with the real Buffy cannot run, for want of {', '.join(lacking)}.", file=sys.stderr)
        print(f"`tox -e servers` installs it; for that it needs {HELP}.", file=sys.stderr)
    return 1 if lacking and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
