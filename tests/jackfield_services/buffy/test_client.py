"""How a client is made: where the server is, who asks, and what may be changed afterwards."""

from __future__ import annotations

import pickle
from base64 import b64encode
from contextlib import suppress
from inspect import signature
from math import inf, nan
from types import SimpleNamespace
from typing import Any

import pytest
from requests.auth import HTTPBasicAuth, HTTPDigestAuth, HTTPProxyAuth
from tests.jackfield_services.buffy.buffy_world import BOTH, ORIGIN, FakeBuffy, client, get, read

from jackfield import Call, ConnectError, JackfieldError, Request, Response, Secret, UsageError
from jackfield.testing import FakeTransport
from jackfield_services.buffy import AsyncBuffyClient, BuffyClient, BuffyPyClient, BuffyValueError

PASSWORD = "s3cr3t-pä/ss"


def test_the_positions_of_arguments_are_those_of_buffys_client() -> None:
    taken = {name: one.default for name, one in signature(BuffyPyClient).parameters.items()}
    del taken["options"]

    assert list(taken.items()) == [
        ("url", None),
        ("host", None),
        ("port", 8008),
        ("base_path", None),
        ("group_name", None),
        ("api_version", "v1"),
        ("ssl", False),
        ("http_auth", None),
        ("http_headers", None),
        ("local_download_fallback", True),
    ]


@BOTH
@pytest.mark.parametrize(
    ("given", "api_url"),
    [
        ({}, "http://localhost:8008/v1"),
        ({"host": "localhost", "ssl": False}, "http://localhost:8008/v1"),
        ({"ssl": True}, "https://localhost:8008/v1"),
        ({"host": "b.test", "port": 80, "ssl": True}, "https://b.test:80/v1"),
        ({"host": "b.test", "base_path": "buffy"}, "http://b.test:8008/buffy/v1"),
        ({"host": "b.test", "base_path": "/buffy/"}, "http://b.test:8008/buffy/v1"),
        ({"host": "b.test", "base_path": "server/buffy"}, "http://b.test:8008/server/buffy/v1"),
        ({"host": "b.test", "base_path": ""}, "http://b.test:8008/v1"),
        ({"host": "b.test", "base_path": "/"}, "http://b.test:8008/v1"),
        ({"host": "::1"}, "http://[::1]:8008/v1"),
        ({"host": "[::1]"}, "http://[::1]:8008/v1"),
        ({"host": "127.0.0.1"}, "http://127.0.0.1:8008/v1"),
        ({"url": "https://example.de"}, "https://example.de:443/v1"),
        ({"url": "HTTP://Example.DE/"}, "http://example.de:80/v1"),
        ({"url": "http://h:1/buffy"}, "http://h:1/buffy/v1"),
        ({"url": "http://h/buffy/"}, "http://h:80/buffy/v1"),
        ({"url": "https://mydomain.org:3444/server/buffy//"}, "https://mydomain.org:3444/server/buffy/v1"),
        ({"url": "http://[2001:db8::1]:81"}, "http://[2001:db8::1]:81/v1"),
        ({"url": "http://user:word@h"}, "http://h:80/v1"),
    ],
)
def test_a_client_is_where_its_url_or_its_parts_say(colour: str, given: dict[str, Any], api_url: str) -> None:
    assert client(colour, **given).api_url == api_url


def test_a_client_sends_to_where_it_says() -> None:
    buffy = FakeBuffy()
    buffy.client(url="https://h.test/buffy/").create_request(ORIGIN)

    assert str(buffy.transport.requests[0].url) == "https://h.test/buffy/v1/request/"


