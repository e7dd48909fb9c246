"""The fault matrix, F23-F35: answers that come too early, that say "not now", "no", "not you" or "not here".

Over real sockets and on virtual time: what is waited is told by the clock, to the second, and takes none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.servers import GUARD

from jackfield import (
    AsyncClient,
    Client,
    JackfieldError,
    RedirectError,
    Request,
    Response,
    Service,
    ServiceError,
    StreamBody,
    UnauthorizedError,
    UnavailableError,
    operation,
)
from jackfield.testing import (
    FakeTransport,
    SimulatedNetwork,
    SimulatedRuntime,
    VirtualSyncRuntime,
)
from jackfield_plugins.auth import ClientSecretBasic, Grant, OAuth2
from jackfield_plugins.retry import Retry, RetryBudget

if TYPE_CHECKING:
    from tests.faults.conftest import Connect, Kind
    from tests.servers import Peer, Script, Serve
    from tests.stalls import Stalls

pytestmark = pytest.mark.usefixtures("nothing_left")

ATTEMPTS = 3
START = 1_700_000_000  # what virtual clocks say at first
BOTH = pytest.mark.parametrize("method", ["GET", "POST"])


def reply(status: int, *fields: str, body: bytes = b"no") -> bytes:
    lines = [f"HTTP/1.1 {status} Some", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


WELL = reply(200, body=b"well")


def answering(*answers: bytes) -> Script:
    """Answers the n-th request of all connections with the n-th answer, and well when they are used up."""
    left: Iterator[bytes] = iter(answers)
    guard = threading.Lock()

    def script(peer: Peer) -> None:
        for _ in peer.requests():
            with guard:
                answer = next(left, WELL)
            peer.send(answer)

    return script


# --- F23, F24: answers that do not wait for the body


def refusing(status: int) -> Script:
    """Answers when it has seen the head, and closes with the body unread, which makes that a reset."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(reply(status, body=b"too much"))
        peer.close()

    return script


PIECES = [b"x" * 100_000] * 50
BODIES: dict[str, Callable[[], bytes | StreamBody]] = {
    "bytes": lambda: b"".join(PIECES),
    "stream": lambda: StreamBody(lambda: PIECES, length=5_000_000),
    "stream-once": lambda: StreamBody.once(PIECES),
}


@pytest.mark.parametrize("status", [413, 401])
@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("kind", BODIES)
def test_f23_an_answer_before_the_body_was_sent_is_the_outcome_and_no_broken_pipe(
    serve: Serve, connect_any: Connect, kind: str, method: str, status: int
) -> None:
    server = serve(refusing(status), answering())
    caller = connect_any(server.url, Retry())

    error = caller.fails(ServiceError, method, body=BODIES[kind]())

    assert error.status == status
    assert error.response is not None
    assert error.response.content == b"too much"
    caller.is_well()
    assert server.connections == 2


EXPECTING: dict[str, tuple[bytes, bytes]] = {
    "never-answered": (b"", WELL),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n", WELL),
    "continue-twice": (b"HTTP/1.1 100 Continue\r\n\r\n" * 2, WELL),
    "continue-after-the-body": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" + WELL),
}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("row", EXPECTING)
def test_f24_a_body_goes_out_whether_or_not_the_service_says_continue(
    serve: Serve, connect_any: Connect, row: str, method: str, stalls: Stalls
) -> None:
    before, answer = EXPECTING[row]

    def script(peer: Peer) -> None:
        peer.arrives()
        peer.send(before)
        for _ in peer.requests():
            peer.send(answer)

    server = serve(script)
    caller = connect_any(server.url, virtual=False)
    began = caller.runtime.monotonic()

    assert caller.ask(method, headers={"Expect": "100-continue"}, body=b"x" * 200_000).content == b"well"

    assert caller.runtime.monotonic() - began < 3 + stalls.seconds
    assert [len(request.body) for request in server.requests] == [200_000]
    caller.is_well()
    assert server.connections == 1


