"""S38: a forked child has connections, nonces and keys of its own, and no client is copied with its credentials."""

from __future__ import annotations

import copy
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.clients import AnythingClient, AsyncAnythingClient
from tests.servers import Peer

from jackfield_plugins.auth import Bearer

if TYPE_CHECKING:
    from tests.servers import Serve

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

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


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), str(root / "sdk"), str(root / "plugins"), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


@FORKS
@pytest.mark.subjects(ours="ours", inheriting="broken")
def test_s38_a_child_has_connections_of_its_own(serve: Serve, subject: str) -> None:
    server = serve(numbering)

    told = run(SCRIPT, server.url, subject)

    assert told.stderr == ""
    assert told.stdout.split("\n") == ["2 2", "1", ""]
    assert [(request.target, request.connection) for request in server.requests] == [
        ("/before", 1),
        ("/child", 2),
        ("/child", 2),
        ("/parent", 1),
    ]


COUNTING = """
import os, sys
from random import Random
from jackfield import Request, SyncRuntime, Url
from jackfield_plugins.auth import Digest
from jackfield_plugins.retry import IdempotencyKey
from tests.clients import AnythingClient

class Inheriting(SyncRuntime):  # broken on purpose: in a child chance goes on as in its parent
    chance = Random(1)
    def token_bytes(self, size):
        return self.chance.randbytes(size)

url, broken = sys.argv[1], sys.argv[2] == "broken"
runtime = SyncRuntime()
if broken:
    os.getpid = lambda: 1
    runtime = Inheriting()
client = AnythingClient(url, runtime=runtime, plugins=[Digest("user", "password"), IdempotencyKey()], timeout=5)

def ask(who):
    client.ask(Request("POST", Url.parse(url).at(who)))

ask("before")
child = os.fork()
for n in range(3):
    ask("parent" if child else "child")
if not child:
    os._exit(0)
os.waitpid(child, 0)
client.close()
"""


@FORKS
@pytest.mark.subjects(ours="ours", inheriting="broken")
@pytest.mark.parametrize("what", ["nonce-counts", "idempotency-keys"])
def test_s38_a_child_goes_on_with_neither_nonces_nor_keys(serve: Serve, subject: str, what: str) -> None:
    nonces = count()

    def challenging(peer: Peer) -> None:
        for request in peer.requests():
            if request.get_all("authorization"):
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            else:
                offer = f'Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n{next(nonces)}"'
                head = f"HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: {offer}\r\n\r\n"
                peer.send(head.encode())

    server = serve(challenging)

    run(COUNTING, server.url, subject)

    answered = [request for request in server.requests if request.get_all("authorization")]
    assert sorted(request.target for request in answered) == ["/before", *["/child"] * 3, *["/parent"] * 3]
    if what == "nonce-counts":
        found = [re.findall(r'(?:nonce|nc)="?(\w+)', request.get_all("authorization")[0]) for request in answered]
    else:
        found = [request.get_all("idempotency-key") for request in answered]
    assert all(found)
    assert len({tuple(one) for one in found}) == 7


class Copied:
    """Broken on purpose: holds what it has where everybody may copy it."""

    def __init__(self, token: str) -> None:
        self.token = token


def ours(token: str) -> object:
    return AnythingClient("http://service.test", plugins=[Bearer(token)])


def ours_async(token: str) -> object:
    return AsyncAnythingClient("http://service.test", plugins=[Bearer(token)])


@pytest.mark.subjects(ours=(ours, ours_async), copied=(Copied,))
@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_s38_a_client_is_not_copied_with_its_credentials(
    subject: tuple[Callable[[str], object], ...], copying: Callable[[object], object]
) -> None:
    for make in subject:
        with pytest.raises(TypeError, match="credentials"):
            copying(make("hunter2-canary"))