@pytest.mark.parametrize(
    "given",
    [
        {"url": "http://h", "host": "h"},
        {"url": "http://h", "port": 80},
        {"url": "http://h", "base_path": "buffy"},
        {"url": "http://h", "ssl": True},
        {"url": ""},
        {"url": "myhost"},
        {"url": "h:3444"},
        {"url": "//h"},
        {"url": "ftp://h"},
        {"url": "http://"},
        {"url": "http://:8008"},
        {"url": "http://h:port"},
        {"url": "http://h:99999"},
        {"url": "http://h:0"},
        {"url": "http://[::1"},
        {"url": "http://h/?a=1"},
        {"url": "http://h/#a"},
        {"url": " http://h"},
        {"url": "http://h\n"},
        {"url": "http://h\tx"},
        {"url": "http://h x"},
        {"url": "http://h/a b"},
        {"url": "http://h/%"},
        {"url": "http://us%FFer:word@h"},
        {"url": 5},
        {"url": b"http://h"},
        {"host": ""},
        {"host": "http://h"},
        {"host": "h:80"},
        {"host": "user@h"},
        {"host": "h/x"},
        {"host": 5},
        {"port": "8008"},
        {"port": True},
        {"port": 0},
        {"port": 65536},
        {"port": -1},
        {"base_path": "a?b"},
        {"base_path": "a b"},
        {"base_path": "ü"},
        {"base_path": 5},
        {"api_version": "v2"},
        {"api_version": ""},
        {"local_download_fallback": "false"},
        {"local_download_fallback": None},
        {"http_auth": "name"},
        {"http_auth": ("name",)},
        {"http_auth": ("name", "word", "more")},
        {"http_auth": ("name", b"word")},
        {"http_auth": ("na:me", "word")},
        {"http_auth": ("na\nme", "word")},
        {"http_auth": HTTPDigestAuth("name", "word")},
        {"http_auth": HTTPProxyAuth("name", "word")},
        {"http_auth": object()},
        {"http_headers": {"a b": "c"}},
        {"http_headers": {"a": "b\r\nc: d"}},
        {"http_headers": {"a": 5}},
        {"ssl": "no"},
        {"group_name": 5},
    ],
)
def test_what_is_nowhere_or_said_twice_is_a_value_error(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        client(**given)

    assert isinstance(caught.value, BuffyValueError)


def _authorization(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


@BOTH
@pytest.mark.parametrize(
    ("given", "name", "password"),
    [
        ({"http_auth": ("u", "p")}, "u", "p"),
        ({"http_auth": ("u", Secret("p"))}, "u", "p"),
        ({"http_auth": ("u", "")}, "u", ""),
        ({"http_auth": ("", "p")}, "", "p"),
        ({"http_auth": HTTPBasicAuth("u", "p")}, "u", "p"),
        ({"http_auth": SimpleNamespace(username="u", password="p")}, "u", "p"),
        ({"url": "http://u:p@h"}, "u", "p"),
        ({"url": "http://u@h"}, "u", ""),
        ({"url": "http://:p@h"}, "", "p"),
        ({"url": "http://us%40er:p%C3%A4%2Fss%3A@h"}, "us@er", "pä/ss:"),
        ({"url": "http://x:y@h", "http_auth": ("u", "p")}, "u", "p"),
        ({"url": "http://x:y@h", "http_auth": HTTPBasicAuth("u", "p")}, "u", "p"),
    ],
)
def test_who_asks_is_told_to_the_server(colour: str, given: dict[str, Any], name: str, password: str) -> None:
    buffy = FakeBuffy()
    asked = get(buffy.client(colour, **given).create_request(ORIGIN))
    read(asked.download_response_content())

    sent = {request.headers.get("authorization") for request in buffy.transport.requests}
    assert sent == {_authorization(name, password)}


@pytest.mark.parametrize("url", ["http://h", "http://@h", "http://:@h"])
def test_without_credentials_none_are_sent(url: str) -> None:
    buffy = FakeBuffy()
    made = buffy.client(url=url)
    made.create_request(ORIGIN)

    assert made.http_auth is None
    assert "authorization" not in buffy.transport.requests[0].headers


def test_credentials_can_be_read_as_those_of_requests() -> None:
    auth: Any = client(http_auth=HTTPBasicAuth("u", "p")).http_auth

    assert auth.username == "u"
    assert auth.password.reveal() == "p"
    assert BuffyClient(http_auth=auth).http_auth == auth


def test_a_password_is_shown_nowhere() -> None:
    made: Any = client(url="http://user:s3cr3t-p%C3%A4%2Fss@h", http_headers={"X-Key": "s3cr3t-key"})
    made.create_request(ORIGIN, hold_request_order=True)

    assert made.http_auth.password.reveal() == PASSWORD
    parts: list[object] = [made.api_url, made, made.__dict__, made.http_auth, made.http_headers, made.chain]
    for shown in parts:
        assert "s3cr3t" not in f"{shown!r} {shown!s}"


@pytest.mark.parametrize(
    "url", ["http://u:s3cr3t@", "http://u:s3cr3t@h:port", "http://u:s3cr3t/x@h", "ftp://u:s3cr3t@h", "u:s3cr3t@h"]
)
def test_an_error_does_not_show_the_url(url: str) -> None:
    with pytest.raises(BuffyValueError) as caught:
        client(url=url)

    assert "s3cr3t" not in f"{caught.value!r} {caught.value}"


@BOTH
def test_http_headers_go_to_the_server_with_every_call_and_to_no_origin(colour: str) -> None:
    buffy = FakeBuffy()
    given = {"X-Key": "one"}
    made = buffy.client(colour, http_headers=given, http_auth=("u", "p"), headers={"X-Other": "two", "x-key": "no"})
    given["X-Key"] = "changed"
    asked = get(made.create_request(ORIGIN))
    get(asked.wait())
    get(asked.pin())
    get(asked.tag("good"))
    get(asked.list_cached_response_versions())
    read(asked.download_response_content())
    calls = len(buffy.transport.requests)
    asked.fetch_directly()
    assert read(asked.download_response_content()) == [b"from its origin"]

    assert calls >= 8
    assert {request.headers.get("x-key") for request in buffy.transport.requests[:calls]} == {"one"}
    assert {request.headers.get("x-other") for request in buffy.transport.requests[:calls]} == {"two"}
    (local,) = buffy.transport.requests[calls:]
    assert {"x-key", "x-other", "authorization"}.isdisjoint({name.lower() for name in local.headers})


def test_two_clients_share_no_headers() -> None:
    first, second = client(http_headers={"X-Key": "one"}), client()

    assert dict(first.http_headers) == {"X-Key": "one"}
    assert dict(second.http_headers) == {}


@BOTH
def test_attributes_tell_what_was_given(colour: str) -> None:
    made = client(colour, "https://u:p@h.test/server/buffy/", group_name="g", local_download_fallback=False)

    known = (made.ssl, made.host, made.port, made.base_path, made.group_name, made.api_version)
    assert known == (True, "h.test", 443, "server/buffy", "g", "v1")
    assert made.local_download_fallback is False
    assert (client().base_path, client().group_name, client().local_download_fallback) == (None, None, True)
    assert (made.buffy_server_timeout_sec, made.buffy_server_verify_ssl_request) == (5, True)


@pytest.mark.parametrize("name", ["ssl", "host", "port", "base_path", "api_version", "http_auth", "http_headers"])
def test_what_cannot_take_effect_cannot_be_set(name: str) -> None:
    made = client()
    with pytest.raises(ValueError, match=f"{name} is that of the client as it was made"):
        setattr(made, name, "x")


@BOTH
def test_the_group_may_be_changed_for_requests_to_come(colour: str) -> None:
    buffy = FakeBuffy()
    made = buffy.client(colour)
    get(made.create_request(ORIGIN))
    made.group_name = "another"
    get(made.create_request(ORIGIN))

    assert [asked["group_name"] for asked in buffy.asked] == [None, "another"]


@BOTH
def test_a_fallback_may_be_turned_off_afterwards(colour: str) -> None:
    made = client(colour, transport=_Nowhere())
    assert get(made.create_request(ORIGIN)).is_local

    made.local_download_fallback = False
    with pytest.raises(ConnectError):
        get(made.create_request(ORIGIN))


class _Nowhere:
    identity = b""

    async def send(self, request: Request, call: Any) -> Response:
        raise ConnectError("nobody is there")

    async def close(self) -> None:
        """Nothing is open."""


@BOTH
@pytest.mark.parametrize("where", ["class", "client"])
def test_the_timeout_of_calls_is_that_of_the_class_or_of_the_client(colour: str, where: str) -> None:
    slow = _Slow()
    kind = {"sync": BuffyClient, "async": AsyncBuffyClient}[colour]
    hasty: Any = type("Hasty", (kind,), {"buffy_server_timeout_sec": 2} if where == "class" else {})
    made = hasty(transport=slow, local_download_fallback=False, timeout=100)
    if where == "client":
        made.buffy_server_timeout_sec = 2
    get(made.create_request(ORIGIN))

    assert max(slow.limits) <= 2


class _Slow(FakeBuffy):
    """Notes how much time each call has."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[float] = []
        self.inner = self.transport
        self.transport = self  # type: ignore[assignment]  # it is one as well

    identity = b""

    async def send(self, request: Request, call: Any) -> Response:
        self.limits.append(call.remaining())
        return await self.inner.send(request, call)

    async def close(self) -> None:
        """Nothing is open."""


@BOTH
def test_a_client_ends_with_its_block_and_is_not_pickled(colour: str) -> None:
    buffy = FakeBuffy()
    made = buffy.client(colour)
    get(made.aclose() if colour == "async" else made.close())

    with pytest.raises(UsageError, match="closed"):
        get(made.create_request(ORIGIN))
    with pytest.raises(TypeError):
        pickle.dumps(made)


def test_the_name_that_existing_code_knows() -> None:
    assert BuffyPyClient is BuffyClient
    assert isinstance(client().create_request(ORIGIN, hold_request_order=True), BuffyPyClient.Request)


CALLS: list[tuple[str, list[Any]]] = [
    ("create_request", [ORIGIN]),
    ("list_requests", []),
    ("list_responses", ["a"]),
    ("put_pin", ["a", "20261121000000", True]),
]


@BOTH
@pytest.mark.parametrize(("name", "given"), CALLS)
def test_every_call_of_the_api_has_the_clients_seconds(colour: str, name: str, given: list[Any]) -> None:
    told: list[float] = []

    class Transport(FakeTransport):
        async def send(self, request: Request, call: Call) -> Response:
            told.append(call.limit(1000))
            return await super().send(request, call)

    made = client(colour, transport=Transport(otherwise=FakeBuffy()._answer), local_download_fallback=False)
    made.buffy_server_timeout_sec = 3
    with suppress(JackfieldError):
        get(getattr(made, name)(*given))
    assert told
    assert max(told) <= 3


@BOTH
@pytest.mark.parametrize(("name", "given"), CALLS)
@pytest.mark.parametrize("seconds", [None, 0, -1, "5", inf, nan])
def test_seconds_that_make_no_sense_are_refused(colour: str, name: str, given: list[Any], seconds: Any) -> None:
    buffy = FakeBuffy()
    made = buffy.client(colour)
    made.buffy_server_timeout_sec = seconds
    with pytest.raises(UsageError):
        get(getattr(made, name)(*given))
    assert buffy.transport.requests == []
