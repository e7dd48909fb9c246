"""S38: a forked child has connections of its own, and its parent goes on with those it had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.servers import Peer

if TYPE_CHECKING:
    from tests.servers import Serve

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

SCRIPT = """
import asyncio, os, sys, warnings
warnings.simplefilter("error", ResourceWarning)
from jackfield import Urllib3Transport, _urllib3
from tests.clients import AnythingClient
from jackfield import Request, Url

url, broken = sys.argv[1], sys.argv[2] == "broken"
client = AnythingClient(url, transport=Urllib3Transport(max_connections=2), timeout=5)

def ask(who):
    return client.ask(Request("GET", Url.parse(url).at(who))).content.decode()

ask("before")
if broken:
    _urllib3._transports.clear()
pool = next(iter(client._wiring.transport._pools.values()))
pool._guard.acquire()  # as if another thread held it just now
child = os.fork()
if not child:
    if broken:
        pool._guard.release()
    print(ask("child"), ask("child"), flush=True)
    os._exit(0)
pool._guard.release()
os.waitpid(child, 0)
print(ask("parent"), flush=True)
asyncio.run(client._wiring.transport.close())
"""


def numbering(peer: Peer) -> None:
    for _ in peer.requests():
        number = str(peer.number).encode()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(number), number))


@pytest.mark.subjects(ours="ours", inheriting="broken")
def test_s38_a_child_has_connections_of_its_own(serve: Serve, subject: str) -> None:
    server = serve(numbering)
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "sdk"), str(root / "plugins"), *filter(None, sys.path)])

    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, server.url, subject],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert told.stderr == ""
    assert told.stdout.split("\n") == ["2 2", "1", ""]
    assert [(request.target, request.connection) for request in server.requests] == [
        ("/before", 1),
        ("/child", 2),
        ("/child", 2),
        ("/parent", 1),
    ]
