"""Retry: again where that can do no harm, never where it can, and always within the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import Make, both, get, makers

from jackfield import (
    BodyTooLargeError,
    Call,
    ConfigurationError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DeadlineExceededError,
    JackfieldError,
    PoolTimeoutError,
    Proceed,
    ProtocolError,
    ReadTimeoutError,
    Request,
    Response,
    RetryScheduled,
    Service,
    ServiceError,
    Stage,
    Step,
    StreamBody,
    TLSError,
    TruncatedBodyError,
    UnavailableError,
    Url,
    Without,
    hookimpl,
    operation,
)
from jackfield.testing import Answer, FakeTransport, VirtualAsyncioRuntime
from jackfield_plugins.retry import Retry, RetryBudget
from jackfield_plugins.retry._failure import Kind

DAY = 86_400.0
GOOD = Response(200, body=b"here")
DOWN, LATE, BUSY = ConnectError("down"), ReadTimeoutError("late"), Response(503, body=b"busy")


class Core(Service):
    @operation
    async def send_it(self, method: str = "GET", body: Any = b"", idempotent: bool | None = None) -> bytes:
        """Sends a request of this method."""
        request = Request(method, self.url("thing"), body=body, idempotent=idempotent)
        return (await self.send(request)).content

    @operation
    async def stream_it(self) -> int:
        return (await self.send(Request("GET", self.url("thing")), stream=True)).status


sync_client, async_client = makers(Core)
BOTH = both(sync_client, async_client)


def error_of(call: Callable[..., Any], *args: Any, **kwargs: Any) -> JackfieldError:
    with pytest.raises(JackfieldError) as caught:
        get(call(*args, **kwargs))
    return caught.value


class Watch:
    name = "watch"

    def __init__(self) -> None:
        self.events: list[Any] = []

    @hookimpl
    def jackfield_observer(self) -> Callable[[Any], None]:
        return self.events.append


class Tail:
    """A body that is still arriving."""

    def __init__(self) -> None:
        self.closed = 0

    async def read(self) -> bytes:
        return b""

    async def close(self) -> None:
        self.closed += 1


# --- what is tried again


@BOTH
def test_what_succeeds_at_once_is_sent_once_and_waits_for_nothing(make: Make) -> None:
    transport = FakeTransport([GOOD])
    client = make(transport, Retry())

    assert get(client.send_it()) == b"here"
    assert len(transport.requests) == 1
    assert client.runtime.sleeps == []


@BOTH
@pytest.mark.parametrize(
    "answer",
    [DOWN, LATE, BUSY, ConnectionLostError("x"), TruncatedBodyError("x"), ConnectTimeoutError("x")]
    + [Response(status) for status in (408, 421, 425, 429, 502, 504)],
)
def test_a_read_that_fails_on_the_way_is_tried_again(make: Make, answer: Answer) -> None:
    transport = FakeTransport([answer, answer, GOOD])
    client = make(transport, Retry())

    assert get(client.send_it()) == b"here"
    assert len(transport.requests) == 3
    assert transport.requests[0] == transport.requests[1] == transport.requests[2]
    assert len(client.runtime.sleeps) == 2


@BOTH
@pytest.mark.parametrize(
    "answer",
    [DOWN, ConnectTimeoutError("x"), PoolTimeoutError("x")] + [Response(status) for status in (408, 421, 425, 429)],
)
def test_a_change_that_was_certainly_not_processed_is_tried_again(make: Make, answer: Answer) -> None:
    transport = FakeTransport([answer, GOOD])

    assert get(make(transport, Retry()).send_it("POST", b"change")) == b"here"
    assert [request.body for request in transport.requests] == [b"change", b"change"]


@BOTH
@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    "answer",
    [LATE, BUSY, ConnectionLostError("x"), TruncatedBodyError("x")]
    + [Response(status, {"retry-after": "1"}) for status in (500, 502, 503, 504)],
)
def test_a_change_that_may_have_been_processed_is_sent_exactly_once(make: Make, method: str, answer: Answer) -> None:
    transport = FakeTransport([answer])

    error = error_of(make(transport, Retry(max_attempts=9)).send_it, method, b"change")

    assert len(transport.requests) == 1
    assert error.call is not None
    assert error.call.may_have_been_processed


@BOTH
@pytest.mark.parametrize("answer", [LATE, BUSY])
def test_what_a_request_declares_of_itself_goes_over_its_method(make: Make, answer: Answer) -> None:
    declared = FakeTransport([answer, GOOD])
    assert get(make(declared, Retry()).send_it("POST", idempotent=True)) == b"here"

    denied = FakeTransport([answer])
    error_of(make(denied, Retry()).send_it, "GET", idempotent=False)
    assert len(denied.requests) == 1


@BOTH
@pytest.mark.parametrize("answer", [TLSError("certificate"), ProtocolError("no HTTP"), BodyTooLargeError("huge")])
def test_what_would_be_wrong_again_is_not_tried_again(make: Make, answer: Answer) -> None:
    transport = FakeTransport([answer])

    assert type(error_of(make(transport, Retry()).send_it)) is type(answer)
    assert len(transport.requests) == 1


@BOTH
@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 403, 404, 405, 409, 422, 500, 501, 505, 599])
def test_every_other_answer_is_final(make: Make, status: int) -> None:
    transport = FakeTransport([Response(status)])

    get(make(transport, Retry(), Without("errors")).send_it())

    assert len(transport.requests) == 1


@BOTH
def test_an_error_of_another_step_is_not_tried_again(make: Make) -> None:
    class Broken:
        name = "broken"

        @hookimpl
        def jackfield_steps(self) -> Iterable[Step]:
            return [Step("broken", Stage.LIMIT, self.run)]

        async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            raise ZeroDivisionError("a defect")

    client = make(FakeTransport(), Retry(), Broken())

    with pytest.raises(ZeroDivisionError):
        get(client.send_it())
    assert client.runtime.sleeps == []


@BOTH
def test_what_another_service_cannot_give_now_is_asked_for_again_as_nothing_was_sent(make: Make) -> None:
    class Asking:
        name = "auth"

        def __init__(self) -> None:
            self.answers = [UnavailableError("the token service answered 503", status=503)] * 2

        @hookimpl
        def jackfield_steps(self) -> Iterable[Step]:
            return [Step("auth", Stage.AUTH, self.run)]

        async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            if self.answers:
                raise self.answers.pop()
            return await proceed(request, call)

    transport = FakeTransport([GOOD])
    client = make(transport, Retry(), Asking())

    assert get(client.send_it("POST")) == b"here"
    assert len(client.runtime.sleeps) == 2
    assert len(transport.requests) == 1


class Asking:
    """Asks another service first, by a request on the side."""

    name = "auth"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step("auth", Stage.AUTH, self.run)]

    async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        answer = await call.fetch(Request("POST", Url.parse("https://login/token")), "token")
        if answer.status >= 400:
            raise ServiceError.from_response(answer)
        return await proceed(request, call)


@BOTH
@pytest.mark.parametrize("answer", [LATE, DOWN, BUSY, Response(429, {"retry-after": "1"})])
def test_a_change_whose_token_could_not_be_had_was_not_sent(make: Make, answer: Answer) -> None:
    transport = FakeTransport([answer, GOOD, GOOD])

    assert get(make(transport, Retry(), Asking()).send_it("POST", StreamBody.once([b"a"]))) == b"here"
    assert [request.url.path for request in transport.requests] == ["/token", "/token", "/thing"]


@BOTH
def test_a_change_that_was_handed_over_before_its_token_could_not_be_had_again_is_not_sent_again(make: Make) -> None:
    class Renewing(Asking):
        async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            response = await proceed(request, call)
            return await super().run(request, call, proceed) if response.status == 401 else response

    for answer in (BUSY, LATE):
        transport = FakeTransport([Response(401), answer])
        error_of(make(transport, Retry(), Renewing()).send_it, "POST", b"change")
        assert [request.url.path for request in transport.requests] == ["/thing", "/token"]


@BOTH
def test_the_wait_after_another_services_refusal_is_as_long_as_that_service_says(make: Make) -> None:
    client = make(FakeTransport([Response(429, {"retry-after": "7"}), GOOD, GOOD]), Retry(), Asking())
    client.runtime.random = lambda: 0.0

    get(client.send_it("POST"))

    assert client.runtime.sleeps == [7]


@BOTH
def test_which_answers_are_tried_again_can_be_said(make: Make) -> None:
    only_500 = FakeTransport([Response(500), BUSY])
    error_of(make(only_500, Retry(statuses={500})).send_it)
    assert len(only_500.requests) == 2

    proof = FakeTransport([BUSY, Response(429)])
    error_of(make(proof, Retry(unprocessed={503})).send_it, "POST")
    assert len(proof.requests) == 2


@pytest.mark.parametrize("name", ["statuses", "unprocessed"])
@pytest.mark.parametrize("wrong", [200, 301, 400, 401, 404, 409, 501, 505, 600, "503", True])
def test_an_answer_that_would_be_the_same_again_cannot_be_named(name: str, wrong: Any) -> None:
    for statuses in ([503, wrong], wrong):
        options: dict[str, Any] = {name: statuses}
        with pytest.raises(ConfigurationError, match=f"{name} is a set of statuses"):
            Retry(**options)


# --- how often


@BOTH
@pytest.mark.parametrize("attempts", [1, 2, 5])
@pytest.mark.parametrize("answer", [DOWN, BUSY])
def test_after_the_last_attempt_the_last_outcome_is_given(make: Make, attempts: int, answer: Answer) -> None:
    transport = FakeTransport(otherwise=answer)
    client = make(transport, Retry(max_attempts=attempts))

    error = error_of(client.send_it)

    assert type(error) is (ConnectError if answer is DOWN else UnavailableError)
    assert error.call is not None
    assert error.call.attempts == len(transport.requests) == attempts
    assert len(client.runtime.sleeps) == attempts - 1


@BOTH
def test_failures_of_different_kinds_count_together(make: Make) -> None:
    transport = FakeTransport([DOWN, BUSY, LATE], otherwise=GOOD)

    assert type(error_of(make(transport, Retry(max_attempts=3)).send_it)) is ReadTimeoutError


@BOTH
def test_three_attempts_are_made_where_nobody_says(make: Make) -> None:
    for plugin in (Retry(), "retry"):
        transport = FakeTransport(otherwise=DOWN)
        error_of(make(transport, plugin).send_it)
        assert len(transport.requests) == 3


@BOTH
def test_the_users_retry_takes_the_place_of_the_bundles(make: Make) -> None:
    transport = FakeTransport(otherwise=DOWN)

    error_of(make(transport, Retry(max_attempts=5), defaults=[Retry(max_attempts=2)]).send_it)

    assert len(transport.requests) == 5


@BOTH
def test_a_second_owner_of_the_stage_is_refused(make: Make) -> None:
    class Mine(Retry):
        name = "mine"

    with pytest.raises(ConfigurationError, match="'mine' and 'retry'"):
        make(FakeTransport(), Retry(), Mine())


# --- how long


@BOTH
def test_waits_double_up_to_the_cap_and_are_a_random_part_of_that(make: Make) -> None:
    client = make(FakeTransport(otherwise=DOWN), Retry(max_attempts=7, base=1, cap=10))
    client.runtime.random = lambda: 0.5

    error_of(client.send_it)

    assert client.runtime.sleeps == [0.5, 1, 2, 4, 5, 5]


@given(
    seed=st.integers(0, 2**32),
    base=st.floats(0.001, 10),
    factor=st.floats(1, 100),
    attempts=st.integers(1, 12),
)
@settings(deadline=None, max_examples=60)
def test_whatever_the_settings_no_wait_is_longer_than_they_allow(
    seed: int, base: float, factor: float, attempts: int
) -> None:
    cap = base * factor
    retry = Retry(max_attempts=attempts, base=base, cap=cap)
    client = sync_client(FakeTransport(otherwise=DOWN), retry, seed=seed, timeout=DAY)

    error_of(client.send_it)

    assert len(client.runtime.sleeps) == attempts - 1
    for number, wait in enumerate(client.runtime.sleeps):
        assert 0 <= wait <= min(cap, base * 2**number)


def test_the_jitter_is_full_so_that_many_clients_spread_over_the_whole_window() -> None:
    waits: list[float] = []
    for seed in range(200):
        client = sync_client(FakeTransport([DOWN, GOOD]), Retry(base=1), seed=seed)
        client.send_it()
        waits += client.runtime.sleeps

    tenths = {int(wait * 10) for wait in waits}
    assert tenths == set(range(10))


@BOTH
@pytest.mark.parametrize("answer", [DOWN, BUSY])
def test_a_wait_that_does_not_fit_into_the_deadline_is_not_begun(make: Make, answer: Answer) -> None:
    transport = FakeTransport(otherwise=answer)
    client = make(transport, Retry(max_attempts=9, base=4), timeout=3)
    client.runtime.random = lambda: 0.75

    error = error_of(client.send_it)

    assert type(error) is (ConnectError if answer is DOWN else UnavailableError)
    assert not isinstance(error, DeadlineExceededError)
    assert len(transport.requests) == 1
    assert client.runtime.elapsed == 0


@BOTH
def test_waits_that_fit_are_made_until_one_does_not(make: Make) -> None:
    client = make(FakeTransport(otherwise=BUSY), Retry(max_attempts=99, base=1, cap=100), timeout=10)
    client.runtime.random = lambda: 0.99

    error_of(client.send_it)

    assert [round(wait, 2) for wait in client.runtime.sleeps] == [0.99, 1.98, 3.96]


@BOTH
def test_a_day_of_retries_passes_at_once_and_ends_with_the_day(make: Make) -> None:
    transport = FakeTransport(otherwise=BUSY)
    patient = Retry(max_attempts=1_000_000, base=1, cap=60, budget=RetryBudget(10**9))
    client = make(transport, patient, timeout=DAY)

    error = error_of(client.send_it)

    assert type(error) is UnavailableError
    assert DAY - 60 < client.runtime.elapsed < DAY
    assert len(transport.requests) > 2000


@BOTH
def test_a_view_without_it_tries_once_and_one_with_another_tries_as_often_as_that(make: Make) -> None:
    transport = FakeTransport(otherwise=DOWN)
    client = make(transport, Retry())

    for view, attempts in ((client.with_options(retry=None), 1), (client.with_options(retry=Retry(max_attempts=6)), 6)):
        transport.requests.clear()
        error_of(view.send_it)
        assert len(transport.requests) == attempts


# --- the service's word


def answer(status: int = 503, **fields: Any) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in fields.items()})


@BOTH
@pytest.mark.parametrize(
    "told", [answer(retry_after="4"), answer(429, ratelimit='"a";r=0;t=4'), answer(429, x_ratelimit_reset="1700000004")]
)
def test_the_wait_is_as_long_as_the_service_says(make: Make, told: Response) -> None:
    client = make(FakeTransport([told, GOOD]), Retry())
    client.runtime.random = lambda: 0.0

    get(client.send_it())

    assert client.runtime.sleeps == [4]


@BOTH
@pytest.mark.parametrize("fields", [{"retry_after": "61"}, {"retry_after": "9" * 400}, {"retry_after_ms": "60001"}])
def test_a_wait_that_is_longer_than_allowed_is_not_begun(make: Make, fields: dict[str, Any]) -> None:
    client = make(FakeTransport([answer(**fields)]), Retry(), timeout=DAY)

    assert type(error_of(client.send_it)) is UnavailableError
    assert client.runtime.sleeps == []


@BOTH
@pytest.mark.parametrize(("seconds", "sleeps"), [("9", 1), ("10", 0), ("11", 0)])
def test_the_services_wait_fits_into_the_deadline_or_is_not_begun(make: Make, seconds: str, sleeps: int) -> None:
    for seed in range(10):
        client = make(FakeTransport([answer(retry_after=seconds), GOOD]), Retry(), timeout=10, seed=seed)
        if sleeps:
            get(client.send_it())
        else:
            error_of(client.send_it)
        assert len(client.runtime.sleeps) == sleeps
        assert client.runtime.elapsed < 10


@pytest.mark.parametrize(("status", "fields"), [(429, {"retry_after": "1"}), (503, {"retry_after": "20"})])
def test_clients_that_are_told_the_same_come_back_over_half_of_that_time_and_more(
    status: int, fields: dict[str, Any]
) -> None:
    told = float(fields["retry_after"])
    waits: list[float] = []
    for seed in range(50):
        client = sync_client(FakeTransport([answer(status, **fields), GOOD]), Retry(), seed=seed)
        client.send_it()
        waits += client.runtime.sleeps

    assert min(waits) >= told
    assert max(waits) - min(waits) >= told / 2
    fullest = max(sum(begin <= wait < begin + told / 20 for wait in waits) for begin in waits)
    assert fullest <= 15  # no burst: of 50 that would be 50


# --- the budget


@BOTH
def test_an_outage_costs_no_more_requests_than_the_budget_allows(make: Make) -> None:
    transport = FakeTransport(otherwise=BUSY)
    client = make(transport, Retry())

    for _ in range(1000):
        error_of(client.send_it)

    assert len(transport.requests) == 1000 + 500 // 14


@BOTH
def test_an_outage_by_timeouts_or_throttling_does_neither(make: Make) -> None:
    for outcome, most in ((LATE, 500 // 14), (Response(429), 500 // 5)):
        transport = FakeTransport(otherwise=outcome)
        client = make(transport, Retry())
        for _ in range(300):
            error_of(client.send_it)
        assert len(transport.requests) == 300 + most


@BOTH
def test_with_one_call_in_ten_lost_for_good_the_requests_are_at_most_a_tenth_more(make: Make) -> None:
    lost, well = FakeTransport(otherwise=BUSY), FakeTransport(otherwise=GOOD)
    budget = RetryBudget()
    bad, good = make(lost, Retry(budget=budget)), make(well, Retry(budget=budget))

    for _ in range(200):
        error_of(bad.send_it)
        for _ in range(9):
            get(good.send_it())

    calls, requests = 200 * 10, len(lost.requests) + len(well.requests)
    assert calls * 1.05 < requests <= calls * 1.1 + 500 / 14


@BOTH
def test_a_success_gives_back_what_the_last_retry_cost(make: Make) -> None:
    budget = RetryBudget()
    client = make(FakeTransport([LATE, BUSY, Response(429), GOOD, GOOD]), Retry(max_attempts=9, budget=budget))

    get(client.send_it())
    assert budget.tokens == 500 - 14 - 14

    get(client.send_it())
    assert budget.tokens == 500 - 14 - 14 + 1


@BOTH
@pytest.mark.parametrize(("status", "given"), [(404, 1), (304, 1), (500, 0), (501, 0)])
def test_an_answer_of_a_service_that_is_well_counts_as_a_success(make: Make, status: int, given: int) -> None:
    budget = RetryBudget()
    client = make(FakeTransport([Response(status)]), Retry(budget=budget), Without("errors"))
    budget.take(Kind.TRANSIENT)

    get(client.send_it())

    assert budget.tokens == 486 + given


@BOTH
def test_what_is_not_repeated_costs_nothing(make: Make) -> None:
    for outcome, options in ((BUSY, {"timeout": 0.001}), (answer(retry_after="99"), {}), (TLSError("x"), {})):
        budget = RetryBudget()
        error_of(make(FakeTransport([outcome]), Retry(budget=budget), **options).send_it)
        error_of(make(FakeTransport([BUSY]), Retry(budget=budget)).send_it, "POST")
        error_of(make(FakeTransport([BUSY]), Retry(budget=budget, max_attempts=1)).send_it)
        assert budget.tokens == 500


@BOTH
def test_clients_that_name_one_budget_share_it_and_others_do_not(make: Make) -> None:
    name = f"test {make}"
    for plugin, attempts in ((Retry(budget=name), 3), (Retry(budget=name), 3), (Retry(), 3)):
        transport = FakeTransport(otherwise=BUSY)
        error_of(make(transport, plugin).send_it)
        assert len(transport.requests) == attempts
    for _ in range(20):
        error_of(make(FakeTransport(otherwise=BUSY), Retry(budget=name)).send_it)

    used_up, own = FakeTransport(otherwise=BUSY), FakeTransport(otherwise=BUSY)
    error_of(make(used_up, Retry(budget=name)).send_it)
    error_of(make(own, Retry()).send_it)

    assert (len(used_up.requests), len(own.requests)) == (1, 3)


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"throttle_base": 0},
        {"throttle_base": float("nan")},
        {"max_server_delay": 0},
        {"max_server_delay": float("inf")},
        {"budget": ""},
        {"max_attempts": 0},
        {"max_attempts": -1},
        {"base": 0},
        {"base": -1},
        {"base": 30},
        {"cap": 0.1},
        {"cap": float("inf")},
        {"base": float("nan")},
        {"cap": float("nan")},
        {"max_attempts": float("nan")},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Retry(**wrong)


# --- bodies


@BOTH
def test_a_body_that_can_be_replayed_is_sent_again_from_its_beginning(make: Make) -> None:
    sent: list[bytes] = []

    def take(request: Request) -> Response:
        sent.append(b"".join(request.body) if isinstance(request.body, StreamBody) else request.body)
        return BUSY if len(sent) < 3 else GOOD

    get(make(FakeTransport(otherwise=take), Retry()).send_it("PUT", StreamBody(lambda: [b"a", b"b"])))

    assert sent == [b"ab", b"ab", b"ab"]


@BOTH
@pytest.mark.parametrize("answer", [LATE, BUSY])
def test_a_body_that_cannot_be_replayed_is_not_sent_again(make: Make, answer: Answer) -> None:
    transport = FakeTransport([answer])

    error_of(make(transport, Retry()).send_it, "PUT", StreamBody.once([b"a"]))

    assert len(transport.requests) == 1


@BOTH
def test_a_body_that_was_not_touched_is_sent_even_if_it_cannot_be_replayed(make: Make) -> None:
    transport = FakeTransport([DOWN, GOOD])

    assert get(make(transport, Retry()).send_it("PUT", StreamBody.once([b"a"]))) == b"here"


@BOTH
def test_the_body_of_an_answer_that_is_not_used_is_let_go_before_the_next_attempt(make: Make) -> None:
    tails = [Tail(), Tail(), Tail()]
    closed_before: list[list[int]] = []

    def serve(request: Request) -> Response:
        closed_before.append([tail.closed for tail in tails])
        number = len(closed_before) - 1
        return Response(503 if number < 2 else 200, body=tails[number])

    assert get(make(FakeTransport(otherwise=serve), Retry()).stream_it()) == 200
    assert closed_before == [[0, 0, 0], [1, 0, 0], [1, 1, 0]]
    assert tails[2].closed == 0


@BOTH
def test_a_body_that_cannot_be_closed_is_no_reason_to_give_up(make: Make) -> None:
    class Broken(Tail):
        async def close(self) -> None:
            raise OSError("broken")

    transport = FakeTransport([Response(503, body=Broken()), Response(200, body=Tail())])

    assert get(make(transport, Retry()).stream_it()) == 200


# --- in the chain


@BOTH
def test_all_below_it_happens_afresh_for_each_attempt_and_all_above_it_once(make: Make) -> None:
    heard: list[str] = []

    class Hear:
        name = "hear"

        @hookimpl
        def jackfield_steps(self) -> Iterable[Step]:
            return [self.step(stage) for stage in (Stage.CACHE, Stage.LIMIT, Stage.AUTH, Stage.SIGN)]

        def step(self, stage: Stage) -> Step:
            async def run(request: Request, call: Call, proceed: Proceed) -> Response:
                heard.append(stage.name)
                return await proceed(request, call)

            return Step(stage.name, stage, run)

    get(make(FakeTransport([BUSY, DOWN, GOOD]), Retry(), Hear()).send_it())

    assert heard == ["CACHE", *["LIMIT", "AUTH", "SIGN"] * 3]


@BOTH
def test_observers_are_told_which_attempt_comes_when_and_why(make: Make) -> None:
    watch = Watch()
    client = make(FakeTransport([BUSY, DOWN, GOOD]), Retry(), watch)

    get(client.send_it())

    one, two = client.runtime.sleeps
    assert [event for event in watch.events if isinstance(event, RetryScheduled)] == [
        RetryScheduled("send_it", 2, one, "503"),
        RetryScheduled("send_it", 3, two, "ConnectError"),
    ]


def test_a_call_that_is_cancelled_while_it_waits_is_not_tried_again() -> None:
    class Patient(VirtualAsyncioRuntime):
        async def sleep(self, seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

    transport = FakeTransport([DOWN])
    waiting = asyncio.Event()

    async def main() -> None:
        client = async_client(transport, Retry(), runtime=Patient())
        task = asyncio.ensure_future(client.send_it())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert len(transport.requests) == 1
