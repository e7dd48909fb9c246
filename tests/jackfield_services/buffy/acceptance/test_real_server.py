"""The real server as the other tests need it: killed by a request, it comes back; and nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3
from tests.servers.buffy import FASTAPI, BuffyServer, until

HOLDS = """
import sys
from pathlib import Path
from tests.servers.buffy import BuffyServer
with BuffyServer(sys.argv[1], Path(sys.argv[2])) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("fastapi", FASTAPI)
def test_what_kills_the_server_is_forgotten_when_it_is_asked_for_again(
    real: Callable[[str], BuffyServer], fastapi: str
) -> None:
    server = real(fastapi)
    urllib3.request("PUT", f"{server.url}/v1/request/", json={"url": "x"}, retries=False, timeout=10)
    until(lambda: None if server.alive else "dead")

    again = real(fastapi)

    assert again is server
    assert again.alive
    assert urllib3.request("GET", f"{again.url}/v1/request/", retries=False, timeout=10).json() == []


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_it_however_its_tests_end(tmp_path: Path, by: signal.Signals) -> None:
    command = [sys.executable, "-c", HOLDS, FASTAPI[0], str(tmp_path)]
    pipe = subprocess.PIPE
    holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert holder.stdout
    port = holder.stdout.readline().strip()
    assert port, holder.communicate()[1]
    running = _those_of(tmp_path)

    holder.send_signal(by)
    holder.communicate(timeout=20)

    assert len(running) == 6  # two guards, redis, and Buffy's three
    until(lambda: None if _those_of(tmp_path) else "gone", within=10)


def _those_of(folder: Path) -> list[int]:
    """The processes that work in a folder, but for those that have ended and were not waited for."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") == str(folder) and "State:\tZ" not in (process / "status").read_text():
                found.append(int(process.name))
        except OSError:
            pass  # ended meanwhile, or another's
    return found
