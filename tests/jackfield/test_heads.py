"""The heads of requests (RFC 9112 §3): held against http.client's, byte for byte; nothing in them breaks a line."""

from __future__ import annotations

import http.client
from enum import Enum
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import Headers, Request, Secret, StreamBody, Url, UsageError
from jackfield._connection import Connection, connection_to
from jackfield._proxy import ProxyServer
from jackfield._url import Origin
from jackfield._wire import wire_fields

PROXIES = [
    None,
    ProxyServer(Origin("http", "proxy.test", 3128), None, None),
    ProxyServer(Origin("https", "proxy.test", 443), Secret("Basic dTpw"), None),
]
CONTEXT = SSLContext(PROTOCOL_TLS_CLIENT)
BODIES = [b"", b"some", StreamBody(lambda: [b"some"]), StreamBody(lambda: [b"some"], length=4)]

_token = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=12)
_visible = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
_value = st.text(st.one_of(_visible, st.just("\t")), max_size=30).map(lambda text: text.strip(" \t"))
_name = st.one_of(_token, st.sampled_from(["Host", "host", "Accept-Encoding", "Range", "Cookie"]))
_text = st.text(st.characters(codec="utf-8"), max_size=8)
_segment = _text.filter(lambda text: text not in ("", ".", ".."))
_hosts = st.sampled_from(["api.test", "api.test.", "a_b.test", "127.0.0.1", "[::1]", "[2001:db8::7]"])
_ports = st.sampled_from(["", ":80", ":443", ":8080"])
_roots = st.builds(
    "{}://{}{}{}".format, st.sampled_from(["http", "https"]), _hosts, _ports, st.sampled_from(["", "/v1/"])
)
_queries = st.one_of(st.lists(st.tuples(_text, _text), max_size=3), st.sampled_from(["", "a=1&b=%20", "x?/;", "=&&"]))


def _url(root: str, segments: list[str]) -> Url:
    return Url.parse(root).at(*segments)


def _one_host(fields: list[tuple[str, str]]) -> bool:
    return sum(name.lower() == "host" for name, _ in fields) < 2


_requests = st.builds(
    Request,
    st.one_of(st.sampled_from(["GET", "POST", "HEAD"]), _token),
    st.builds(_url, _roots, st.lists(_segment, max_size=3)),
    query=_queries,
    headers=st.lists(st.tuples(_name, _value), max_size=5).filter(_one_host),
    body=st.sampled_from(BODIES),
)


class Taken:
    """Stands in for a socket: keeps what is sent."""

    def __init__(self) -> None:
        self.bytes = b""

    def gettimeout(self) -> float:
        return 1.0

    def send(self, data: bytes) -> int:
        self.bytes += bytes(data)
        return len(data)

    sendall = send

    def close(self) -> None:
        """There is nothing to close."""


def written(request: Request, proxy: ProxyServer | None = None) -> bytes:
    """What our connection sends of the request's head."""
    connection = connection_to(request.url.origin, lambda: CONTEXT, proxy, None)
    taken: Any = Taken()
    connection.sock, connection.patience = taken, lambda: 1.0
    connection.begin(request.method, request.target, wire_fields(request))
    sent: bytes = taken.bytes
    return sent


def written_by_http_client(request: Request, proxy: ProxyServer | None = None) -> bytes:
    """What http.client sends, given the same."""
    origin, fields, target = request.url.origin, wire_fields(request), request.target
    if proxy is not None and origin.scheme == "http":
        target = f"{origin}{target}"
        if proxy.authorization is not None:
            fields.append(("Proxy-Authorization", proxy.authorization.reveal()))
    oracle: Any = http.client.HTTPConnection(origin.host.rstrip("."), origin.port)
    oracle.default_port = {"http": 80, "https": 443}[origin.scheme]
    oracle.sock = taken = Taken()
    named = any(name.lower() == "host" for name, _ in fields)
    oracle.putrequest(request.method, target, skip_host=named, skip_accept_encoding=True)
    for name, value in fields:
        oracle.putheader(name, value)
    oracle.endheaders()
    return taken.bytes


@given(request=_requests, proxy=st.sampled_from(PROXIES))
def test_a_head_is_byte_for_byte_what_http_client_would_send(request: Request, proxy: ProxyServer | None) -> None:
    assert written(request, proxy) == written_by_http_client(request, proxy)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\n\r\n"])
@pytest.mark.parametrize("place", ["name", "value", "method", "target"])
def test_what_breaks_a_line_is_not_sent_whoever_let_it_through(place: str, end: str) -> None:
    parts = {"name": "a", "value": "b", "method": "GET", "target": "/"}
    parts[place] += f"{end}evil: 1"
    connection, taken = Connection(Url.parse("http://api.test").origin), Taken()
    sock: Any = taken
    connection.sock, connection.patience = sock, lambda: 1.0

    with pytest.raises(UsageError, match="broken"):
        connection.begin(parts["method"], parts["target"], [(parts["name"], parts["value"])])

    assert not taken.bytes


class Word(str, Enum):  # noqa: UP042 - a StrEnum's format is its value
    """Words as many keep them; what `format` makes of a member is `Word.METHOD`."""

    METHOD = "GET"
    PATH = "/items"
    NAME = "x-name"
    VALUE = "value"


def test_members_of_an_enum_are_sent_as_the_strings_they_are() -> None:
    url = Url(Url.parse("http://api.test").origin, Word.PATH)

    head = written(Request(Word.METHOD, url, query="a=1", headers=Headers([(Word.NAME, Word.VALUE)])), PROXIES[1])

    assert head.startswith(b"GET http://api.test/items?a=1 HTTP/1.1\r\n")
    assert b"\r\nx-name: value\r\n" in head