def test_f24_a_service_that_does_not_like_expectations_is_heard(serve: Serve, connect_any: Connect) -> None:
    server = serve(refusing(417), answering())
    caller = connect_any(server.url, Retry())

    assert caller.fails(ServiceError, "POST", headers={"Expect": "100-continue"}, body=b"x" * 5_000_000).status == 417

    caller.is_well()


# --- F25, F26, F32, F34: statuses


class Row(NamedTuple):
    """A status, and how often a service that goes on giving it is asked: by GET, and by a POST without a key."""

    row: str
    status: int
    get: int
    post: int
    retry: Callable[[], Retry] = Retry
    afresh: bool = False  # whether each attempt has a connection of its own

    def attempts(self, kind: Kind) -> int:
        return self.get if kind.repeated else self.post


PERMANENT = [400, 403, 404, 409, 410, 412, 415, 422, 428, 451, 499, 501, 505]
ROWS = [
    Row("F25", 500, 1, 1),
    Row("F25 configured", 500, ATTEMPTS, 1, lambda: Retry(statuses=[500])),
    *[Row("F26", status, ATTEMPTS, 1) for status in (502, 503, 504)],
    Row("F26 opt-in", 503, ATTEMPTS, ATTEMPTS, lambda: Retry(unprocessed=[503])),
    Row("F29", 429, ATTEMPTS, ATTEMPTS),
    *[Row("F32", status, ATTEMPTS, ATTEMPTS, afresh=status == 421) for status in (408, 421, 425)],
    Row("F33 no credentials", 401, 1, 1),
    *[Row("F34", status, 1, 1) for status in PERMANENT],
]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.row} {row.status}" for row in ROWS])
def test_a_status_is_tried_again_as_often_as_may_help_and_do_no_harm(
    serve: Serve, connect_any: Connect, kind: Kind, row: Row
) -> None:
    """F25, F26, F29, F32-F34."""
    attempts = row.attempts(kind)
    server = serve(answering(*[reply(row.status)] * attempts))
    caller = connect_any(server.url, row.retry(), *kind.keys)

    error = caller.fails(ServiceError, kind.method, attempts=attempts, body=b"x")

    assert error.status == row.status
    assert error.call is not None
    assert error.call.may_have_been_processed == (not kind.repeated and row.status in (500, 502, 503, 504))
    assert error.response is not None
    assert error.response.content == b"no"
    assert len(server.requests) == attempts
    caller.is_well()
    # What retry does not hand over of a streamed answer, it does not read either.
    assert server.connections == (attempts + 1 if row.afresh else attempts if caller.streams else 1)
    base = 1.0 if row.status == 429 else 0.5
    assert len(caller.runtime.sleeps) == attempts - 1
    assert all(0 <= slept <= base * 2**n for n, slept in enumerate(caller.runtime.sleeps))


@pytest.mark.parametrize("row", [row for row in ROWS if row.get > 1], ids=lambda row: f"{row.row} {row.status}")
def test_a_service_that_recovers_is_asked_once_more_with_the_same_bytes(
    serve: Serve, connect_any: Connect, kind: Kind, row: Row
) -> None:
    """F25, F26, F29, F32."""
    again = row.attempts(kind) > 1
    server = serve(answering(reply(row.status)))
    caller = connect_any(server.url, row.retry(), *kind.keys)

    if again:
        assert caller.ask(kind.method, body=b"same").content == b"well"
    else:
        caller.fails(ServiceError, kind.method, body=b"same")

    assert [request.body for request in server.requests] == [b"same"] * (2 if again else 1)
    caller.is_well()


# --- F27, F29: answers that say when to come back


class Told(NamedTuple):
    """Fields of an answer, and the wait they mean: the least and the most seconds; None: not waited for."""

    row: str
    fields: tuple[str, ...]
    wait: tuple[float, float] | None
    status: int = 503
    timeout: float = 30.0


def date(after: float) -> str:
    return formatdate(START + after, usegmt=True)


