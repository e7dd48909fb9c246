"""OAuth 2.0 tokens: asked for once, renewed in time, replaced when rejected, never sent where they do not belong."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.json import encode
from tests.servers.authorization import TOKEN_URL

from jackfield import (
    Call,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ContractError,
    DeadlineExceededError,
    DecodeError,
    Event,
    ForbiddenError,
    JackfieldError,
    NotFoundError,
    RateLimitedError,
    ReadTimeoutError,
    Request,
    RequestSent,
    Response,
    Secret,
    ServiceError,
    StreamBody,
    TokenRefreshed,
    UnauthorizedError,
    UnavailableError,
    Url,
    UsageError,
    hookimpl,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import (
    ClientSecretBasic,
    Endpoint,
    Grant,
    GrantSource,
    MemoryTokenStore,
    OAuth2,
    RenewalLock,
    Token,
    TokenAuth,
    TokenError,
    TokenManager,
)
from jackfield_plugins.retry import Retry

if TYPE_CHECKING:
    from .conftest import World

CLIENT = ClientSecretBasic("id", "hunter2-client")
ROBOT = Grant.client_credentials()
USER = Grant.password("ada", "hunter2-password")


def oauth(grant: Grant | None = USER, **options: Any) -> OAuth2:
    return OAuth2(TOKEN_URL, grant, client=CLIENT, **options)


# --- in time


def test_a_token_is_asked_for_once_and_used_for_every_call(world: World) -> None:
    api = world.client(oauth())

    tokens = {world.get(api.thing()) for _ in range(5)}

    assert tokens == {"access-1"}
    assert world.server.asked == {"password": 1}


def test_a_token_that_has_ended_is_refreshed(world: World) -> None:
    api = world.client(oauth())
    world.get(api.thing())
    world.runtime.elapsed += 3600

    assert world.get(api.thing()) == "access-3"
    assert world.server.asked == {"password": 1, "refresh_token": 1}
    assert world.server.refused == 0


@pytest.mark.parametrize(("elapsed", "asked"), [(3299, 1), (3301, 2), (3571, 2), (3601, 2)])
def test_it_is_renewed_from_five_minutes_before_its_end(world: World, elapsed: float, asked: int) -> None:
    api = world.client(oauth(ROBOT))
    world.get(api.thing())
    world.runtime.elapsed += elapsed

    world.get(api.thing())

    assert world.server.asked.total() == asked


def test_a_token_of_a_short_life_is_used_for_the_most_of_it(world: World) -> None:
    world.server.lifetime = 8.0
    api = world.client(oauth(ROBOT))

    for _ in range(32):
        world.get(api.thing())
        world.runtime.elapsed += 1.0

    assert world.server.asked.total() == 5  # every seventh second: the last quarter is the window
    assert world.server.refused == 0


def test_the_windows_can_be_set(world: World) -> None:
    api = world.client(oauth(ROBOT, refresh_ahead=0, refresh_margin=0))
    world.get(api.thing())
    world.runtime.elapsed += 3599.5
    world.get(api.thing())

    assert world.server.asked.total() == 1


@pytest.mark.parametrize(("elapsed", "asked"), [(3500.0, 1), (3569.9, 1), (3570.1, 2)])
def test_without_a_time_ahead_the_margin_alone_counts(world: World, elapsed: float, asked: int) -> None:
    api = world.client(oauth(ROBOT, refresh_ahead=0))
    world.get(api.thing())
    world.runtime.elapsed += elapsed
    for _ in range(3):
        world.get(api.thing())

    assert world.server.asked.total() == asked
    assert world.server.refused == 0


def test_a_good_token_is_ready_until_something_has_to_be_done_about_it(world: World) -> None:
    auth = oauth(ROBOT)
    api, manager, now = world.client(auth), auth._manager, world.runtime.now()
    assert manager.ready(now) is None

    world.get(api.thing())
    token = manager.ready(now)

    assert token is not None
    assert manager.ready(now + 3299) is token
    assert manager.ready(now + 3300) is None  # from then on somebody renews it
    assert manager.reject(token, now)
    assert manager.ready(now) is None


def test_a_token_of_another_type_is_refused_by_every_call(world: World) -> None:
    body = encode({"access_token": "a", "token_type": "mac", "expires_in": 3600})
    world.server.answers = [Response(200, body=body)]
    api = world.client(oauth(ROBOT))

    for _ in range(3):
        with pytest.raises(ContractError, match="type 'mac', and 'Bearer' is expected"):
            world.get(api.thing())

    assert world.server.refused == 0
    assert world.server.asked.total() == 1


def test_a_refresh_token_that_was_sent_is_nowhere_in_memory(world: World) -> None:
    api = world.client(oauth(refresh_ahead=0))
    world.get(api.thing())
    sent = "refresh-2"
    assert held(sent)
    world.runtime.elapsed += 3599
    world.server.answers = [ReadTimeoutError("silence"), Response(503)]

    with pytest.raises(JackfieldError):
        world.get(api.thing())

    assert not held(sent)


def held(refresh_token: str) -> list[Token]:
    """The tokens in memory that have it."""
    gc.collect()
    tokens = [found for found in gc.get_objects() if isinstance(found, Token)]
    return [token for token in tokens if token.refresh_token == Secret(refresh_token)]


def test_a_token_to_begin_with_is_renewed_in_time_too(world: World) -> None:
    now = world.runtime.now()
    api = world.client(oauth(token=Token("old", "Bearer", now - 3400, now + 200)))

    assert world.get(api.thing()) == "access-1"
    assert world.server.refused == 0


def test_a_login_is_kept_for_the_next_run(world: World) -> None:
    store, now = MemoryTokenStore(), world.runtime.now()
    login = Token("old", "Bearer", now, now + 3600, "refresh-0")
    world.server._ends["old"] = now + 3600
    world.server._spent["refresh-0"] = False
    world.get(world.client(oauth(None, token=login, store=store, account="ada")).thing())

    later = world.client(oauth(None, store=store, account="ada"))

    assert world.get(later.thing()) == "old"
    world.runtime.elapsed += 3600
    assert world.get(later.thing()) == "access-1"
    assert world.server.reused == []


def test_a_new_login_takes_the_place_of_an_old_one(world: World) -> None:
    store, now = MemoryTokenStore(), world.runtime.now()
    world.server._spent |= {"refresh-old": False, "refresh-new": False}
    for name in ("old", "new"):
        login = Token(name, refresh_token=f"refresh-{name}", expires_at=0.0)
        world.get(world.client(oauth(None, token=login, store=store, account="ada")).thing())

    assert [fields["refresh_token"] for fields in world.server.fields] == ["refresh-old", "refresh-new"]
    assert now == world.runtime.now()


@pytest.mark.parametrize("fault", [ConnectionLostError("cut"), None], ids=repr)
def test_what_is_good_once_is_sent_once_by_all_runs_together(world: World, fault: Any) -> None:
    store = MemoryTokenStore()
    world.server._spent["given"] = False
    world.server.answers = [fault] if fault else []

    def run() -> str:
        auth = oauth(Grant.refresh_token("given"), store=store, account="ada")
        return str(world.get(world.client(auth).thing()))

    outcomes: list[str] = []
    for _ in range(3):
        try:
            outcomes.append(run())
        except (ConnectionLostError, TokenError) as error:
            outcomes.append(type(error).__name__)
        world.runtime.elapsed += 4000

    assert world.server.reused == []
    sent = [fields["refresh_token"] for fields in world.server.fields]
    assert sent.count("given") == 1
    expected = ["ConnectionLostError", "TokenError", "TokenError"] if fault else ["access-1", "access-3", "access-5"]
    assert outcomes == expected


def test_a_successor_that_was_lost_does_not_bring_its_ancestor_back(world: World) -> None:
    store = MemoryTokenStore()
    world.server._spent["given"] = False

    def run() -> str:
        auth = oauth(Grant.refresh_token("given"), store=store, account="ada")
        return str(world.get(world.client(auth).thing()))

    run()
    world.runtime.elapsed += 4000
    world.server.answers = [ConnectionLostError("cut")]
    with pytest.raises(ConnectionLostError):
        run()
    with pytest.raises(TokenError, match="log in again"):
        run()

    assert world.server.reused == []
    assert [fields["refresh_token"] for fields in world.server.fields] == ["given", "refresh-2"]


def test_a_clock_that_is_set_back_brings_no_spent_refresh_token_back(world: World) -> None:
    store = MemoryTokenStore()
    ours, theirs = (world.client(oauth(store=store)) for _ in range(2))
    world.get(ours.thing())
    world.get(theirs.thing())
    world.runtime.elapsed -= 3600
    world.server.revoke()
    world.get(theirs.thing())

    assert world.get(ours.thing()) == "access-3"
    assert world.server.reused == []


class Unreachable(FakeTransport):
    """Token requests that come to nothing before a byte of them is sent."""

    def __init__(self, world: World, outcome: Callable[[Call], BaseException]) -> None:
        super().__init__(otherwise=world.answer)
        self.outcome: Callable[[Call], BaseException] | None = outcome

    async def send(self, request: Request, call: Call) -> Response:
        if self.outcome is not None and str(request.url) == TOKEN_URL:
            raise self.outcome(call)
        return await super().send(request, call)


def cancelled(call: Call) -> BaseException:
    return asyncio.CancelledError()


def interrupted(call: Call) -> BaseException:
    return KeyboardInterrupt()


@pytest.mark.parametrize(
    "outcome",
    [Call.overdue, cancelled, interrupted],
    ids=["deadline", "cancelled", "interrupted"],
)
@pytest.mark.parametrize("store", [None, MemoryTokenStore], ids=["no store", "a store"])
def test_a_refresh_token_that_never_left_is_still_good(world: World, outcome: Any, store: Any) -> None:
    auth = oauth(store=store() if store else None)
    transport = Unreachable(world, outcome)
    world.get(world.client(auth).thing())
    world.runtime.elapsed += 4000
    api = world.client(auth, transport=transport)
    with pytest.raises((DeadlineExceededError, asyncio.CancelledError, KeyboardInterrupt)):
        world.get(api.thing())

    transport.outcome = None

    assert world.get(api.thing()) == "access-3"
    assert world.server.asked == {"password": 1, "refresh_token": 1}


def test_a_client_that_is_closed_while_it_asks_does_not_fail_the_others(world: World) -> None:
    auth = oauth()
    transport = Unreachable(world, lambda call: UsageError("this client is closed"))

    with pytest.raises(UsageError):
        world.get(world.client(auth, transport=transport).thing())

    assert world.get(world.client(auth).thing()) == "access-1"


def test_when_renewing_ahead_fails_the_old_token_serves_until_it_ends(world: World) -> None:
    world.server.refreshes = False
    api = world.client(oauth(ROBOT))
    world.get(api.thing())
    world.runtime.elapsed += 3400
    world.server.answers = [ConnectError("down"), Response(503), ReadTimeoutError("silent")]

    tokens: list[str] = []
    for _ in range(10):
        tokens.append(world.get(api.thing()))
        world.runtime.elapsed += 15

    assert set(tokens) == {"access-1", "access-2"}
    assert world.server.asked["client_credentials"] == 5  # after a failure nobody tries for half a minute
    assert world.server.refused == 0


def test_renewing_ahead_costs_ten_seconds_at_most(world: World) -> None:
    class Silent(FakeTransport):
        async def send(self, request: Request, call: Call) -> Response:
            if str(request.url) == TOKEN_URL:
                limits.append(call.limit(60))
                raise ReadTimeoutError("silent")
            return await super().send(request, call)

    limits: list[float] = []
    auth = oauth(ROBOT)
    world.get(world.client(auth).thing())
    world.runtime.elapsed += 3400

    assert world.get(world.client(auth, transport=Silent(otherwise=world.answer)).thing()) == "access-1"
    assert limits == [10.0, 10.0]  # of the refresh, and of the grant


# --- rejected


def test_a_token_that_is_rejected_is_replaced_and_the_call_sent_again(world: World) -> None:
    api = world.client(oauth())
    world.get(api.thing())
    world.server.revoke()

    assert world.get(api.thing("POST", b"body")) == "access-3"
    assert world.server.asked == {"password": 1, "refresh_token": 1}
    assert [request.body for request in world.transport.requests if request.url.path == "/thing"][1:] == [b"body"] * 2


def test_a_token_that_is_rejected_again_is_given_up(world: World) -> None:
    def reject(request: Any) -> Response:
        return world.server(request) if str(request.url) == TOKEN_URL else Response(401)

    api = world.client(oauth(), transport=(transport := FakeTransport(otherwise=reject)))

    with pytest.raises(UnauthorizedError) as caught:
        world.get(api.thing())

    assert not isinstance(caught.value, TokenError)
    assert [request.url.path for request in transport.requests] == ["/token", "/thing", "/token", "/thing"]


def test_a_service_may_reject_a_token_with_a_200(world: World) -> None:
    def answer(request: Any) -> Response:
        response = world.server(request)
        return Response(200, body=b'{"token": "token_expired"}') if response.status == 401 else response

    def rejected(response: Response) -> bool:
        return b"token_expired" in response.content

    api = world.client(oauth(rejected=rejected), transport=FakeTransport(otherwise=answer))
    world.get(api.thing())
    world.server.revoke()

    assert world.get(api.thing()) == "access-3"


def test_a_service_that_rejects_every_token_costs_one_in_half_a_minute(world: World) -> None:
    def reject(request: Any) -> Response:
        return world.server(request) if str(request.url) == TOKEN_URL else Response(401)

    api = world.client(oauth(), transport=(transport := FakeTransport(otherwise=reject)))

    for _ in range(40):
        with pytest.raises(UnauthorizedError):
            world.get(api.thing())
        world.runtime.elapsed += 1

    assert world.server.asked.total() == 3  # the first, its replacement, and one half a minute later
    assert len(transport.requests) == 3 + 40 + 2  # what was not replaced is not tried again either
    assert world.server.reused == []


def test_a_token_that_was_taken_before_is_replaced_however_soon(world: World) -> None:
    api = world.client(oauth())
    for _ in range(5):
        world.get(api.thing())
        world.server.revoke()

    assert world.get(api.thing()).startswith("access-")


@pytest.mark.parametrize("status", [400, 500])
def test_a_service_may_say_in_its_own_way_that_it_rejects_a_token(world: World, status: int) -> None:
    def answer(request: Any) -> Response:
        response = world.server(request)
        return Response(status, body=b'{"code": "dead"}') if response.status == 401 else response

    def rejected(response: Response) -> bool:
        return response.status == status and b"dead" in response.content

    api = world.client(oauth(rejected=rejected), transport=FakeTransport(otherwise=answer))
    world.get(api.thing())
    world.server.revoke()

    assert world.get(api.thing()) == "access-3"


@pytest.mark.parametrize(("status", "error"), [(403, ForbiddenError), (404, NotFoundError), (500, ServiceError)])
def test_every_other_answer_is_the_callers(world: World, status: int, error: type[ServiceError]) -> None:
    def answer(request: Any) -> Response:
        return world.server(request) if str(request.url) == TOKEN_URL else Response(status)

    with pytest.raises(error):
        world.get(world.client(oauth(), transport=FakeTransport(otherwise=answer)).thing())
    assert world.server.asked.total() == 1


class Asking(OAuth2):
    """Asks the service whether it was the token, where the answer does not tell."""

    asked: list[tuple[str, int]]

    async def is_rejected(self, request: Request, response: Response, call: Call) -> bool:
        self.asked.append((request.headers["authorization"], response.status))
        told = await call.fetch(request.replace(method="GET", body=b""), "probe")
        return told.status == 401


def asking(transport: FakeTransport, world: World) -> tuple[Any, Asking]:
    auth = Asking(TOKEN_URL, ROBOT)
    auth.asked = []
    return world.client(auth, transport=transport), auth


def test_whether_a_token_is_rejected_may_be_asked_of_the_service(world: World) -> None:
    def answer(request: Any) -> Response:
        response = world.server(request)
        return Response(500) if response.status == 401 and request.method == "POST" else response

    api, auth = asking(transport := FakeTransport(otherwise=answer), world)
    world.get(api.thing("POST"))
    world.server.revoke()

    assert world.get(api.thing("POST")) == "access-3"
    assert auth.asked == [("Bearer access-1", 500)]
    assert [request.method for request in transport.requests] == ["POST", "POST", "POST", "GET", "POST", "POST"]


def test_nothing_is_asked_about_an_answer_that_is_no_error(world: World) -> None:
    api, auth = asking(FakeTransport(otherwise=world.answer), world)
    for _ in range(3):
        world.get(api.thing())

    assert auth.asked == []


def test_an_answer_that_is_none_of_the_tokens_is_the_callers(world: World) -> None:
    def answer(request: Any) -> Response:
        return Response(500) if request.method == "POST" and request.url.path == "/thing" else world.server(request)

    api, auth = asking(FakeTransport(otherwise=answer), world)
    for _ in range(3):
        with pytest.raises(ServiceError):
            world.get(api.thing("POST"))

    assert world.server.asked.total() == 1
    assert auth.asked == [("Bearer access-1", 500)] * 3


class Refusing(Endpoint):
    """Has errors of its own."""

    def refusal(self, response: Response, grant: str, secrets: Sequence[str]) -> ServiceError:
        return ForbiddenError(f"{grant}: {response.content.decode()}, {list(secrets)}", status=response.status)


def test_a_token_endpoint_may_have_errors_of_its_own(world: World) -> None:
    world.server.answers = [Response(418, body=b"teapot")]
    source = GrantSource(Refusing(TOKEN_URL, None), Grant.password("ada", "pass/word"))
    api = world.client(TokenAuth(TokenManager(source)))

    with pytest.raises(ForbiddenError, match=r"password: teapot, \['pass%2Fword', 'pass/word'\]") as caught:
        world.get(api.thing())

    assert caught.value.status == 418
    assert world.get(api.thing()) == "access-1"


def test_a_body_that_is_good_once_is_not_sent_again_but_the_token_is_replaced(world: World) -> None:
    api = world.client(oauth())
    world.get(api.thing())
    world.server.revoke()

    with pytest.raises(UnauthorizedError):
        world.get(api.thing("POST", StreamBody.once([b"body"])))

    assert world.get(api.thing()) == "access-3"


@pytest.mark.parametrize("status", [200, 302, 401])
def test_a_streamed_answer_that_rejects_is_closed_before_the_next_is_asked_for(world: World, status: int) -> None:
    class Body:
        closed = False

        async def read(self) -> bytes:
            return b""

        async def close(self) -> None:
            self.closed = True

    body = Body()

    def answer(request: Any) -> Response:
        if str(request.url) != TOKEN_URL and not body.closed:
            return Response(status, body=body)
        return world.server(request)

    def rejected(response: Response) -> bool:
        return response.status == status

    def once(response: Response) -> bool:
        return rejected(response) and not isinstance(response.body, bytes)

    auth = oauth(rejected=once if status < 400 else rejected)
    api = world.client(auth, transport=FakeTransport(otherwise=answer))

    assert world.get(api.thing()) == "access-3"
    assert body.closed


# --- refresh tokens, and what follows when they fail


def test_a_refresh_that_fails_falls_back_to_the_grant(world: World) -> None:
    api = world.client(oauth())
    world.get(api.thing())
    world.runtime.elapsed += 4000
    world.server.answers = [Response(400, body=b'{"error": "invalid_grant"}')]

    assert world.get(api.thing()) == "access-3"
    assert world.server.asked == {"password": 2, "refresh_token": 1}


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionLostError("cut"),
        ReadTimeoutError("silent"),
        Response(500),
        Response(503),
        Response(200, body=b"<html>"),
        Response(302, {"location": "https://elsewhere.example.test/"}),
    ],
    ids=repr,
)
def test_a_refresh_token_is_never_sent_twice(world: World, fault: Any) -> None:
    api = world.client(oauth(), Retry())
    world.get(api.thing())
    world.runtime.elapsed += 4000
    world.server.answers = [fault]

    assert world.get(api.thing()) == "access-3"
    assert world.server.asked == {"password": 2, "refresh_token": 1}
    assert world.server.reused == []


@pytest.mark.parametrize("fault", [ConnectionLostError("cut"), Response(503), Response(429)], ids=repr)
def test_nor_when_the_grant_fails_as_well(world: World, fault: Any) -> None:
    api = world.client(oauth())
    world.get(api.thing())
    world.runtime.elapsed += 4000
    world.server.answers = [fault, ConnectionLostError("cut")]
    with pytest.raises(ConnectionLostError):
        world.get(api.thing())

    assert world.get(api.thing()) == "access-3"
    assert world.server.asked == {"password": 3, "refresh_token": 1}
    assert world.server.reused == []


def test_a_refresh_token_that_was_certainly_not_sent_is_still_good(world: World) -> None:
    class Down(FakeTransport):
        down = False

        async def send(self, request: Any, call: Any) -> Response:
            if self.down and str(request.url) == TOKEN_URL:
                raise ConnectError("refused")
            return await super().send(request, call)

    api = world.client(oauth(), transport=(transport := Down(otherwise=world.answer)))
    world.get(api.thing())
    world.runtime.elapsed += 4000
    transport.down = True

    with pytest.raises(ConnectError) as caught:
        world.get(api.thing("POST"))
    transport.down = False
    world.get(api.thing())

    assert not caught.value.sent
    assert world.server.asked == {"password": 1, "refresh_token": 1}


def test_a_service_that_keeps_its_refresh_token_is_sent_it_again(world: World) -> None:
    world.server.refreshes = False
    first = {"access_token": "a", "expires_in": 10, "refresh_token": "lasting"}
    again = {"access_token": "b", "expires_in": 10}
    world.server.answers = [Response(200, body=encode(fields)) for fields in (first, again, again)]
    transport = FakeTransport(
        otherwise=lambda request: world.server(request) if str(request.url) == TOKEN_URL else Response(200, body=b"{}")
    )
    auth = oauth()
    api = world.client(auth, transport=transport)

    for _ in range(3):
        with pytest.raises(KeyError):
            world.get(api.thing())
        world.runtime.elapsed += 10

    assert [fields.get("refresh_token") for fields in world.server.fields] == [None, "lasting", "lasting"]


def test_a_grant_that_is_good_once_is_sent_once(world: World) -> None:
    world.server.refreshes = False
    api = world.client(oauth(Grant.authorization_code("code", "https://app.example.test/back", "verifier")))
    world.get(api.thing())
    world.runtime.elapsed += 4000

    for _ in range(2):
        with pytest.raises(TokenError, match="log in again"):
            world.get(api.thing())

    assert world.server.asked == {"authorization_code": 1}
    assert world.server.fields[0]["code_verifier"] == "verifier"


def test_a_grant_that_is_good_once_is_sent_again_when_it_did_not_arrive(world: World) -> None:
    world.server.answers = [ConnectError("refused"), Response(503)]
    api = world.client(oauth(Grant.authorization_code("code", "https://app.example.test/back", "verifier")), Retry())

    assert world.get(api.thing("POST")) == "access-1"


@pytest.mark.parametrize(("status", "error"), [(503, UnavailableError), (429, RateLimitedError)])
def test_without_a_grant_to_fall_back_to_a_refresh_token_outlives_a_service_that_is_too_busy(
    world: World, status: int, error: type[ServiceError]
) -> None:
    now = world.runtime.now()
    world.server._spent["refresh-0"] = False
    auth = oauth(None, token=Token(Secret("old"), "Bearer", now, now, Secret("refresh-0")))
    world.server.answers = [Response(status, {"retry-after": "7"})]
    api = world.client(auth)

    with pytest.raises(error) as caught:
        world.get(api.thing())
    world.server._spent["refresh-0"] = False

    assert caught.value.response is not None
    assert caught.value.response.headers["retry-after"] == "7"
    assert world.get(api.thing()) == "access-1"


def test_without_a_grant_and_without_a_refresh_token_the_user_logs_in_again(world: World) -> None:
    now = world.runtime.now()
    api = world.client(oauth(None, token=Token(Secret("old"), "Bearer", now, now)))

    with pytest.raises(TokenError, match="log in again"):
        world.get(api.thing())


def test_a_refresh_token_alone_is_a_grant(world: World) -> None:
    world.server._spent["given"] = False
    api = world.client(oauth(Grant.refresh_token("given")))
    world.get(api.thing())
    world.runtime.elapsed += 4000
    world.get(api.thing())

    assert [fields["refresh_token"] for fields in world.server.fields] == ["given", "refresh-2"]
    assert world.server.reused == []


# --- errors


def test_a_grant_that_is_refused_is_an_error_that_says_what_to_do_and_is_not_kept(world: World) -> None:
    wrong = {"error": "invalid_grant", "error_description": "wrong hunter2-password"}
    world.server.answers = [Response(400, body=encode(wrong)), Response(401, body=b'{"error": "invalid_client"}')]
    api = world.client(oauth(), Retry())

    with pytest.raises(TokenError, match="check user name and password") as first:
        world.get(api.thing())
    with pytest.raises(TokenError, match="check the client's id and secret") as second:
        world.get(api.thing())

    assert (first.value.status, first.value.code, first.value.text) == (400, "invalid_grant", "wrong ***")
    assert (second.value.status, second.value.code) == (401, "invalid_client")
    assert first.value.call is not None
    assert (first.value.call.operation, first.value.call.attempts) == ("thing", 0)
    assert world.get(api.thing()) == "access-1"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(500), "ServiceError"),
        (Response(502), UnavailableError),
        (Response(504), UnavailableError),
        (Response(429), RateLimitedError),
        (Response(404, body=b"<html>"), TokenError),
        (Response(302), TokenError),
        (Response(200, body=b"{}"), DecodeError),
        (Response(200, body=b"[]"), DecodeError),
        (Response(200, body=b'{"access_token": ""}'), DecodeError),
        (Response(200, body=b'{"access_token": "a\\nb"}'), DecodeError),
        (Response(200, body='{"access_token": "ä"}'.encode()), DecodeError),
        (Response(200, body=b'{"access_token": 5}'), DecodeError),
        (Response(200, body=b'{"access_token": "a", "token_type": "mac"}'), ContractError),
    ],
    ids=repr,
)
def test_whatever_the_token_service_answers_is_an_error_of_ours(world: World, answer: Response, error: Any) -> None:
    world.server.answers = [answer]
    api = world.client(oauth())

    with pytest.raises(Exception) as caught:  # noqa: PT011 - the class is what is asserted
        world.get(api.thing())

    assert type(caught.value).__name__ == error if isinstance(error, str) else type(caught.value) is error
    assert [request.url.path for request in world.transport.requests] == ["/token"]


def test_a_failure_of_the_token_service_is_tried_again_whatever_the_call_does(world: World) -> None:
    world.server.answers = [ConnectionLostError("cut"), Response(503)]
    api = world.client(oauth(ROBOT), Retry())

    assert world.get(api.thing("POST", b"once")) == "access-1"
    assert world.server.served == 1
    assert len(world.runtime.sleeps) == 2


def test_an_error_says_which_request_failed(world: World) -> None:
    world.server.answers = [ConnectionLostError("cut")]
    api = world.client(oauth(ROBOT))

    with pytest.raises(ConnectionLostError) as caught:
        world.get(api.thing())

    assert caught.value.call is not None
    assert caught.value.call.operation == "thing (token)"
    assert caught.value.call.url == TOKEN_URL
    assert caught.value.call.attempts == 1


def test_a_token_of_another_type_is_told_in_so_far_as_that_may_be_repeated(world: World) -> None:
    world.server.answers = [Response(200, body=encode({"access_token": "a", "token_type": "mac\n" + "x" * 10_000}))]
    api = world.client(oauth())

    with pytest.raises(ContractError) as caught:
        world.get(api.thing())

    assert len(str(caught.value)) < 1000
    assert "mac xxx" in str(caught.value)


@pytest.mark.parametrize("make", [lambda: TokenManager("hunter2"), lambda: TokenAuth("hunter2")])  # type: ignore[arg-type]  # on purpose
def test_what_gives_no_tokens_is_refused_and_not_shown(make: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError, match="not str") as caught:
        make()

    assert "hunter2" not in str(caught.value)


# --- where credentials go


def test_a_token_goes_to_the_service_and_to_nobody_else(world: World) -> None:
    transport = FakeTransport(otherwise=lambda request: Response(200, body=b'{"token": ""}'))
    api = world.client(oauth(), transport=transport)

    for url in ("http://api.example.test/", "https://api.example.test:444/", "https://evil.example.test/"):
        world.get(api.thing(url=Url.parse(url)))

    assert [request.headers.get("authorization") for request in transport.requests] == [None] * 3


def test_the_clients_credentials_go_to_the_token_endpoint_and_nowhere_else(world: World) -> None:
    api = world.client(oauth(), headers={"x-api-key": "hunter2-header"})

    world.get(api.thing())

    token, thing = world.transport.requests
    assert token.headers["authorization"].startswith("Basic ")
    assert "x-api-key" not in token.headers
    assert thing.headers["authorization"] == "Bearer access-1"


def test_a_redirect_of_the_token_endpoint_is_not_followed(world: World) -> None:
    world.server.answers = [Response(307, {"location": "https://evil.example.test/token"})]

    with pytest.raises(TokenError, match="status 307; check the token URL"):
        world.get(world.client(oauth()).thing())

    assert [str(request.url) for request in world.transport.requests] == [TOKEN_URL]


def test_who_sets_the_header_himself_is_not_overruled(world: World) -> None:
    transport = FakeTransport(otherwise=lambda request: Response(200, body=b'{"token": ""}'))
    api = world.client(oauth(), transport=transport).with_options(headers={"authorization": "Bearer mine"})

    world.get(api.thing())

    assert [request.headers["authorization"] for request in transport.requests] == ["Bearer mine"]


# --- to look at


def test_nothing_is_sent_to_look_at_a_request(world: World) -> None:
    api = world.client(oauth())

    before = world.get(api.thing.request())
    world.get(api.thing())
    after = world.get(api.thing.request())

    assert before.headers["authorization"] == "Bearer not-fetched"
    assert after.headers["authorization"] == "Bearer access-1"
    assert len(world.transport.requests) == 2


def test_observers_are_told_of_tokens_and_of_the_requests_for_them(world: World) -> None:
    class Watch:
        name = "watch"

        @hookimpl
        def jackfield_observer(self) -> Callable[[Event], None]:
            return events.append

    events: list[Event] = []
    api = world.client(oauth(), Watch())

    world.get(api.thing())
    world.runtime.elapsed += 4000
    world.get(api.thing())

    assert [event for event in events if isinstance(event, TokenRefreshed)] == [
        TokenRefreshed("thing", "password", 3600.0),
        TokenRefreshed("thing", "refresh_token", 3600.0),
    ]
    sent = [event for event in events if isinstance(event, RequestSent)]
    assert [event.operation for event in sent] == ["thing (token)", "thing"] * 2
    assert [event.attempt for event in sent] == [1] * 4


# --- shared


def test_clients_that_share_an_object_share_its_tokens(world: World) -> None:
    auth = oauth()

    assert {world.get(world.client(auth).thing()) for _ in range(3)} == {"access-1"}


def test_clients_that_share_a_store_share_its_tokens(world: World) -> None:
    store = MemoryTokenStore()

    tokens = {world.get(world.client(oauth(store=store)).thing()) for _ in range(3)}
    world.runtime.elapsed += 4000
    later = [world.get(world.client(oauth(store=store)).thing()) for _ in range(3)]

    assert tokens == {"access-1"}
    assert later == ["access-3"] * 3
    assert world.server.asked == {"password": 1, "refresh_token": 1}


@pytest.mark.parametrize(
    "other",
    [
        OAuth2(TOKEN_URL, Grant.password("bob", "hunter2-password"), client=CLIENT),
        OAuth2(TOKEN_URL, USER, client=ClientSecretBasic("other", "s")),
        OAuth2(TOKEN_URL + "?tenant=2", USER, client=CLIENT),
        OAuth2(TOKEN_URL, ROBOT, client=CLIENT),
        OAuth2(TOKEN_URL, Grant.password("ada", "hunter2-password", scope="all"), client=CLIENT),
    ],
)
def test_identities_do_not_share_tokens(other: OAuth2) -> None:
    assert other._manager._renewal._source.key != oauth()._manager._renewal._source.key
    assert "hunter2" not in other._manager._renewal._source.key


def test_a_store_that_cannot_write_stops_nobody_and_says_so_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(MemoryTokenStore):
        def save(self, key: str, token: Token) -> None:
            raise OSError(28, "No space left on device")

        def load(self, key: str) -> Token | None:
            raise OSError(5, "Input/output error")

        def lock(self, key: str) -> RenewalLock:
            return NoLock()

    class NoLock:
        def acquire(self) -> bool:
            raise OSError(37, "No locks available")

        def release(self) -> None: ...

    api = world.client(oauth(store=Full()))

    for _ in range(3):
        world.get(api.thing())
        world.runtime.elapsed += 4000

    assert [record.message for record in caplog.records] == [
        "tokens are not kept in their store: [Errno 37] No locks available"
    ]
    assert world.server.reused == []
    assert world.server.asked == {"password": 3}  # what cannot be marked as spent is not sent: others may send it


def test_a_token_that_another_process_has_renewed_is_taken_from_the_store(world: World) -> None:
    store = MemoryTokenStore()
    ours, theirs = (world.client(oauth(store=store)) for _ in range(2))
    world.get(ours.thing())
    world.get(theirs.thing())
    world.runtime.elapsed += 4000
    world.get(theirs.thing())

    assert world.get(ours.thing()) == "access-3"
    assert world.server.asked == {"password": 1, "refresh_token": 1}


def test_a_refresh_token_that_another_process_has_spent_is_not_sent(world: World) -> None:
    store = MemoryTokenStore()
    ours, theirs = oauth(store=store), oauth(store=store)
    world.get(world.client(ours).thing())
    world.get(world.client(theirs).thing())
    world.runtime.elapsed += 4000
    world.server.answers = [ConnectionLostError("cut"), ConnectionLostError("cut")]
    with pytest.raises(ConnectionLostError):  # of the refresh, and then of the grant
        world.get(world.client(theirs).thing())

    assert world.get(world.client(ours).thing()) == "access-3"
    assert world.server.reused == []
    assert world.server.asked == {"password": 3, "refresh_token": 1}


def test_a_token_that_was_rejected_here_is_not_taken_from_the_store_again(world: World) -> None:
    store = MemoryTokenStore()
    api = world.client(oauth(store=store))
    world.get(api.thing())
    world.server.revoke()

    assert world.get(api.thing()) == "access-3"
    assert world.server.refused == 1


def test_who_waits_for_another_process_does_so_until_the_deadline(world: World) -> None:
    store = MemoryTokenStore()
    auth = oauth(store=store)
    held = store.lock(auth._manager._renewal._source.key)
    assert held.acquire()
    api = world.client(auth)

    with pytest.raises(DeadlineExceededError):
        world.get(api.thing())
    held.release()

    assert world.runtime.elapsed == 60.0
    assert world.get(api.thing()) == "access-1"


LOGINS = {
    "a code": Grant.authorization_code("code", "https://app.example.test/back", "verifier"),
    "a refresh token": Grant.refresh_token("given"),
    "an assertion": Grant.jwt_bearer(lambda runtime: "assertion"),
    "a token": None,
}


@pytest.mark.parametrize("login", LOGINS)
def test_a_store_keeps_no_token_of_whom_nobody_knows(login: str) -> None:
    token = Token("a") if LOGINS[login] is None else None

    with pytest.raises(ConfigurationError, match="pass account="):
        oauth(LOGINS[login], token=token, store=MemoryTokenStore())


def test_two_accounts_in_one_store_do_not_share_tokens(world: World) -> None:
    store = MemoryTokenStore()
    ada, bob = (
        world.client(oauth(Grant.authorization_code(name, "https://a.example.test/", "v"), store=store, account=name))
        for name in ("ada", "bob")
    )

    assert [world.get(api.thing()) for api in (ada, bob, ada, bob)] == ["access-1", "access-3"] * 2


def test_a_late_rejection_of_an_old_token_does_not_throw_the_new_one_away(world: World) -> None:
    auth = oauth()
    api = world.client(auth)
    world.get(api.thing())
    old = auth._manager.current
    assert old is not None
    world.runtime.elapsed += 3600
    world.get(api.thing())

    assert auth._manager.reject(old, world.runtime.now())
    assert world.get(api.thing()) == "access-3"
    assert world.server.asked.total() == 2


def test_a_clock_that_is_set_back_does_not_keep_tokens_from_being_renewed_ahead(world: World) -> None:
    world.server.refreshes = False
    api = world.client(oauth(ROBOT))
    world.get(api.thing())
    world.runtime.elapsed += 3400
    world.server.answers = [Response(503)]
    world.get(api.thing())
    world.runtime.elapsed -= 50

    world.get(api.thing())

    assert world.get(api.thing()) == "access-2"
