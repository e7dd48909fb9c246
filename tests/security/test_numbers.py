"""S26: numbers and dates that a service gives: none of them overflows, and nobody waits for longer than is allowed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.both import Both
from tests.careless import Careless
from tests.clients import COLOURS, Anything

from jackfield import (
    Call,
    JackfieldError,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    Url,
    Urllib3Transport,
    hookimpl,
)
from jackfield.testing import VirtualAsyncioRuntime, VirtualSyncRuntime
from jackfield_plugins.auth import ClientSecretBasic, Grant, OAuth2
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from tests.servers import ReceivedRequest, Script, Serve

VECTORS = Path(__file__).parents[1] / "vectors"
COLOUR = pytest.mark.parametrize("colour", COLOURS)
DIGITS = "9" * 5000
NUMBERS = [
    *(
        "",
        "-1",
        "+5",
        "0",
        "1e3",
        "1e20",
        "1e400",
        "0x10",
        "5.",
        ".5",
        "1_000",
        "5;6",
        "5, 6",
        "five",
        "\x85",
        "\u0665",
    ),
    *(
        "inf",
        "-inf",
        "Infinity",
        "nan",
        "NaN",
        "null",
        "59",
        "61",
        "99999999",
        "9" * 20,
        DIGITS,
        f"-{DIGITS}",
        f"0.{DIGITS}",
    ),
    *(f"{DIGITS}.5", "4294967296", "9223372036854775808", "18446744073709551616", "1700000100", "1e-400"),
]
DATES = [
    *("Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"),
    *("Fri, 31 Dec 99999 23:59:59 GMT", "Fri, 99 Dec 2026 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
    *("Tue, 14 Nov 2023 22:13:20 +9999999999", "Friday, 31-Dec-99 23:59:59 GMT", "Sun Nov  6 08:49:37 9999"),
    f"Fri, {DIGITS} Dec 2026 23:59:59 GMT",
    f"Fri, 31 Dec {DIGITS} 23:59:59 GMT",
]
LATER = "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT"  # half a minute after what virtual clocks begin with
FIELDS = {
    "retry-after": (),
    "retry-after-ms": (),
    "x-ms-retry-after-ms": (),
    "x-amz-retry-after": (),
    "ratelimit-reset": ("ratelimit-remaining: 0",),
    "x-ratelimit-reset": ("x-ratelimit-remaining: 0",),
    "date": (LATER,),
}


class Obedient:
    """Broken on purpose: waits for as long as it is told, and for what is no number, very long."""

    name = "retry"

    def __init__(self, **options: float) -> None: ...

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.RETRY, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        response = await proceed(request, call)
        for text in (response.headers[name] for name in (*FIELDS, "ratelimit") if name in response.headers):
            await call.runtime.sleep(float(text) if text.isdecimal() and len(text) < 20 else 1e9)
        return response


def answering(respond: Callable[[ReceivedRequest], bytes]) -> Script:
    def script(peer: Any) -> None:
        for request in peer.requests():
            peer.send(respond(request))

    return script


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


def always(said: bytes) -> Script:
    return answering(lambda request: said)


def virtual(colour: str, now: float | None = None) -> Any:
    """A runtime whose sleeps take no time and are counted."""
    runtime = VirtualSyncRuntime() if colour == "sync" else VirtualAsyncioRuntime()
    runtime.elapsed = 0.0 if now is None else now - runtime.now()
    return runtime


def get(url: str) -> Request:
    return Request("GET", Url.parse(f"{url}/x"))


def cases(name: str) -> list[Any]:
    found: list[Any] = json.loads((VECTORS / f"{name}.json").read_text())["cases"]
    return found


def at(moment: str | None) -> float:
    return datetime.fromisoformat(moment or "2026-11-20T00:00:00Z").timestamp()


@pytest.mark.subjects(ours=Retry, obedient=Obedient)
@COLOUR
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("timeout", [100, 100_000])
@pytest.mark.parametrize("field", FIELDS)
def test_s26_nothing_that_is_said_makes_a_call_wait_too_long(
    subject: Callable[..., Any], field: str, timeout: int, status: int, colour: str, serve: Serve
) -> None:
    said: list[str] = []
    server = serve(answering(lambda request: answer(status, *FIELDS[field], f"{field}: {said[0]}")))
    runtime = virtual(colour)

    plugins = [subject(max_server_delay=60)]
    with Both(colour, Anything, server.url, timeout=timeout, runtime=runtime, plugins=plugins) as api:
        for value in [*NUMBERS, *DATES]:
            said[:] = [value]
            runtime.sleeps.clear()
            with pytest.raises(JackfieldError):
                api.get(api.client.ask(get(server.url)))
            assert sum(runtime.sleeps) < timeout, value
            assert max(runtime.sleeps, default=0) <= 60 * 1.5, value  # half as long again, so that all do not come back


@pytest.mark.subjects(ours=Retry, obedient=Obedient)
@COLOUR
def test_s26_a_rate_limit_without_measure_does_not_make_a_call_wait_too_long(
    subject: Callable[..., Any], colour: str, serve: Serve
) -> None:
    said: list[str] = []
    server = serve(answering(lambda request: answer(429, f'ratelimit: "a";r=0;t={said[0]}')))
    runtime = virtual(colour)

    plugins = [subject(max_server_delay=60)]
    with Both(colour, Anything, server.url, timeout=100_000, runtime=runtime, plugins=plugins) as api:
        for value in [*NUMBERS, "999999999999999", '5, "b";r=0;t=999999999999999', "5;" * 2000]:
            said[:] = [value]
            runtime.sleeps.clear()
            with pytest.raises(JackfieldError):
                api.get(api.client.ask(get(server.url)))
            assert max(runtime.sleeps, default=0) <= 60 * 1.5, value


@pytest.mark.subjects(ours=Retry, obedient=Obedient)
@COLOUR
def test_s26_retry_after_is_read_off_the_wire_as_the_vectors_say(
    subject: Callable[..., Any], colour: str, serve: Serve
) -> None:
    said: list[str] = []
    server = serve(answering(lambda request: answer(503, f"Retry-After: {said[0]}")))

    for case in cases("http_date_retry_after"):
        runtime, said[:] = virtual(colour, at(case.get("now"))), [case["value"]]
        plugins = [subject(base=0.5, max_server_delay=5000)]
        options: Any = {"timeout": 100_000, "runtime": runtime, "plugins": plugins}
        with Both(colour, Anything, server.url, **options) as api, pytest.raises(JackfieldError):
            api.get(api.client.ask(get(server.url)))

        # A date for its own sake is in the past, or none.
        expected = case["expected_seconds"] if case["kind"] == "retry-after" else 0
        if expected == "cap":
            assert runtime.sleeps == [], case
        else:
            assert (expected or 0) <= runtime.sleeps[0] <= 1.5 * (expected or 0) + 0.5, case


@pytest.mark.subjects(ours=Retry, obedient=Obedient)
@COLOUR
def test_s26_a_rate_limit_is_read_off_the_wire_as_the_vectors_say(
    subject: Callable[..., Any], colour: str, serve: Serve
) -> None:
    for case in [one for one in cases("ratelimit_fields") if "message" in one]:
        refused = answer(case["status"], *(f"{name}: {value}" for name, value in case["headers"].items()))
        server = serve(always(refused))
        runtime = virtual(colour)
        options: Any = {"timeout": 1000, "runtime": runtime, "plugins": [subject(throttle_base=1)]}
        with Both(colour, Anything, server.url, **options) as api, pytest.raises(JackfieldError):
            api.get(api.client.ask(get(server.url)))

        expected = case["expected_wait_seconds"]
        assert expected <= runtime.sleeps[0] <= 1.5 * expected + 1, case


# --- a token's life


class Calculating:
    """Broken on purpose: takes the moment when a token ends for a date, whatever the service said."""

    name = "auth"

    def __init__(self, url: str) -> None:
        self.url = Url.parse(url)

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        said = await call.fetch(Request("POST", self.url), "token")
        lifetime = float(json.loads(said.content)["expires_in"])
        datetime.fromtimestamp(call.runtime.now() + lifetime, UTC)
        return await proceed(request, call)


def of_the_plugin(url: str) -> OAuth2:
    return OAuth2(url, Grant.client_credentials(), client=ClientSecretBasic("id", "secret"))


LIVES = [
    *(
        "-1",
        "0",
        "0.5",
        "1e20",
        "1e400",
        "-1e400",
        "1e-400",
        "null",
        "true",
        "[]",
        "{}",
        "NaN",
        "Infinity",
        "[[" * 5000,
    ),
    *("9" * 400, DIGITS, f"-{DIGITS}", f"1e{DIGITS}", *(json.dumps(text) for text in NUMBERS)),
]


@pytest.mark.subjects(ours=of_the_plugin, calculating=Calculating)
@COLOUR
def test_s26_no_life_of_a_token_is_too_long_or_too_odd(
    subject: Callable[[str], Any], colour: str, serve: Serve
) -> None:
    def respond(request: ReceivedRequest) -> bytes:
        if request.target != "/token":
            return answer(200)
        return answer(200, body=b'{"access_token":"t","token_type":"Bearer","expires_in":%s}' % said[0].encode())

    said: list[str] = []
    server = serve(answering(respond))
    asked = [0, 0]

    for expires_in in LIVES:
        runtime, said[:] = virtual(colour), [expires_in]
        plugins = [subject(f"{server.url}/token")]
        with Both(colour, Anything, server.url, runtime=runtime, plugins=plugins) as api:
            for round in (0, 1):
                server.requests.clear()
                try:
                    api.get(api.client.ask(get(server.url)))
                except JackfieldError:
                    pass
                except Exception as error:
                    pytest.fail(f"{expires_in[:40]} is too much for it: {error!r}")
                asked[round] = [request.target for request in server.requests].count("/token")
        assert asked[0] == 1, expires_in
        assert asked[1] <= 1, expires_in
        assert runtime.sleeps == [], expires_in


# --- lengths


@pytest.mark.subjects(ours=Urllib3Transport, careless=Careless)
@COLOUR
@pytest.mark.parametrize(
    "length", ["-5", "+5", "5.0", "1e3", "0x5", "5_0", "5 5", "5, 6", "inf", "\u0665", "18446744073709551616", DIGITS]
)
def test_s26_a_length_that_is_none_or_too_much_is_an_error(
    subject: Callable[[], Any], length: str, colour: str, serve: Serve
) -> None:
    def script(peer: Any) -> None:
        peer.request()
        peer.send(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n12345".encode())
        peer.half_close()

    server = serve(script)

    with Both(colour, Anything, server.url, subject()) as api, pytest.raises(JackfieldError):
        api.get(api.client.ask(get(server.url)))