OWN, OWN_THROTTLED = (0, 0.5), (0, 1.0)  # what is waited if nobody says
TOLD = [
    Told("F27 seconds", ("Retry-After: 2",), (2, 3.5)),
    Told("F27 a date", (f"Retry-After: {date(4)}",), (4, 6.5)),
    Told("F27 a date by another clock", (f"Date: {date(9000)}", f"Retry-After: {date(9004)}"), (4, 6.5)),
    Told("F27 now", ("Retry-After: 0",), OWN),
    Told("F27 a date that has passed", (f"Retry-After: {date(-100)}",), OWN),
    Told("F27 huge", ("Retry-After: 86400",), None),
    Told("F27 longer than is waited for", ("Retry-After: 61",), None, timeout=600.0),
    Told("F27 as long as is waited for", ("Retry-After: 60",), (60, 90.5), timeout=600.0),
    Told("F27 400 digits", ("Retry-After: " + "9" * 400,), None),
    Told("F27 the year 9999", ("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT",), None),
    Told("F27 beyond the deadline", ("Retry-After: 31",), None),
    Told("F27 invalid", ("Retry-After: soon",), OWN),
    Told("F27 negative", ("Retry-After: -5",), OWN),
    Told("F27 a fraction", ("Retry-After: 1.5",), OWN),
    Told("F27 1e20", ("Retry-After: 1e20",), OWN),
    Told("F27 twice", ("Retry-After: 2", "Retry-After: 3"), OWN),
    Told("F27 empty", ("Retry-After:",), OWN),
    Told("F29 seconds", ("Retry-After: 2",), (2, 4.0), 429),
    Told("F29 a quota", ('RateLimit: "default";r=0;t=7',), (7, 11.5), 429),
    Told("F29 a quota with some left", ('RateLimit: "default";r=5;t=7',), OWN_THROTTLED, 429),
    Told("F29 a quota that is malformed", ("RateLimit: ;;r=0;t=7",), OWN_THROTTLED, 429),
    Told("F29 RateLimit-Reset", ("RateLimit-Reset: 6", "RateLimit-Remaining: 0"), (6, 10.0), 429),
    Told("F29 epoch", (f"X-RateLimit-Reset: {START + 9}", "X-RateLimit-Remaining: 0"), (9, 14.5), 429),
    Told("F29 epoch that has passed", (f"X-RateLimit-Reset: {START - 9}",), OWN_THROTTLED, 429),
    Told("F29 epoch too late", (f"X-RateLimit-Reset: {START + 9000}",), None, 429),
    Told("F29 epoch of a 503", (f"X-RateLimit-Reset: {START + 9}",), OWN),
]


@pytest.mark.parametrize("told", TOLD, ids=[told.row for told in TOLD])
def test_the_wait_is_as_the_service_says_or_is_not_begun(
    serve: Serve, connect_any: Connect, kind: Kind, told: Told
) -> None:
    """F27, F29: a POST without a key waits if it was refused, as by 429, and for nothing else unless it may."""
    server = serve(answering(reply(told.status, *told.fields)))
    caller = connect_any(server.url, Retry(), *kind.keys, timeout=told.timeout)

    if told.wait is None or (not kind.repeated and told.status == 503):
        assert caller.fails(ServiceError, kind.method, body=b"x").status == told.status
        assert caller.runtime.sleeps == []
        assert len(server.requests) == 1
    else:
        least, most = told.wait
        assert caller.ask(kind.method, body=b"x").content == b"well"
        assert [request.body for request in server.requests] == [b"x"] * 2
        assert [least <= slept <= most for slept in caller.runtime.sleeps] == [True], caller.runtime.sleeps

    caller.is_well()


@pytest.mark.parametrize("told", [told for told in TOLD if told.status == 503], ids=lambda told: told.row)
def test_f27_a_post_that_may_be_sent_again_waits_as_long_as_any(serve: Serve, connect_any: Connect, told: Told) -> None:
    server = serve(answering(reply(503, *told.fields)))
    caller = connect_any(server.url, Retry(unprocessed=[503]), timeout=told.timeout)

    if told.wait is None:
        caller.fails(UnavailableError, "POST")
        assert caller.runtime.sleeps == []
    else:
        least, most = told.wait
        assert caller.ask("POST").content == b"well"
        assert [least <= slept <= most for slept in caller.runtime.sleeps] == [True], caller.runtime.sleeps


