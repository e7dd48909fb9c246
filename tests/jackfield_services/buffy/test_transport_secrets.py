"""Buffy as a transport: what Buffy is never told, as it shows it to everybody."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.jackfield_services.buffy.transport_world import BOTH, DIRECT, OLD, THINGS, direct, over, shelf
from tests.jackfield_services.buffy.transport_world import buffy as buffy

from jackfield import Call, Proceed, Pure, Request, Response, Stage, Step, Url, hookimpl
from jackfield.testing import FakeTransport, json_response
from jackfield_plugins.auth import ApiKey, Basic, Bearer, ClientSecretBasic, Digest, Grant, OAuth2
from jackfield_plugins.signing import GITHUB_WEBHOOKS, AwsCredentials, HmacSigning, OAuth1, SigV4
from jackfield_services.buffy import BuffyTransport, BuffyValueError
from jackfield_services.buffy.emulator import BuffyEmulator

SECRET = "s3cr3t-5f3a"


class Theirs:
    """A plugin of a third party's that says nothing of whose credentials it adds."""

    name = "theirs"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @hookimpl
    def jackfield_steps(self) -> list[Step]:
        return [Step(self.name, self.stage, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        return await proceed(request.replace(query=[*request.query, ("key", SECRET)]), call)


WHO: dict[str, Callable[[], object]] = {
    "basic": lambda: Basic("ada", SECRET),
    "bearer": lambda: Bearer(SECRET),
    "digest": lambda: Digest("ada", SECRET),
    "key in a header": lambda: ApiKey(SECRET),
    "key in the query": lambda: ApiKey(SECRET, query="key"),
    "key in a cookie": lambda: ApiKey(SECRET, cookie="key"),
    "oauth2": lambda: OAuth2(
        "https://shelf.test/token", Grant.client_credentials(), client=ClientSecretBasic("me", SECRET)
    ),
    "sigv4": lambda: SigV4(AwsCredentials("AKIDEXAMPLE", SECRET), region="eu-1", service="s3"),
    "oauth1": lambda: OAuth1("me", SECRET),
    "hmac": lambda: HmacSigning(GITHUB_WEBHOOKS, key=SECRET),
    "theirs, auth": lambda: Theirs(Stage.AUTH),
    "theirs, sign": lambda: Theirs(Stage.SIGN),
}


def service() -> FakeTransport:
    def answer(request: Request) -> Response:
        token = {"access_token": SECRET, "expires_in": 3600}
        return json_response(token) if request.url.path == "/token" else Response(200, body=DIRECT)

    return FakeTransport(otherwise=answer)


@BOTH
@pytest.mark.parametrize("who", WHO)
def test_what_a_client_with_credentials_asks_for_goes_past_buffy(colour: str, who: str, buffy: BuffyEmulator) -> None:
    fallback = service()
    with shelf(colour, buffy, fallback, client={"plugins": [WHO[who]()]}) as ask:
        assert ask().content == DIRECT

    assert buffy.requests == ()
    assert fallback.requests[-1].url.path == "/things"


@BOTH
@pytest.mark.parametrize("who", WHO)
def test_with_credentials_buffy_is_told_them_where_that_is_asked_for(
    colour: str, who: str, buffy: BuffyEmulator
) -> None:
    fallback = service()
    with shelf(colour, buffy, fallback, client={"plugins": [WHO[who]()]}, credentials=True) as ask:
        assert ask().content == OLD

    assert buffy.fetches[0].headers or "?" in buffy.fetches[0].url or who == "digest"  # which has seen no challenge


def test_the_credentials_that_are_asked_for_are_those_of_the_client(buffy: BuffyEmulator) -> None:
    headers = {"x-tenant": "five", "accept-encoding": "gzip", "host": "other.test"}
    client = {"plugins": [Bearer(SECRET)], "headers": headers}
    with shelf("sync", buffy, client=client, credentials=True) as ask:
        ask(query={"key": SECRET})

    assert buffy.fetches[0].headers == {"authorization": f"Bearer {SECRET}", "x-tenant": "five"}
    assert buffy.fetches[0].url == f"{THINGS}?key={SECRET}"


NAMES = st.text(string.ascii_letters + string.digits + "-_!#$%&'*+.^`|~", min_size=1, max_size=20)
VALUES = st.text(string.ascii_letters + string.digits, min_size=8, max_size=40)
KNOWN = ["accept", "Accept-Language", "content-type", "User-Agent", "ACCEPT-ENCODING"]
HEADERS = st.dictionaries(NAMES | st.sampled_from([*KNOWN, "cookie", "authorization", "x-api-key"]), VALUES, max_size=4)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(HEADERS, HEADERS)
def test_no_header_of_an_unknown_name_comes_to_buffy(of_client: dict[str, str], of_request: dict[str, str]) -> None:
    told, fallback = {"accept", "accept-language", "content-type"}, direct()
    harmless = told | {"user-agent", "accept-encoding"}
    with BuffyEmulator(polls=0) as buffy:
        buffy.origin(THINGS, OLD)
        with shelf("sync", buffy, fallback, client={"headers": of_client}) as ask:
            ask(headers=of_request)
        given = of_client | of_request
        if any(name.lower() not in harmless for name in given):
            assert buffy.requests == ()
            assert len(fallback.requests) == 1
        for fetch in buffy.fetches:
            assert set(fetch.headers) <= told
        for value in (value for name, value in given.items() if name.lower() not in told):
            assert not any(value in str((one.headers, one.json, one.query)) for one in buffy.requests)


@BOTH
@pytest.mark.parametrize(
    ("method", "parts"),
    [
        ("HEAD", {}),
        ("POST", {"body": b"x"}),
        ("POST", {}),
        ("DELETE", {}),
        ("PUT", {}),
        ("QUERY", {}),
        ("get", {}),
        ("GET", {"body": b"x"}),
        ("GET", {"idempotent": False}),
        ("GET", {"headers": {"Range": "bytes=1-"}}),
        ("GET", {"headers": {"If-None-Match": '"1"'}}),
        ("GET", {"headers": {"if-modified-since": "Wed, 21 Oct 2015 07:28:00 GMT"}}),
        ("GET", {"headers": {"cache-control": "no-cache"}}),
    ],
)
def test_what_buffy_cannot_answer_goes_past_it(
    colour: str, method: str, parts: dict[str, Any], buffy: BuffyEmulator
) -> None:
    fallback = direct()
    for told in (False, True):
        if told and "cache-control" in parts.get("headers", {}):
            continue  # it is a header like others
        with shelf(colour, buffy, fallback, credentials=told) as ask:
            assert ask(method, **parts).content == (b"" if method == "HEAD" else DIRECT)

    assert buffy.requests == ()


@BOTH
def test_what_is_for_another_origin_goes_past_buffy(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy, base="https://other.test") as ask:
        assert ask.ask(Request("GET", Url.parse(THINGS), query={"signature": SECRET})).content == DIRECT

    assert buffy.requests == ()


@BOTH
def test_where_a_redirect_leads_goes_past_buffy(colour: str, buffy: BuffyEmulator) -> None:
    buffy.origin(THINGS, status=503)
    moved = Response(302, {"location": f"/files/things?signature={SECRET}"})
    fallback = FakeTransport([moved, Response(200, body=DIRECT)] * 2)
    with shelf(colour, buffy, fallback) as ask:
        assert ask().content == DIRECT
        assert ask().content == DIRECT

    assert [request.url.path for request in fallback.requests] == ["/things", "/files/things"] * 2
    assert all(SECRET not in str(one.json) for one in buffy.requests)


@BOTH
@pytest.mark.parametrize(
    "place", ["https://cdn.test/x?signature=1", "ftp://x", "http://[::1", "https://u:p@shelf.test/"]
)
def test_a_redirect_to_elsewhere_is_the_core_s_business(colour: str, place: str, buffy: BuffyEmulator) -> None:
    buffy.stop()
    fallback = FakeTransport([Response(302, {"location": place})], otherwise=Response(200, body=DIRECT))
    with shelf(colour, buffy, fallback) as ask:
        if place.startswith("https://cdn"):
            assert ask().content == DIRECT
        else:
            with pytest.raises(Exception, match="is not followed"):
                ask()


@BOTH
def test_a_transport_that_may_bear_credentials_keeps_all_from_buffy(colour: str, buffy: BuffyEmulator) -> None:
    fallback: Any = direct()
    fallback.identity = b"a certificate"
    with shelf(colour, buffy, fallback) as ask:
        assert ask().content == DIRECT

    class Unknown:
        async def send(self, request: Request, call: Call) -> Response:
            return Response(200, body=DIRECT)

        async def close(self) -> None: ...

    with shelf(colour, buffy, Unknown()) as ask:  # type: ignore[arg-type]  # it is a transport, too
        assert ask().content == DIRECT
    assert buffy.requests == ()


@BOTH
def test_buffy_is_not_asked_for_itself(colour: str, buffy: BuffyEmulator) -> None:
    with shelf(colour, buffy, base=buffy.url) as ask:
        assert ask(path="v1").content == DIRECT

    assert buffy.requests == ()


@pytest.mark.parametrize("url", ["https://ada:secret@shelf.test/", "https://ada@shelf.test/", "ftp://x", "x", "", 5])
def test_no_user_is_told_in_a_url(url: Any, buffy: BuffyEmulator) -> None:
    with over("sync", buffy) as transport, pytest.raises(BuffyValueError) as caught:
        transport.request(url)

    assert "secret" not in str(caught.value)


def test_headers_that_may_be_credentials_are_not_in_buffy_s_request(buffy: BuffyEmulator) -> None:
    given = {"Authorization": SECRET, "Accept": "text/plain", "X-Any": SECRET, "User-Agent": "mine"}
    with over("sync", buffy) as transport:
        request = transport.request(THINGS, given)
        assert request.state.asked.http_header_fields == {"accept": "text/plain"}
    with over("sync", buffy, credentials=True) as transport:
        request = transport.request(THINGS, given)
        assert set(request.state.asked.http_header_fields) == {"accept", "authorization", "x-any"}


def test_the_log_holds_no_query(buffy: BuffyEmulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "jackfield.buffy")
    buffy.stop()
    with shelf("sync", buffy) as ask:
        ask(query={"key": SECRET})
        ask("HEAD", query={"key": SECRET})

    assert [record.levelname for record in caplog.records] == ["WARNING", "DEBUG"]
    assert SECRET not in caplog.text


def test_pure_steps_of_credentials_are_seen_as_well(buffy: BuffyEmulator) -> None:
    def add(request: Request, call: Call) -> Request:
        return request.with_headers(request.headers.replacing("x-tag", SECRET))

    class Adds:
        name = "adds"

        @hookimpl
        def jackfield_steps(self) -> list[Pure]:
            return [Pure(self.name, Stage.PREPARE, request=add)]

    with shelf("sync", buffy, client={"plugins": [Adds()]}) as ask:
        assert ask().content == DIRECT
    assert buffy.requests == ()
    assert isinstance(ask.transport, BuffyTransport)
