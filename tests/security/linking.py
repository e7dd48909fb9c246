"""What the tests of links share: servers that give links, where those lead, and what must not go there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients import COLOURS

from jackfield import Urllib3Transport
from jackfield_plugins.auth import ApiKey, Basic, Bearer, Digest
from jackfield_plugins.signing import AwsCredentials, SigV4

if TYPE_CHECKING:
    import trustme
    from tests.servers import ReceivedRequest, Script, ScriptedServer

CANARY = "hunter2-canary"
COLOUR = pytest.mark.parametrize("colour", COLOURS)
PLACES = pytest.mark.parametrize("place", ["another port", "another host", "no scheme", "http for https"])


def answering(respond: Callable[[ReceivedRequest], bytes]) -> Script:
    def script(peer: Any) -> None:
        for request in peer.requests():
            peer.send(respond(request))

    return script


def answer(status: int, *headers: str, body: object = None) -> bytes:
    octets = json.dumps(body).encode()
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", f"Content-Length: {len(octets)}", *headers))
    return head.encode("latin-1") + b"\r\n" + octets


def items(*numbers: int, then: str | None = None) -> bytes:
    return answer(200, body={"items": numbers, "next": then})


LAST = answering(lambda request: items(2))
CREDENTIALS: dict[str, Callable[[], dict[str, Any]]] = {
    "basic": lambda: {"plugins": [Basic(CANARY, CANARY)]},
    "bearer": lambda: {"plugins": [Bearer(CANARY)]},
    "digest": lambda: {"plugins": [Digest(CANARY, CANARY)]},
    "api key header": lambda: {"plugins": [ApiKey(CANARY, header="X-Api-Key")]},
    "api key query": lambda: {"plugins": [ApiKey(CANARY, query="api_key")]},
    "sigv4": lambda: {"plugins": [SigV4(AwsCredentials(CANARY, CANARY, CANARY), "us-east-1", "service")]},
    "the client's own": lambda: {"headers": {"X-Tenant": CANARY}},
}


def trusting(authority: trustme.CA) -> Urllib3Transport:
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] - pyOpenSSL, not here
    return Urllib3Transport(ssl_context=context)


def link_to(other: ScriptedServer, place: str) -> str:
    host = "localhost" if place == "another host" else "127.0.0.1"
    return f"{'' if place == 'no scheme' else 'http:'}//{host}:{other.port}/x?page=2"


def where_it_leads_nowhere(service: ScriptedServer, other: ScriptedServer, secret: Path) -> list[str]:
    """References that must be refused: they trick whoever reads only a part of them, or name no http."""
    return [
        f"{service.url}@127.0.0.1:{other.port}/x",
        f"http://{CANARY}:{CANARY}@127.0.0.1:{other.port}/x",
        f"//user@127.0.0.1:{other.port}/x",
        f"{service.url}.evil.test/x",
        f"{service.url}\\@127.0.0.1:{other.port}/x",
        f"\\\\127.0.0.1:{other.port}\\x",
        f"http://127.0.0.1:{other.port}\r\nx: y/",
        f"http:////127.0.0.1:{other.port}/x",
        f"http://0x7f000001:{other.port}/x",
        secret.as_uri(),
        "javascript:alert(1)",
        "gopher://127.0.0.1/x",
        "unix:/run/x",
        "http://",
        "http://[::1]evil/",
        "/" + "x" * 70_000,
    ]
