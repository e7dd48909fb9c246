"""Coalescing: the same request at one time is sent once, and a leader that fails takes nobody with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any

import pytest
from tests.jackfield_plugins.caching.asking import DATE, URL, Api, Watching, answer, did

from jackfield import (
    AsyncClient,
    CacheHit,
    Call,
    Client,
    ConnectError,
    DeadlineExceededError,
    Pure,
    Request,
    Response,
    Stage,
    SyncRuntime,
    UnavailableError,
    hookimpl,
)
from jackfield._flight import Signal
from jackfield.testing import Answer, FakeTransport, SimulatedRuntime, VirtualSyncRuntime
from jackfield_plugins.caching import Cache

MANY = 100


class ApiClient(Api, Client): ...


class AsyncApiClient(Api, AsyncClient): ...


class Service:
    """Answers a second later, in virtual time, with the next of its answers."""

    def __init__(self, runtime: SimulatedRuntime, *answers: Any, otherwise: Any = None) -> None:
        self._runtime = runtime
        self._answers = list(answers)
        self._otherwise = otherwise
        self.fake = FakeTransport(otherwise=self._answer)

    async def _answer(self, request: Request) -> Response:
        given = self._answers.pop(0) if self._answers else self._otherwise
        await self._runtime.sleep(1)
        if isinstance(given, Exception):
            raise copy(given)
        assert isinstance(given, Response)
        return given


def together(
    service: Service, runtime: SimulatedRuntime, *plugins: object, count: int = MANY, **options: Any
) -> list[Any]:
    """What so many same calls at once end with, values and errors."""
    client = AsyncApiClient(URL, transport=service.fake, plugins=plugins, runtime=runtime, **options)

    async def one() -> Any:
        try:
            return await client.ask()
        except Exception as error:
            return error

    async def main() -> list[Any]:
        return await runtime.gather(*[one() for _ in range(count)])

    return runtime.run(main())


def test_a_hundred_same_misses_of_tasks_are_one_request() -> None:
    runtime, watching, cache = SimulatedRuntime(1), Watching(), Cache()
    service = Service(runtime, answer(b"one"))

    answers = together(service, runtime, cache, watching)

    assert [found.body for found in answers] == [b"one"] * MANY
    assert len(service.fake.requests) == 1
    assert runtime.elapsed == 1
    assert [event.kind for event in watching.named(CacheHit)] == ["shared"] * (MANY - 1)
    assert sorted(map(did, answers))[:2] == ["jackfield; fwd=uri-miss; collapsed; ttl=59"] * 2
    assert cache.stats()[:7] == (0, 0, 0, MANY - 1, 1, 0, 0)


class Counting(SyncRuntime):
    """Calls when so many wait for others."""

    def __init__(self, waiting: int, then: Callable[[], object]) -> None:
        super().__init__()
        self._left = waiting
        self._then = then
        self._guard = threading.Lock()

    def signal(self) -> Signal:
        with self._guard:
            self._left -= 1
            if not self._left:
                self._then()
        return super().signal()


def in_threads(answers: list[Answer], cache: Cache, count: int) -> tuple[list[Any], FakeTransport]:
    """As `together`, in threads: the first answer comes when all the others wait for it."""
    everybody_waits = threading.Event()

    def late(request: Request) -> Response:
        assert everybody_waits.wait(10)
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        assert isinstance(given, Response)
        return given

    fake = FakeTransport(otherwise=late)
    client = ApiClient(URL, transport=fake, plugins=[cache], runtime=Counting(count - 1, everybody_waits.set))

    def one(_: int) -> Any:
        try:
            return client.ask()
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count))), fake


def test_a_hundred_same_misses_of_threads_are_one_request() -> None:
    answers, fake = in_threads([answer(b"one")], Cache(), MANY)

    assert [found.body for found in answers] == [b"one"] * MANY
    assert len(fake.requests) == 1


def test_threads_and_tasks_share_one_request() -> None:
    cache, others_wait, asked = Cache(), threading.Event(), threading.Event()

    def late(request: Request) -> Response:
        asked.set()
        assert others_wait.wait(10)
        return answer(b"one")

    fake = FakeTransport([late])
    client = ApiClient(URL, transport=fake, plugins=[cache])
    with ThreadPoolExecutor(1) as threads:
        leading = threads.submit(client.ask)
        assert asked.wait(10)

        async def main() -> list[Response]:
            async with AsyncApiClient(URL, transport=fake, plugins=[cache]) as theirs:
                calls = [asyncio.ensure_future(theirs.ask()) for _ in range(10)]
                flight = next(iter(cache._together._flights._flying.values()))
                while len(flight.followers) < 10:  # noqa: ASYNC110 - nobody tells when somebody begins to follow
                    await asyncio.sleep(0)
                others_wait.set()
                return await asyncio.gather(*calls)

        followed = asyncio.run(main())

    assert leading.result().body == b"one"
    assert [found.body for found in followed] == [b"one"] * 10
    assert len(fake.requests) == 1


def test_a_leader_that_fails_takes_nobody_with_it() -> None:
    runtime = SimulatedRuntime(2)
    service = Service(runtime, ConnectError("refused"), answer(b"one"))

    answers = together(service, runtime, Cache())

    assert sum(isinstance(found, ConnectError) for found in answers) == 1
    assert sum(isinstance(found, Response) for found in answers) == MANY - 1
    assert len(service.fake.requests) == 2


def test_nor_does_one_that_is_answered_with_a_failure() -> None:
    runtime = SimulatedRuntime(3)
    service = Service(runtime, Response(503), answer(b"one"))

    answers = together(service, runtime, Cache())

    assert sum(isinstance(found, UnavailableError) for found in answers) == 1
    assert sum(isinstance(found, Response) for found in answers) == MANY - 1
    assert len(service.fake.requests) == 2


@pytest.mark.parametrize("failure", [ConnectError("refused"), Response(503)])
def test_a_service_that_fails_twice_is_not_asked_by_all(failure: Any) -> None:
    runtime = SimulatedRuntime(4)
    service = Service(runtime, otherwise=failure)

    answers = together(service, runtime, Cache())

    kind = ConnectError if isinstance(failure, Exception) else UnavailableError
    assert all(isinstance(found, kind) for found in answers)
    assert len({id(found) for found in answers}) == MANY
    assert len(service.fake.requests) == 2


def test_in_threads_too_a_leader_that_fails_takes_nobody_with_it() -> None:
    answers, fake = in_threads([ConnectError("refused"), answer(b"one")], Cache(), 20)

    assert sum(isinstance(found, ConnectError) for found in answers) == 1
    assert sum(isinstance(found, Response) for found in answers) == 19
    assert len(fake.requests) == 2


def test_a_later_call_asks_again() -> None:
    runtime = SimulatedRuntime(5)
    service = Service(runtime, ConnectError("x"), ConnectError("x"), answer(b"one"))
    cache = Cache()
    together(service, runtime, cache)

    [later] = together(service, runtime, cache, count=1)

    assert later.body == b"one"


def test_a_leader_that_is_cancelled_takes_nobody_with_it() -> None:
    runtime = SimulatedRuntime(6)
    service = Service(runtime, otherwise=answer(b"one"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> list[Any]:
        leading = runtime.spawn(client.ask())
        await runtime.sleep(0.5)
        others = [runtime.spawn(client.ask()) for _ in range(9)]
        await runtime.sleep(0.1)
        leading.cancel()
        return [await other for other in others]

    answers = runtime.run(main())

    assert [found.body for found in answers] == [b"one"] * 9
    assert len(service.fake.requests) == 2


def test_who_waits_for_another_asks_itself_when_half_of_its_time_is_over() -> None:
    runtime = SimulatedRuntime(7)
    seconds = [100.0, 1.0]

    async def late(request: Request) -> Response:
        await runtime.sleep(seconds.pop(0))
        return answer(b"one")

    fake = FakeTransport(otherwise=late)
    client = AsyncApiClient(URL, transport=fake, plugins=[Cache()], runtime=runtime, timeout=200)

    async def main() -> list[Response]:
        leading = runtime.spawn(client.ask())
        await runtime.sleep(0.1)
        others = client.with_options(timeout=10)
        found = await runtime.gather(*[others.ask() for _ in range(MANY)])
        assert runtime.elapsed == pytest.approx(6.1)
        return [*found, await leading]

    assert [found.body for found in runtime.run(main())] == [b"one"] * (MANY + 1)
    assert len(fake.requests) == 2


def test_a_service_that_hangs_is_asked_by_few_of_those_who_wait_and_all_wait_as_long_as_they_may() -> None:
    runtime = SimulatedRuntime(26)

    async def never(request: Request) -> Response:
        await runtime.sleep(1e6)
        return answer(b"one")

    fake = FakeTransport(otherwise=never)
    client = AsyncApiClient(URL, transport=fake, plugins=[Cache()], runtime=runtime, timeout=10)

    async def one() -> float:
        with pytest.raises(DeadlineExceededError):
            await client.ask()
        return runtime.elapsed

    async def main() -> list[float]:
        return await runtime.gather(*[one() for _ in range(MANY)])

    assert set(runtime.run(main())) == {10.0}
    assert len(fake.requests) == 5


class Skipping(VirtualSyncRuntime):
    """Waits for others in no time, and in vain."""

    def signal(self) -> Signal:
        return Skipped(self)


class Skipped:
    def __init__(self, runtime: VirtualSyncRuntime) -> None:
        self._runtime = runtime

    def set(self) -> None: ...

    async def wait(self, seconds: float | None = None) -> None:
        assert seconds is not None
        self._runtime.elapsed += seconds


def test_in_threads_too_each_asks_or_waits_as_long_as_it_may() -> None:
    cache, asked, ended = Cache(), threading.Semaphore(0), threading.Event()

    def hangs(request: Request) -> Response:
        asked.release()
        assert ended.wait(10)
        return answer(b"late")

    fake = FakeTransport(otherwise=hangs)
    runtimes = [Skipping() for _ in range(6)]
    clients = [ApiClient(URL, transport=fake, cache=cache, runtime=runtime, timeout=16) for runtime in runtimes]
    with ThreadPoolExecutor(5) as threads:
        for client in clients[:5]:
            threads.submit(client.ask)
            assert asked.acquire(timeout=10)
        with pytest.raises(DeadlineExceededError):
            clients[5].ask()
        ended.set()

    assert [runtime.elapsed for runtime in runtimes] == [0, 8, 12, 14, 15, 16]
    assert len(fake.requests) == 5


def test_a_sync_call_does_not_wait_for_a_task_of_its_own_thread() -> None:
    cache, ended = Cache(), threading.Event()
    waits = VirtualSyncRuntime()

    async def late(request: Request) -> Response:
        while not ended.is_set():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        return answer(b"theirs")

    async def main() -> tuple[bytes, bytes]:
        async with AsyncApiClient(URL, transport=FakeTransport([late]), plugins=[cache]) as theirs:
            leading = asyncio.ensure_future(theirs.ask())
            while not cache._together._flights._flying:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            client = ApiClient(URL, transport=FakeTransport([answer(b"ours")]), plugins=[cache], runtime=waits)
            ours = client.ask().content
            ended.set()
            return (await leading).content, ours

    assert asyncio.run(main()) == (b"theirs", b"ours")
    assert waits.elapsed == 0


def test_nor_for_one_whose_loop_does_not_run_any_more() -> None:
    cache, loop, waits = Cache(), asyncio.new_event_loop(), VirtualSyncRuntime()

    async def never(request: Request) -> Response:
        await asyncio.sleep(1000)
        return answer(b"theirs")

    theirs = AsyncApiClient(URL, transport=FakeTransport([never]), plugins=[cache])

    async def begin() -> asyncio.Task[Response]:
        leading = loop.create_task(theirs.ask())
        while not cache._together._flights._flying:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        return leading

    async def end(leading: asyncio.Task[Response]) -> None:
        leading.cancel()
        await asyncio.wait([leading])
        await theirs.aclose()

    leading = loop.run_until_complete(begin())
    client = ApiClient(URL, transport=FakeTransport([answer(b"ours")]), plugins=[cache], runtime=waits)

    assert client.ask().body == b"ours"
    assert waits.elapsed == 0
    loop.run_until_complete(end(leading))
    loop.close()


@pytest.mark.parametrize("control", ["no-store", "no-cache", "max-age=0"])
def test_an_answer_that_may_not_be_given_to_others_is_asked_for_by_each_at_once(control: str) -> None:
    runtime = SimulatedRuntime(8)
    service = Service(runtime, otherwise=answer(b"mine", control, etag='"1"'))
    cache = Cache()

    answers = together(service, runtime, cache, count=10)

    assert [found.body for found in answers] == [b"mine"] * 10
    assert len(service.fake.requests) == 10
    assert runtime.elapsed == 2

    together(service, runtime, cache, count=10)  # and from then on nobody waits

    assert len(service.fake.requests) == 20
    assert runtime.elapsed == 3


def test_whose_answer_is_given_again_or_not_is_remembered_of_so_many_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield_plugins.caching._together._REMEMBERED", 2)
    runtime, cache = SimulatedRuntime(27), Cache()
    service = Service(runtime, otherwise=answer(b"mine", "no-store"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[cache], runtime=runtime)

    async def main() -> None:
        for number in range(10):
            await client.ask(f"r{number}")

    runtime.run(main())

    assert len(cache._together._apart) == 2


def test_until_an_answer_may_be_given_to_others_again() -> None:
    runtime = SimulatedRuntime(9)
    service = Service(runtime, answer(b"mine", "no-store"), answer(b"one", "max-age=2"), otherwise=answer(b"two"))
    cache = Cache()
    together(service, runtime, cache, count=1)
    together(service, runtime, cache, count=1)

    async def later() -> None:
        await runtime.sleep(5)

    runtime.run(later())
    together(service, runtime, cache, count=10)

    assert len(service.fake.requests) == 3


@pytest.mark.parametrize("wish", ["no-cache", "max-age=0", "max-age=0, no-cache", "min-fresh=100", "max-age=1"])
def test_what_one_request_wishes_for_itself_sets_nobody_apart(wish: str) -> None:
    runtime = SimulatedRuntime(17)
    service = Service(runtime, otherwise=answer(b"one", "max-age=2"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> int:
        await client.ask(headers={"Cache-Control": wish})
        await runtime.sleep(10)
        asked = len(service.fake.requests)
        await runtime.gather(*[client.ask() for _ in range(MANY)])
        return len(service.fake.requests) - asked

    assert runtime.run(main()) == 1


def test_who_says_no_cache_is_answered_by_nobody_else_and_waits_for_nobody() -> None:
    runtime = SimulatedRuntime(18)
    service = Service(runtime, otherwise=answer(b"one"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await runtime.gather(*[client.ask(headers={"Cache-Control": "no-cache"}) for _ in range(10)])

    runtime.run(main())

    assert len(service.fake.requests) == 10
    assert runtime.elapsed == 1


def test_an_answer_that_is_only_for_one_user_sets_no_other_apart() -> None:
    runtime = SimulatedRuntime(19)

    async def late(request: Request) -> Response:
        await runtime.sleep(1)
        return answer(b"one", "no-store" if request.headers["authorization"] == "ada" else "max-age=2")

    fake = FakeTransport(otherwise=late)
    client = AsyncApiClient(URL, transport=fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await client.ask(headers={"Authorization": "ada"})
        await runtime.gather(*[client.ask(headers={"Authorization": "eve"}) for _ in range(MANY)])

    runtime.run(main())

    assert len(fake.requests) == 2


def test_a_failure_sets_nobody_apart() -> None:
    runtime, cache = SimulatedRuntime(28), Cache()
    service = Service(runtime, Response(503), otherwise=answer(b"one"))
    together(service, runtime, cache, count=1)

    together(service, runtime, cache)

    assert len(service.fake.requests) == 2


def test_nor_does_one_that_became_invalid_on_its_way() -> None:
    runtime = SimulatedRuntime(20)
    service = Service(runtime, otherwise=answer(b"one", "max-age=2"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> int:
        reading = runtime.spawn(client.ask())
        await runtime.sleep(0.5)
        client.cache.clear()
        await reading
        asked = len(service.fake.requests)
        await runtime.gather(*[client.ask() for _ in range(MANY)])
        return len(service.fake.requests) - asked

    assert runtime.run(main()) == 1


@pytest.mark.parametrize(
    "control",
    ["max-age=1", "max-age=1, must-revalidate", "max-age=0, stale-while-revalidate=60", "s-maxage=0, max-age=1"],
)
@pytest.mark.parametrize("told", [{}, {"date": DATE}, {"age": "0"}])
def test_4_who_waited_for_an_answer_may_have_it_however_long_it_was_under_way(control: str, told: Any) -> None:
    runtime = SimulatedRuntime(21)
    service = Service(runtime, otherwise=answer(b"one", control, **told))
    cache = Cache()

    answers = together(service, runtime, cache)

    assert [found.body for found in answers] == [b"one"] * MANY
    assert len(service.fake.requests) == 1
    together(service, runtime, cache)
    assert len(service.fake.requests) == 2


@pytest.mark.parametrize(
    ("control", "told"),
    [
        ("no-cache", {}),
        ("max-age=60, no-cache", {"etag": '"1"'}),
        ("max-age=0", {"etag": '"1"'}),
        ("max-age=60", {"age": "60"}),
        ("max-age=60", {"vary": "*"}),
        ("max-age=0, stale-while-revalidate=60, must-revalidate", {"etag": '"1"'}),
    ],
)
def test_4_but_not_one_that_was_not_to_be_given_again_as_it_left(control: str, told: Any) -> None:
    runtime = SimulatedRuntime(22)
    service = Service(runtime, otherwise=answer(b"one", control, **told))

    together(service, runtime, Cache(), count=10)

    assert len(service.fake.requests) == 10


def test_4_3_who_may_not_have_what_it_waited_for_asks_whether_it_is_still_good() -> None:
    runtime = SimulatedRuntime(30)

    async def late(request: Request) -> Response:
        await runtime.sleep(1)
        return (
            answer(b"", "no-cache", 304) if "if-none-match" in request.headers else answer(b"1", "no-cache", etag='"1"')
        )

    fake = FakeTransport(otherwise=late)
    client = AsyncApiClient(URL, transport=fake, plugins=[Cache()], runtime=runtime)

    async def main() -> list[Response]:
        return await runtime.gather(*[client.ask() for _ in range(10)])

    assert [found.body for found in runtime.run(main())] == [b"1"] * 10
    assert sum("if-none-match" in request.headers for request in fake.requests) == 9


def test_who_waited_has_its_own_wishes_still() -> None:
    runtime = SimulatedRuntime(23)
    service = Service(runtime, otherwise=answer(b"one", "max-age=60", age="30"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await runtime.gather(*[client.ask(headers={"Cache-Control": "max-age=20"}) for _ in range(10)])

    runtime.run(main())

    assert len(service.fake.requests) == 10


@pytest.mark.parametrize("name", ["X-Request-Id", "traceparent", "X-Correlation-ID", "Date"])
def test_requests_are_the_same_whatever_names_the_call(name: str) -> None:
    runtime = SimulatedRuntime(24)
    service = Service(runtime, otherwise=answer(b"one"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await runtime.gather(*[client.ask(headers={name: str(number)}) for number in range(MANY)])

    runtime.run(main())

    assert len(service.fake.requests) == 1


def test_4_1_unless_the_answer_varies_by_it() -> None:
    runtime = SimulatedRuntime(25)
    service = Service(runtime, otherwise=answer(b"one", vary="X-Request-Id"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await runtime.gather(*[client.ask(headers={"X-Request-Id": str(number)}) for number in range(10)])

    runtime.run(main())

    assert len(service.fake.requests) == 10


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"headers": {"Accept": "text/plain"}}, {"headers": {"Accept": "text/html"}}),
        ({"query": {"a": "1"}}, {"query": {"a": "2"}}),
        ({"path": "a"}, {"path": "b"}),
        ({"headers": {"X-Api-Key": "a"}}, {"headers": {"X-Api-Key": "b"}}),
    ],
)
def test_other_requests_are_not_the_same(one: Any, other: Any) -> None:
    runtime = SimulatedRuntime(10)
    service = Service(runtime, otherwise=answer())
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await runtime.gather(client.ask(**one), client.ask(**other))

    runtime.run(main())

    assert len(service.fake.requests) == 2


class Bearing:
    """Puts somebody's credential on requests below the cache, as the plugins of auth do."""

    name = "auth"

    def __init__(self, who: str) -> None:
        self._who = who

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return self._who.encode()

    @hookimpl
    def jackfield_steps(self) -> list[Pure]:
        return [Pure("auth", Stage.AUTH, request=self._put)]

    def _put(self, request: Request, call: Call) -> Request:
        return request.with_headers(request.headers.replacing("Authorization", self._who))