# --- F28, F30, F31: many calls, on virtual time alone


class Clock(Service):
    @operation
    async def time(self, method: str) -> int:
        return (await self.send(Request(method, self.url("time")))).status


class SyncClock(Clock, Client): ...


class AsyncClock(Clock, AsyncClient): ...


URL = "https://clock.example.test"


class Crowd:
    """Workers of one colour that call a service at the same virtual time, and share a budget.

    Args:
        colour: `"sync"` has a thread and a clock for each worker, `"async"` a task on one clock.
        service: seconds since the start to an answer.
        method: what they ask by.
        settings: of Retry.

    Attributes:
        requests: when each reached the service.
        outcomes: of every call: when it ended, and whether well.
    """

    def __init__(self, colour: str, service: Callable[[float], Response], method: str = "GET", **settings: Any) -> None:
        self.requests: list[float] = []
        self.outcomes: list[tuple[float, bool]] = []
        self._colour = colour
        self._service = service
        self._method = method
        self._settings: dict[str, Any] = {"budget": RetryBudget()} | settings

    def run(self, workers: int, calls: int, pause: float = 0.0) -> None:
        """Each worker makes so many calls, with a pause after each."""
        if self._colour == "async":
            runtime = SimulatedRuntime(1)
            runtime.run(runtime.gather(*(self._tasks(runtime, calls, pause) for _ in range(workers))))
            return
        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(partial(self._thread, calls, pause), range(workers)))

    @property
    def good(self) -> int:
        return sum(well for _, well in self.outcomes)

    def _answer(self, now: float) -> Response:
        self.requests.append(now)
        return self._service(now)

    def _thread(self, calls: int, pause: float, seed: int) -> None:
        runtime = VirtualSyncRuntime(seed)
        transport = FakeTransport(otherwise=lambda request: self._answer(runtime.elapsed))
        with SyncClock(URL, transport=transport, runtime=runtime, plugins=[Retry(**self._settings)]) as client:
            for _ in range(calls):
                try:
                    well = client.time(self._method) == 200
                except JackfieldError:
                    well = False
                self.outcomes.append((runtime.elapsed, well))
                runtime.elapsed += pause

    async def _tasks(self, runtime: SimulatedRuntime, calls: int, pause: float) -> None:
        network = SimulatedNetwork(lambda request: self._answer(runtime.elapsed), latency=(0, 0))
        client = AsyncClock(URL, transport=network, runtime=runtime, plugins=[Retry(**self._settings)])
        for _ in range(calls):
            try:
                well = await client.time(self._method) == 200
            except JackfieldError:
                well = False
            self.outcomes.append((runtime.elapsed, well))
            await runtime.sleep(pause)


COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


@COLOURS
@BOTH
def test_f28_a_storm_of_429_costs_no_more_than_the_budget(colour: str, method: str) -> None:
    crowd = Crowd(colour, lambda now: Response(429, {"retry-after": "1"}), method)

    crowd.run(workers=50, calls=40, pause=1.0)

    assert len(crowd.outcomes) == 50 * 40
    assert crowd.good == 0
    assert len(crowd.requests) <= 1.1 * len(crowd.outcomes) + 500 / 5


@COLOURS
@BOTH
def test_f28_who_was_refused_at_one_instant_does_not_come_back_at_one_instant(colour: str, method: str) -> None:
    crowd = Crowd(colour, lambda now: Response(429 if now == 0 else 200, {"retry-after": "1"}), method)

    crowd.run(workers=50, calls=1)

    back = [time for time in crowd.requests if time > 0]
    assert crowd.good == len(back) == 50
    assert min(back) >= 1
    assert max(back) - min(back) >= 0.5  # half of the window that they were told


