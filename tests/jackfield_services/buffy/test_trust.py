"""Whose certificate must be good: the server's, unless one says otherwise, and an origin's always."""

from __future__ import annotations

import gc
import ssl
import weakref
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import encode
from tests.jackfield_services.buffy.buffy_world import BOTH, ORIGIN, FakeBuffy, get, read
from tests.servers import Peer, Serve
from tests.servers.certificates import Authority

from jackfield import TLSError
from jackfield_services.buffy import AsyncBuffyClient, BuffyClient

KINDS: dict[str, Any] = {"sync": BuffyClient, "async": AsyncBuffyClient}
KNOWN = encode({"id": "4e02eb858c03", "url": ORIGIN})


@pytest.fixture
def unknown(tmp_path: Path) -> ssl.SSLContext:
    """Of a server whose authority nobody trusts."""
    return Authority().issue("127.0.0.1").server_context(tmp_path)


def _knows(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(KNOWN) + KNOWN)


def _order(colour: str, made: Any, url: str = ORIGIN) -> Any:
    """What comes of an order; the client is closed."""

    async def order() -> Any:
        async with made:
            return await made.create_request(url)

    if colour == "async":
        return get(order())
    with made:
        return made.create_request(url)


@BOTH
@pytest.mark.parametrize("said", [True, None, 0, "no"])
def test_a_servers_certificate_must_be_good(serve: Serve, unknown: ssl.SSLContext, colour: str, said: Any) -> None:
    server = serve(_knows, tls=unknown)
    made = KINDS[colour](server.url, local_download_fallback=False)
    made.buffy_server_verify_ssl_request = said

    with pytest.raises(TLSError):
        _order(colour, made)
    assert server.requests == []


@BOTH
@pytest.mark.parametrize("where", ["class", "client"])
def test_it_need_not_where_one_says_so(serve: Serve, unknown: ssl.SSLContext, colour: str, where: str) -> None:
    server = serve(_knows, tls=unknown)
    kind = KINDS[colour]
    if where == "class":
        kind = type("Careless", (kind,), {"buffy_server_verify_ssl_request": False})
    made = kind(server.url, local_download_fallback=False)
    if where == "client":
        made.buffy_server_verify_ssl_request = False

    with pytest.warns(RuntimeWarning, match="verify=False"):
        assert _order(colour, made).id == "4e02eb858c03"


def test_it_must_again_where_one_takes_that_back(serve: Serve, unknown: ssl.SSLContext) -> None:
    server = serve(_knows, tls=unknown)
    with BuffyClient(server.url, local_download_fallback=False) as made:
        made.buffy_server_verify_ssl_request = False
        with pytest.warns(RuntimeWarning, match="verify=False"):
            made.create_request(ORIGIN)
        made.buffy_server_verify_ssl_request = True
        with pytest.raises(TLSError):
            made.create_request(ORIGIN)


@BOTH
def test_an_origins_certificate_must_be_good_all_the_same(serve: Serve, unknown: ssl.SSLContext, colour: str) -> None:
    origin = serve(_knows, tls=unknown)
    made = KINDS[colour]("http://127.0.0.1:1")
    made.buffy_server_verify_ssl_request = False

    async def fetch_async() -> None:
        async with made:
            asked = await made.create_request(origin.url)
            async for _ in asked.download_response_content():
                pass

    def fetch() -> None:
        with made:
            read(made.create_request(origin.url).download_response_content())

    with pytest.raises(TLSError):
        {"async": lambda: get(fetch_async()), "sync": fetch}[colour]()
    assert origin.requests == []


def test_a_transport_of_ones_own_is_used_as_it_is() -> None:
    buffy = FakeBuffy()
    made = buffy.client()
    made.buffy_server_verify_ssl_request = False
    made.create_request(ORIGIN)

    assert len(buffy.transport.requests) == 2
    made.close()
    assert not buffy.transport.closed


def test_a_client_that_nobody_holds_is_gone() -> None:
    made = BuffyClient()
    gone = weakref.ref(made)
    gc.disable()
    try:
        del made
        assert gone() is None
    finally:
        gc.enable()
