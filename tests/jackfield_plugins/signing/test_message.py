"""A message as signers and verifiers see it is the one on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jackfield import Client, Headers, Request, Service, StreamBody, Url, UsageError, operation
from jackfield_plugins.signing import Message

if TYPE_CHECKING:
    from tests.servers import Peer, Serve


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://example.com/", "example.com"),
        ("https://EXAMPLE.com:443/", "example.com"),
        ("https://example.com:8443/", "example.com:8443"),
        ("http://example.com:443/", "example.com:443"),
        ("http://[::1]:80/", "[::1]"),
        ("http://[::1]:81/", "[::1]:81"),
        ("https://example.com./", "example.com"),
        ("https://example.com.:8443/", "example.com:8443"),
    ],
)
def test_the_authority_is_what_stands_in_the_host_header(url: str, authority: str) -> None:
    assert Message.of(Request("GET", Url.parse(url))).authority == authority
    assert Message.of(Request("GET", Url.parse(url), headers={"host": "other"})).authority == "other"


class Api(Service, Client):
    @operation
    async def thing(self, query: Any, headers: Headers, body: bytes | StreamBody = b"") -> Message:
        request = Request("POST", self.url("a b", "ü"), query=query, headers=headers, body=body)
        await self.send(request)
        return Message.of(request)


@pytest.mark.parametrize("query", [(), [("a", "b c"), ("ü", "&="), ("a", "")], "a=b+c&d", ""])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_is_signed_is_what_a_server_receives(serve: Serve, query: Any, host: str) -> None:
    def script(peer: Peer) -> None:
        for _ in peer.requests():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server = serve(script)
    headers = Headers([("x-a", "1"), ("x-a", "2")])
    with Api(f"http://{host}:{server.port}/base/", headers={}) as client:
        message = client.thing(query, headers, b"body")

    (received,) = server.requests
    target = message.path if message.query is None else f"{message.path}?{message.query}"
    assert received.line == f"{message.method} {target} HTTP/1.1"
    assert received.get_all("host") == [message.authority]
    assert received.get_all("x-a") == message.headers.get_all("x-a")
    url = f"http://{host}:{server.port}{received.target}"
    again = Message.received("POST", url, Headers.received(received.headers))
    assert again[:5] == message[:5]


@pytest.mark.parametrize("url", ["", "/x", "https://", "https:///x", "https://h?x=1", "https://h/x#f"])
def test_the_url_of_what_was_received_is_whole(url: str) -> None:
    with pytest.raises(UsageError, match="whole, without a fragment"):
        Message.received("GET", url, Headers())


@pytest.mark.parametrize(("method", "url"), [(None, "https://h/"), ("GET", None), (b"GET", "https://h/"), ("GET", 5)])
def test_the_method_and_the_url_of_what_was_received_are_text(method: Any, url: Any) -> None:
    with pytest.raises(UsageError, match="the method and the URL of a received request are text"):
        Message.received(method, url, Headers())