@COLOURS
def test_f30_nearly_every_call_succeeds_while_one_request_in_five_fails(colour: str) -> None:
    """With one in two, 1.3 requests a call could not make more than 65 % of the calls succeed, whoever sends them."""
    crowd = Crowd(colour, flapping(0.2), max_attempts=5)

    crowd.run(workers=20, calls=200, pause=1.0)

    assert crowd.good >= 0.99 * len(crowd.outcomes)
    assert len(crowd.requests) <= 1.3 * len(crowd.outcomes)


@COLOURS
def test_f30_while_one_request_in_two_fails_no_more_is_sent_than_the_budget_allows(colour: str) -> None:
    crowd = Crowd(colour, flapping(0.5), max_attempts=5)

    crowd.run(workers=20, calls=200, pause=1.0)

    assert crowd.good >= 0.5 * len(crowd.outcomes)
    assert len(crowd.requests) <= 1.3 * len(crowd.outcomes)


@COLOURS
def test_f30_a_service_that_is_on_and_off_by_turns_costs_no_more_than_the_budget_allows(colour: str) -> None:
    crowd = Crowd(colour, lambda now: Response(200 if now % 10 < 5 else 503), max_attempts=5)

    crowd.run(workers=20, calls=200, pause=0.77)

    assert crowd.good >= 0.4 * len(crowd.outcomes)
    assert len(crowd.requests) <= 1.3 * len(crowd.outcomes)


@COLOURS
def test_f31_an_outage_ends_the_retries_and_its_end_is_seen_soon(colour: str) -> None:
    """Of one client; for a thousand see tests/simulation/test_outage.py."""
    down, up, cap = 60.0, 360.0, 20.0
    crowd = Crowd(colour, lambda now: Response(503 if down <= now < up else 200), cap=cap)

    crowd.run(workers=1, calls=300, pause=2.0)

    during = [time for time in crowd.requests if down <= time < up]
    calls = [time for time, _ in crowd.outcomes if down <= time < up]
    assert len(during) <= len(calls) + 500 / 14
    assert min(time for time, well in crowd.outcomes if well and time >= up) <= up + 2 * cap


def flapping(part: float) -> Callable[[float], Response]:
    """A service that gives 503 to that part of the requests."""
    chance, guard = Random(3), threading.Lock()

    def service(now: float) -> Response:
        with guard:
            return Response(503 if chance.random() < part else 200)

    return service


# --- F33: a token that has expired


class Bank:
    """A service and what gives tokens for it, of which only the last is good.

    Args:
        together: so many requests with a bad token are answered at one time.
    """

    def __init__(self, serve: Serve, together: int = 1) -> None:
        self.good = 0
        self._barrier = threading.Barrier(together)
        self.tokens = serve(self._give)
        self.service = serve(self._answer)

    def plugin(self) -> OAuth2:
        client = ClientSecretBasic("me", "secret")
        return OAuth2(f"{self.tokens.url}/token", Grant.client_credentials(), client=client)

    def _give(self, peer: Peer) -> None:
        for _ in peer.requests():
            self.good += 1
            body = b'{"access_token": "%d", "token_type": "Bearer", "expires_in": 3600}' % self.good
            peer.send(reply(200, "Content-Type: application/json", body=body))

    def _answer(self, peer: Peer) -> None:
        for request in peer.requests():
            if request.get_all("authorization") == [f"Bearer {self.good}"]:
                peer.send(WELL)
            else:
                self._barrier.wait(GUARD)
                peer.send(reply(401))


@BOTH
def test_f33_a_token_that_expired_is_replaced_once_and_the_call_replayed_once(
    serve: Serve, connect_any: Connect, method: str
) -> None:
    bank = Bank(serve)
    caller = connect_any(bank.service.url, bank.plugin(), Retry())
    caller.is_well()
    bank.good = 7  # the first one is no longer taken

    assert caller.ask(method, body=b"x" * 10).content == b"well"

    assert len(bank.tokens.requests) == 2
    sent = [(request.get_all("authorization"), request.body) for request in bank.service.requests[1:]]
    assert sent == [(["Bearer 1"], b"x" * 10), (["Bearer 8"], b"x" * 10)]
    caller.is_well()