def test_s35_clients_with_other_credentials_do_not_wait_for_each_other() -> None:
    runtime, cache = SimulatedRuntime(29), Cache()

    async def late(request: Request) -> Response:
        await runtime.sleep(1)
        return answer(request.headers["authorization"].encode())

    fake = FakeTransport(otherwise=late)
    ada, eve = (
        AsyncApiClient(URL, transport=fake, cache=cache, plugins=[Bearing(who)], runtime=runtime)
        for who in ("ada", "eve")
    )

    async def main() -> list[Response]:
        return await runtime.gather(ada.ask(), eve.ask(), ada.ask())

    assert [found.body for found in runtime.run(main())] == [b"ada", b"eve", b"ada"]
    assert len(fake.requests) == 2


def test_a_client_with_other_limits_does_not_wait_for_ours() -> None:
    runtime = SimulatedRuntime(11)
    service = Service(runtime, otherwise=answer(b"one"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await runtime.gather(client.ask(), client.with_options(max_body_size=100).ask())

    runtime.run(main())

    assert len(service.fake.requests) == 2


def test_who_asks_after_a_change_does_not_get_what_was_asked_before_it() -> None:
    runtime = SimulatedRuntime(12)
    gets = [(3.0, b"old"), (1.0, b"new")]

    async def late(request: Request) -> Response:
        seconds, body = gets.pop(0) if request.method == "GET" else (1.0, b"")
        await runtime.sleep(seconds)
        return answer(body)

    client = AsyncApiClient(URL, transport=FakeTransport(otherwise=late), plugins=[Cache()], runtime=runtime)

    async def main() -> tuple[bytes, bytes, bytes]:
        reading = runtime.spawn(client.ask())
        await runtime.sleep(0.1)
        await client.ask("r", "POST")
        new = await client.ask()  # while the first is under way
        assert runtime.elapsed < 3
        return (await reading).content, new.content, (await client.ask()).content

    assert runtime.run(main()) == (b"old", b"new", b"new")


def test_stale_answers_are_validated_once_for_all() -> None:
    runtime = SimulatedRuntime(13)
    service = Service(runtime, answer(b"one", "max-age=2", etag='"1"'), answer(b"", "max-age=60", 304))
    cache = Cache()
    together(service, runtime, cache, count=1)

    async def later() -> None:
        await runtime.sleep(5)

    runtime.run(later())
    answers = together(service, runtime, cache)

    assert [found.body for found in answers] == [b"one"] * MANY
    assert len(service.fake.requests) == 2


def test_streams_do_not_wait_for_each_other() -> None:
    runtime = SimulatedRuntime(14)
    service = Service(runtime, otherwise=answer(b"one"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> list[bytes]:
        return await runtime.gather(client.read(), client.read())

    assert runtime.run(main()) == [b"one", b"one"]
    assert len(service.fake.requests) == 2
    assert runtime.elapsed == 1


def test_nor_do_heads() -> None:
    runtime = SimulatedRuntime(15)
    service = Service(runtime, otherwise=answer(b""))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def main() -> None:
        await runtime.gather(client.ask("r", "HEAD"), client.ask("r", "HEAD"))

    runtime.run(main())

    assert len(service.fake.requests) == 2
    assert runtime.elapsed == 1


def test_an_answer_that_is_stale_at_once_is_given_to_nobody_else() -> None:
    runtime = SimulatedRuntime(16)
    service = Service(runtime, otherwise=answer(b"one", "max-age=0", etag='"1"'))

    together(service, runtime, Cache(), count=10)

    assert len(service.fake.requests) == 10


def test_a_timeout_that_is_not_the_calls_stays_what_it_is() -> None:
    client = ApiClient(URL, transport=FakeTransport([TimeoutError("somebody's")]), plugins=[Cache()])

    with pytest.raises(TimeoutError, match="somebody's"):
        client.ask()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_order_of_tasks_everybody_is_answered(seed: int) -> None:
    runtime = SimulatedRuntime(seed)
    given = [ConnectError("x"), answer(b"one", "max-age=3"), Response(503), answer(b"one", "no-store")]
    service = Service(runtime, *given, otherwise=answer(b"one", "max-age=3"))
    client = AsyncApiClient(URL, transport=service.fake, plugins=[Cache()], runtime=runtime)

    async def one(number: int) -> None:
        await runtime.sleep(runtime.random() * 20)
        try:
            if number % 7 == 0:
                await runtime.within(0.3, client.ask())
            elif number % 5 == 0:
                assert (await client.with_options(timeout=1.5).ask()).body == b"one"
            else:
                assert (await client.ask("r", "POST" if number % 11 == 0 else "GET")).body == b"one"
        except (ConnectError, DeadlineExceededError, UnavailableError, TimeoutError):
            pass

    async def main() -> None:
        await runtime.gather(*[one(number) for number in range(100)])

    runtime.run(main())

    assert len(service.fake.requests) < 80
