"""Login on another device: asked for at the pace that the service wants, never after the end, in both colours."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from msgspec.json import encode
from tests.servers.authorization import TOKEN_URL

from jackfield import (
    Client,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    NetworkError,
    RateLimitedError,
    ReadTimeoutError,
    Request,
    Response,
    Secret,
    Service,
    ServiceError,
    UnavailableError,
    UsageError,
    operation,
)
from jackfield.testing import Answer, FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response
from jackfield_plugins.auth import (
    AsyncDeviceLogin,
    ClientSecretBasic,
    DeviceCode,
    DeviceLogin,
    OAuth2,
    PublicClient,
    Token,
    TokenError,
)

if TYPE_CHECKING:
    from .conftest import World

DEVICE_URL = "https://login.example.test/device?tenant=1"
CANARY = "hunter2-device-code"
NOW = 1_700_000_000.0  # what a virtual runtime says at first
BEGUN: dict[str, Any] = {
    "device_code": CANARY,
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://example.com/device",
    "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 5,
}  # RFC 8628 §3.2
TOKEN = json_response({"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r"})


def refusal(code: str, status: int = 400) -> Response:
    return json_response({"error": code, "error_description": f"about {CANARY}"}, status)


PENDING, SLOWER = refusal("authorization_pending"), refusal("slow_down")


class Desk:
    """A login in one colour, on virtual time."""

    def __init__(self, kind: type[DeviceLogin] | type[AsyncDeviceLogin]) -> None:
        self.kind = kind
        self.runtime: Any = VirtualSyncRuntime() if kind is DeviceLogin else VirtualAsyncioRuntime()
        self.transport = FakeTransport()

    def login(self, *answers: Answer, client: Any = None, otherwise: Answer | None = None, **options: Any) -> Any:
        self.transport = FakeTransport(answers, otherwise=otherwise)
        options = {"transport": self.transport, "runtime": self.runtime} | options
        return self.kind(DEVICE_URL, TOKEN_URL, client or PublicClient("tv"), **options)

    def get(self, outcome: Any) -> Any:
        return asyncio.run(outcome) if iscoroutine(outcome) else outcome

    def begin(self, answer: Response, **options: Any) -> DeviceCode:
        code: DeviceCode = self.get(self.login(answer, **options).begin())
        return code

    def token(self, *answers: Answer, otherwise: Answer | None = None, **code: Any) -> Token:
        """The token that is had for a code, and the waits of it in `runtime.sleeps`."""
        token: Token = self.get(self.login(*answers, otherwise=otherwise).token(device_code(**code)))
        return token

    def forms(self) -> list[dict[str, str]]:
        return [form(request) for request in self.transport.requests]


def device_code(interval: float = 5.0, expires_in: float = 1800.0) -> DeviceCode:
    return DeviceCode("WDJB-MJHT", "https://example.com/", None, Secret(CANARY), NOW + expires_in, interval)


def form(request: Request) -> dict[str, str]:
    assert isinstance(request.body, bytes)
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


@pytest.fixture(params=[DeviceLogin, AsyncDeviceLogin], ids=["sync", "async"])
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(request.param)


# --- the code


def test_a_code_is_asked_for_and_shown(desk: Desk) -> None:
    code = desk.get(desk.login(json_response(BEGUN)).begin("a b"))

    request = desk.transport.requests[0]
    assert (request.method, request.target) == ("POST", "/device?tenant=1")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form(request) == {"client_id": "tv", "scope": "a b"}
    assert code == DeviceCode(
        "WDJB-MJHT",
        "https://example.com/device",
        "https://example.com/device?user_code=WDJB-MJHT",
        Secret(CANARY),
        NOW + 1800,
        5.0,
    )


def test_without_a_scope_none_is_asked_for(desk: Desk) -> None:
    desk.begin(json_response(BEGUN))

    assert desk.forms() == [{"client_id": "tv"}]


def test_a_client_with_a_secret_proves_itself_both_times(desk: Desk) -> None:
    login = desk.login(json_response(BEGUN), TOKEN, client=ClientSecretBasic("tv", "s"))

    desk.get(login.token(desk.get(login.begin())))

    assert [request.headers["authorization"] for request in desk.transport.requests] == ["Basic dHY6cw=="] * 2
    assert desk.forms()[0] == {}


def test_what_the_service_may_leave_out_it_may(desk: Desk) -> None:
    least = {name: BEGUN[name] for name in ("device_code", "user_code", "verification_uri", "expires_in")}

    code = desk.begin(json_response(least))

    assert (code.verification_uri_complete, code.interval) == (None, 5.0)


def test_what_nobody_knows_is_left_alone(desk: Desk) -> None:
    assert desk.begin(json_response(BEGUN | {"message": ["x"], "verification_url": None})).user_code == "WDJB-MJHT"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        *((7, 7.0), (0.5, 1.0), (0, 1.0), (-5, 1.0), ("7", 7.0), (None, 5.0), (1e300, 86400.0), ("1e300", 86400.0)),
        *(("nan", 1.0), ("inf", 86400.0), ("-inf", 1.0), (2**63, 86400.0)),
    ],
    ids=repr,
)
def test_an_interval_is_a_second_or_more_whatever_is_said(desk: Desk, given: Any, seconds: float) -> None:
    assert desk.begin(json_response(BEGUN | {"interval": given})).interval == seconds


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        *((900, 900.0), ("900", 900.0), (0, 0.0), (-5, 0.0), (1e300, 86400.0), ("nan", 0.0), ("inf", 86400.0)),
        *(("-inf", 0.0), (2**63, 86400.0)),
    ],
    ids=repr,
)
def test_a_code_is_good_for_a_day_at_most(desk: Desk, given: Any, seconds: float) -> None:
    assert desk.begin(json_response(BEGUN | {"expires_in": given})).expires_at == NOW + seconds


NO_PAGES = [
    *("javascript:alert(1)", "javascript://h/%0aalert(1)", "JavaScript://h/", "file:///etc/passwd", "file://h/"),
    *("data:text/html,x", "ftp://h/", "//h/", "h/", "", "https:", "https://", "https:h", "https:///x", "https://[h"),
    *("https://h/\x1b[31m", "https://h/ x", " https://h/", "\thttps://h/", "https://h/\n", "https://google.com@h/"),
    *("https://@h/", "https://u:p@h/", 5, ["https://h/"]),
]


@pytest.mark.parametrize(
    "change",
    [
        *({"device_code": ""}, {"device_code": None}, {"device_code": 5}, {"user_code": ""}, {"user_code": None}),
        *({"user_code": "\x1b[31mA"}, {"user_code": "A\nB"}, {"user_code": "A\u202eB"}, {"user_code": "A\x9b"}),
        *({"user_code": "A" * 5000}, {"verification_uri": "https://h/" + "a" * 5000}, {"verification_uri": ""}),
        *({name: uri} for name in ("verification_uri", "verification_uri_complete") for uri in NO_PAGES),
        *({"verification_uri": None}, {"expires_in": None}, {"expires_in": "soon"}, {"expires_in": []}),
        *({"expires_in": True}, {"interval": "soon"}, {"interval": [5]}, {"interval": {}}),
    ],
    ids=lambda change: repr(change)[:60],
)
def test_what_cannot_be_shown_to_a_user_is_an_error_of_ours(desk: Desk, change: dict[str, Any]) -> None:
    with pytest.raises(DecodeError) as caught:
        desk.begin(json_response(BEGUN | change))

    assert str(caught.value).isprintable()
    assert CANARY not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize("missing", ["device_code", "user_code", "verification_uri", "expires_in"])
def test_what_must_be_there_must_be_there(desk: Desk, missing: str) -> None:
    with pytest.raises(DecodeError, match=missing):
        desk.begin(json_response({name: value for name, value in BEGUN.items() if name != missing}))


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"null", b'"x"', b"\xff", encode(BEGUN)[:-1], b"[" * 100_000),
        *(encode(BEGUN).replace(b"1800", number) for number in (b"NaN", b"1e999", b"1" + b"0" * 400, b"Infinity")),
    ],
    ids=lambda body: repr(body)[:30],
)
def test_what_is_no_answer_is_an_error_of_ours(desk: Desk, body: bytes) -> None:
    with pytest.raises(DecodeError):
        desk.begin(Response(200, body=body))


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:8080/d", "HTTPS://Example.com/", "https://[::1]/", "https://bücher.example/"]
)
def test_a_page_is_any_that_a_browser_opens(desk: Desk, uri: str) -> None:
    assert desk.begin(json_response(BEGUN | {"verification_uri": uri})).verification_uri == uri


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal("invalid_client", 401), TokenError),
        (refusal("invalid_scope"), TokenError),
        (Response(404, body=b"<html>"), TokenError),
        (Response(302, {"location": "https://evil.example.test/"}), TokenError),
        (Response(429), RateLimitedError),
        (Response(503), UnavailableError),
        (Response(500), ServiceError),
        (ConnectError("refused"), ConnectError),
        (ReadTimeoutError("silent"), ReadTimeoutError),
    ],
    ids=repr,
)
def test_who_gets_no_code_is_told_why(desk: Desk, answer: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        desk.get(desk.login(answer, client=ClientSecretBasic("tv", CANARY)).begin())

    assert type(caught.value) is kind
    assert CANARY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert len(desk.transport.requests) == 1


# --- the wait


def test_a_token_is_asked_for_until_the_user_agrees(desk: Desk) -> None:
    token = desk.token(PENDING, PENDING, TOKEN)

    assert token == Token(Secret("t"), "Bearer", NOW + 15, NOW + 3615, Secret("r"))
    assert desk.runtime.sleeps == [5.0] * 3
    assert [str(request.url) for request in desk.transport.requests] == [TOKEN_URL] * 3
    assert (
        desk.forms()
        == [
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "device_code": CANARY,
                "client_id": "tv",
            }
        ]
        * 3
    )


def test_the_interval_of_the_service_is_kept(desk: Desk) -> None:
    desk.token(PENDING, TOKEN, interval=17.0)

    assert desk.runtime.sleeps == [17.0] * 2


def test_each_slow_down_is_five_seconds_more_from_then_on(desk: Desk) -> None:
    desk.token(PENDING, SLOWER, PENDING, SLOWER, SLOWER, PENDING, TOKEN)

    assert desk.runtime.sleeps == [5.0, 5.0, 10.0, 10.0, 15.0, 20.0, 20.0]


@pytest.mark.parametrize(
    "fault",
    [
        *(ConnectError("refused"), ConnectionLostError("cut"), ReadTimeoutError("silent"), NetworkError("odd")),
        *(DeadlineExceededError("dripped"), Response(429), Response(500), Response(502), Response(503), Response(504)),
    ],
    ids=repr,
)
def test_a_fault_doubles_the_interval_and_ends_nothing(desk: Desk, fault: Answer) -> None:
    assert desk.token(PENDING, fault, fault, PENDING, TOKEN).access_token == Secret("t")
    assert desk.runtime.sleeps == [5.0, 5.0, 10.0, 20.0, 20.0]


@pytest.mark.parametrize("code", ["access_denied", "expired_token", "invalid_grant", "invalid_client", "", "else"])
def test_any_other_refusal_is_the_end(desk: Desk, code: str) -> None:
    with pytest.raises(TokenError) as caught:
        desk.token(PENDING, refusal(code))

    assert caught.value.code == code
    assert len(desk.transport.requests) == 2


@pytest.mark.parametrize("answer", [Response(200, body=b"<html>"), Response(200, body=b"{}")], ids=repr)
def test_what_is_no_answer_is_the_end(desk: Desk, answer: Response) -> None:
    with pytest.raises(DecodeError):
        desk.token(answer)


@pytest.mark.parametrize(
    ("expires_in", "asked"), [(1800.0, 359), (12.0, 2), (10.0, 1), (5.1, 1), (5.0, 0), (1.0, 0), (0.0, 0), (-5.0, 0)]
)
def test_when_the_code_ends_nobody_asks_any_more(desk: Desk, expires_in: float, asked: int) -> None:
    with pytest.raises(TokenError, match="begin again") as caught:
        desk.token(otherwise=PENDING, expires_in=expires_in)

    assert caught.value.code == "expired_token"
    assert len(desk.transport.requests) == asked
    assert desk.runtime.elapsed < max(expires_in, 0.1)


def test_a_service_that_fails_for_ever_is_asked_a_few_times(desk: Desk) -> None:
    with pytest.raises(TokenError):
        desk.token(otherwise=Response(503))

    assert desk.runtime.sleeps == [5.0 * 2**n for n in range(8)]


def test_a_service_that_is_never_slow_enough_is_asked_ever_less(desk: Desk) -> None:
    with pytest.raises(TokenError):
        desk.token(otherwise=SLOWER)

    assert desk.runtime.sleeps == [5.0 * n for n in range(1, 27)]


def test_a_wait_has_no_deadline_but_the_codes(desk: Desk) -> None:
    login = desk.login(*[PENDING] * 100, TOKEN, timeout=1.0)

    assert desk.get(login.token(device_code())).access_token == Secret("t")


def test_a_wait_inside_another_operation_ends_with_it(desk: Desk) -> None:
    class Core(Service):
        @operation
        async def log_in(self) -> Token:
            this: Any = self
            token: Token = await this.token(await this.begin())
            return token

    transport = FakeTransport([json_response(BEGUN)], otherwise=PENDING)
    kind: Any = type("Tv", (Core, desk.kind), {})
    tv = kind(DEVICE_URL, TOKEN_URL, PublicClient("tv"), transport=transport, runtime=desk.runtime, timeout=12.0)

    with pytest.raises(DeadlineExceededError):
        desk.get(tv.log_in())

    assert desk.runtime.elapsed == 12.0
    assert len(transport.requests) == 3  # the third time the interval was not over


def test_a_wait_can_be_cancelled() -> None:
    class Endless(VirtualAsyncioRuntime):
        async def sleep(self, seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

    async def main() -> None:
        login = AsyncDeviceLogin(DEVICE_URL, TOKEN_URL, PublicClient("tv"), transport=transport, runtime=Endless())
        task = asyncio.ensure_future(login.token(device_code()))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    waiting = asyncio.Event()
    transport = FakeTransport()
    asyncio.run(main())

    assert transport.requests == []


# --- what follows, and what is shown


def test_a_login_gives_a_token_that_a_client_goes_on_with(world: World) -> None:
    kind = DeviceLogin if world.base is Client else AsyncDeviceLogin
    world.server.answers = [PENDING]
    tv = PublicClient("tv")
    login: Any = kind(DEVICE_URL, TOKEN_URL, tv, transport=world.transport, runtime=world.runtime)

    token = world.get(login.token(device_code()))
    api = world.client(OAuth2(TOKEN_URL, client=tv, token=token))
    first = world.get(api.thing())
    world.runtime.elapsed += 4000
    second = world.get(api.thing())
    world.server.answers = [refusal("invalid_grant")]
    world.runtime.elapsed += 4000
    with pytest.raises(TokenError, match="log in again"):
        world.get(api.thing())

    assert (first, second) == ("access-1", "access-3")
    assert [fields["grant_type"].rpartition(":")[2] for fields in world.server.fields] == [
        *("device_code", "device_code", "refresh_token", "refresh_token")
    ]


def test_the_device_code_is_not_to_be_seen(desk: Desk) -> None:
    login = desk.login(otherwise=refusal("invalid_grant"))
    with pytest.raises(TokenError) as caught:
        desk.get(login.token(device_code()))

    assert caught.value.text == "about ***"
    shown = f"{device_code()!r} {device_code()} {login!r} {vars(login)} {caught.value!r} {caught.value}"
    assert CANARY not in shown + repr(vars(caught.value))
    assert caught.value.call is not None
    assert caught.value.call.operation == "token"
    with pytest.raises(TypeError, match="a Secret is not pickled"):
        pickle.dumps(device_code())


@pytest.mark.parametrize(
    "make",
    [
        lambda: DeviceLogin("nowhere", TOKEN_URL, PublicClient("tv")),
        lambda: DeviceLogin(DEVICE_URL, "https://h/#f", PublicClient("tv")),
        lambda: DeviceLogin(DEVICE_URL, TOKEN_URL, "tv"),  # type: ignore[arg-type] # wrong on purpose
    ],
)
def test_a_login_that_cannot_be_is_refused_at_once(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        make()


def test_a_client_is_named() -> None:
    with pytest.raises(ConfigurationError, match="ClientSecretBasic"):
        DeviceLogin(DEVICE_URL, TOKEN_URL, ("tv", "s"))  # type: ignore[arg-type] # wrong on purpose