@BOTH
def test_f33_many_calls_with_an_expired_token_cost_one_refresh(
    serve: Serve, connect_whole: Connect, method: str
) -> None:
    bank = Bank(serve, together=20)
    caller = connect_whole(bank.service.url, bank.plugin(), Retry(), virtual=False, connections=20)
    caller.is_well()
    bank.good = 7

    outcomes = caller.many(["things"] * 20, method)

    assert [outcome.content for outcome in outcomes if isinstance(outcome, Response)] == [b"well"] * 20
    assert len(bank.tokens.requests) == 2
    assert len(bank.service.requests) == 1 + 20 + 20


@BOTH
def test_f33_a_401_that_stays_is_an_error_after_one_replay(serve: Serve, connect_any: Connect, method: str) -> None:
    bank = Bank(serve)
    service = serve(answering(WELL, reply(401), reply(401)))
    caller = connect_any(service.url, bank.plugin(), Retry())
    caller.is_well()

    caller.fails(UnauthorizedError, method, attempts=2)

    assert len(bank.tokens.requests) == 2
    caller.is_well()


# --- F35: redirects that lead nowhere


HERE = "Location: /things?token=canary-3f9a"
NOWHERE: dict[str, tuple[tuple[str, ...], int]] = {
    "no-location": ((), 1),
    "two-locations": ((HERE, "Location: /other"), 1),
    "a-file": (("Location: file:///etc/passwd",), 1),
    "somebody": (("Location: http://ada:secret@127.0.0.1/",), 1),
    "loop": ((HERE,), 21),
}


@pytest.mark.parametrize("status", [302, 303, 307])
@pytest.mark.parametrize("row", NOWHERE)
@BOTH
def test_f35_a_redirect_that_leads_nowhere_is_an_error(
    serve: Serve, connect_any: Connect, row: str, status: int, method: str
) -> None:
    fields, requests = NOWHERE[row]
    server = serve(answering(*[reply(status, *fields)] * requests))
    caller = connect_any(server.url, Retry())
    last = method if requests == 1 or status in (307, 308) else "GET"

    error = caller.fails(RedirectError, method, last=last, attempts=requests)

    assert len(error.chain) == requests
    assert len(server.requests) == requests
    caller.is_well()
    assert server.connections == 1


def test_f35_what_a_redirect_says_besides_is_not_read_to_its_end(serve: Serve, connect_any: Connect) -> None:
    def endless(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 302 Found\r\nLocation: /good\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    server = serve(endless, answering())
    caller = connect_any(server.url, virtual=False, timeout=5)

    assert caller.ask().content == b"well"
    assert server.peer(1).ended.wait(GUARD)
    caller.is_well()


@pytest.mark.parametrize("status", [400, 503])
@pytest.mark.parametrize(("size", "connections"), [(65536, 1), (65537, 1), (200_000, 2)])
def test_what_is_no_success_is_kept_to_64_kib_and_keeps_its_status(
    serve: Serve, connect_whole: Connect, status: int, size: int, connections: int
) -> None:
    """The connection of one that is much longer is given up."""
    server = serve(answering(reply(status, body=b"x" * size)))
    caller = connect_whole(server.url, max_body_size=1_000_000)

    try:
        response: Response | None = caller.ask("POST")
    except ServiceError as error:
        response = error.response

    assert response is not None
    assert (response.status, len(response.content)) == (status, 65536)
    caller.is_well()
    assert server.connections == connections


def test_what_is_no_success_is_not_waited_for_beyond_64_kib(serve: Serve, connect_whole: Connect) -> None:
    def at_length(peer: Peer) -> None:
        peer.request()
        peer.send(reply(404, body=b"x" * 200_000)[: 65537 - 200_000])
        peer.hang()

    server = serve(at_length, answering())
    caller = connect_whole(server.url, read_timeout=3)

    error = caller.fails(ServiceError, "POST")

    assert error.response is not None
    assert len(error.response.content) == 65536
    caller.is_well()
    assert server.connections == 2
