"""stale-while-revalidate (RFC 5861 §3): given at once, and refreshed beside it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from tests.clients import COLOURS
from tests.jackfield_plugins.caching.asking import URL, Api, Asking, Watching, answer, did

from jackfield import (
    AsyncClient,
    CacheHit,
    CacheRefreshFailed,
    Call,
    Client,
    ConnectError,
    NotFoundError,
    Proceed,
    Request,
    Response,
    Stage,
    Step,
    hookimpl,
)
from jackfield.testing import FakeTransport, SimulatedRuntime, VirtualSyncRuntime
from jackfield_plugins.caching import Cache

HANGS = object()
SWR = "max-age=60, stale-while-revalidate=100"


class ApiClient(Api, Client): ...


class AsyncApiClient(Api, AsyncClient): ...


class Slow:
    """Answers at once the first time, and a second later from then on."""

    def __init__(self, runtime: SimulatedRuntime, *answers: Any) -> None:
        self._runtime = runtime
        self._answers = list(answers)
        self.fake = FakeTransport(otherwise=self._answer)

    async def _answer(self, request: Request) -> Response:
        if len(self.fake.requests) > 1:
            await self._runtime.sleep(1)
        given = self._answers.pop(0)
        if given is HANGS:
            await self._runtime.sleep(1e6)
        if isinstance(given, Exception):
            raise given
        assert isinstance(given, Response)
        return given


def made(*answers: Any, **options: Any) -> tuple[SimulatedRuntime, FakeTransport, AsyncApiClient]:
    runtime = SimulatedRuntime(1)
    fake = Slow(runtime, *answers).fake
    return runtime, fake, AsyncApiClient(URL, cache=Cache(), transport=fake, runtime=runtime, **options)


def test_it_is_given_at_once_and_refreshed_meanwhile() -> None:
    watching = Watching()
    runtime, fake, client = made(answer(b"one", SWR, etag='"1"'), answer(b"two", SWR, etag='"2"'), plugins=[watching])

    async def main() -> None:
        await client.ask()
        await runtime.sleep(100)
        stale = await client.ask()
        assert runtime.elapsed == 100
        assert stale.body == b"one"
        assert did(stale) == "jackfield; hit; ttl=-40"
        await runtime.sleep(2)
        fresh = await client.ask()
        assert fresh.body == b"two"
        assert did(fresh) == "jackfield; hit; ttl=58"

    runtime.run(main())

    assert [event.kind for event in watching.named(CacheHit)] == ["stale", "fresh"]
    assert len(fake.requests) == 2
    assert fake.requests[1].headers["if-none-match"] == '"1"'


def test_a_304_refreshes_it_too() -> None:
    runtime, fake, client = made(answer(b"one", SWR, etag='"1"'), answer(b"", SWR, 304))

    async def main() -> None:
        await client.ask()
        await runtime.sleep(100)
        await client.ask()
        await runtime.sleep(2)
        assert did(await client.ask()).startswith("jackfield; hit; ttl=5")

    runtime.run(main())

    assert len(fake.requests) == 2


def test_past_the_time_for_that_it_is_waited_for() -> None:
    runtime, _, client = made(answer(b"one", SWR), answer(b"two", SWR))

    async def main() -> bytes:
        await client.ask()
        await runtime.sleep(161)
        return (await client.ask()).content

    assert runtime.run(main()) == b"two"


def test_a_hundred_at_once_are_refreshed_once() -> None:
    runtime, fake, client = made(answer(b"one", SWR), answer(b"two", SWR))

    async def main() -> None:
        await client.ask()
        await runtime.sleep(100)
        answers = await runtime.gather(*[client.ask() for _ in range(100)])
        assert {found.content for found in answers} == {b"one"}
        assert runtime.elapsed == 100
        await runtime.sleep(2)

    runtime.run(main())

    assert len(fake.requests) == 2
    assert sum(name == "background" for _, name, _ in runtime.log) <= 4


def test_a_refresh_that_fails_is_tried_again_by_the_next() -> None:
    runtime, fake, client = made(answer(b"one", SWR), ConnectError("refused"), answer(b"two", SWR))

    async def main() -> None:
        await client.ask()
        await runtime.sleep(70)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(2)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(2)
        assert (await client.ask()).content == b"two"

    runtime.run(main())

    assert len(fake.requests) == 3


@pytest.mark.parametrize("failure", [ConnectError("refused"), Response(503), Response(401), Response(403)])
def test_one_that_fails_rests_for_twice_as_long_each_time_up_to_a_minute(failure: Any) -> None:
    watching = Watching()
    runtime = SimulatedRuntime(2)
    given: list[Any] = [answer(b"one", "max-age=0, stale-while-revalidate=1000", etag='"1"'), *[failure] * 12]
    fake = Slow(runtime, *given).fake
    client = AsyncApiClient(URL, cache=Cache(), transport=fake, runtime=runtime, plugins=[watching])

    async def main() -> None:
        await client.ask()
        for _ in range(1200):
            assert (await client.ask()).content == b"one"
            await runtime.sleep(0.25)

    runtime.run(main())

    told = watching.named(CacheRefreshFailed)
    assert [event.delay for event in told] == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert told[0][:4] == ("ask", "GET", f"{URL}/r", str(getattr(failure, "status", "ConnectError")))
    assert client.cache.stats()[5:7] == (0, 10)


def test_what_was_refreshed_rests_no_longer() -> None:
    swr = "max-age=0, stale-while-revalidate=1000"
    failed = Response(503)
    runtime, _, client = made(
        *(answer(b"1", swr), failed, failed, answer(b"2", swr), failed, answer(b"3", swr), answer(b"4", swr))
    )

    async def main() -> list[bytes]:
        bodies: list[bytes] = []
        for _ in range(8):
            bodies.append((await client.ask()).content)
            await runtime.sleep(2.1)
        return bodies

    assert runtime.run(main()) == [b"1"] * 5 + [b"2"] * 2 + [b"3"]
    assert client.cache.stats()[5:7] == (3, 3)


@pytest.mark.parametrize("found", [Response(404, {"cache-control": "max-age=60"}), answer(b"two", "no-store")])
def test_what_another_answer_has_replaced_has_not_failed(found: Response) -> None:
    watching = Watching()
    runtime, _, client = made(answer(b"one", SWR), found, found, plugins=[watching])

    async def main() -> None:
        await client.ask()
        await runtime.sleep(70)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(2)
        with suppress(NotFoundError):
            assert (await client.ask()).content == b"two"

    runtime.run(main())

    assert watching.named(CacheRefreshFailed) == []
    assert client.cache.stats()[5:7] == (1, 0)


def test_what_rests_rests_alone() -> None:
    runtime, fake, client = made(answer(b"a", SWR), answer(b"b", SWR), Response(503), answer(b"c", SWR))

    async def main() -> None:
        await client.ask("a")
        await client.ask("b")
        await runtime.sleep(70)
        await client.ask("a")
        await runtime.sleep(1.5)
        await client.ask("a")
        await client.ask("b")
        await runtime.sleep(1.5)

    runtime.run(main())

    assert [request.url.path for request in fake.requests[2:]] == ["/a", "/b"]


def test_one_that_ends_with_its_client_says_nothing_and_another_client_goes_on() -> None:
    watching, cache = Watching(), Cache()

    async def main() -> None:
        asked, swr = asyncio.Event(), answer(b"one", "max-age=0, stale-while-revalidate=1000")

        async def hangs(request: Request) -> Response:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        fake = FakeTransport([swr, hangs, answer(b"two")])
        async with AsyncApiClient(URL, cache=cache, transport=fake, plugins=[watching]) as client:
            await client.ask()
            await client.ask()
            await asked.wait()
        async with AsyncApiClient(URL, cache=cache, transport=fake, plugins=[watching]) as client:
            for _ in range(100):
                await client.ask()
                await asyncio.sleep(0)
            assert (await client.ask()).body == b"two"

    asyncio.run(asyncio.wait_for(main(), 10))

    assert watching.named(CacheRefreshFailed) == []
    assert cache.stats()[5:7] == (1, 0)


def test_only_so_many_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield_plugins.caching._refreshing._REMEMBERED", 2)
    runtime = SimulatedRuntime(3)
    given = [answer(b"one", SWR)] * 5 + [Response(503)] * 5
    cache = Cache()
    client = AsyncApiClient(URL, cache=cache, transport=FakeTransport(given), runtime=runtime)

    async def main() -> None:
        for number in range(5):
            await client.ask(f"r{number}")
        await runtime.sleep(70)
        for number in range(5):
            await client.ask(f"r{number}")
        await runtime.sleep(0.1)

    runtime.run(main())

    assert len(cache._refreshing._resting) == 2


def test_one_that_breaks_rests_as_well() -> None:
    runtime = Inline()
    fake = FakeTransport([answer(b"one", SWR), ValueError("a mistake"), answer(b"two", SWR)])
    client = ApiClient(URL, cache=Cache(), transport=fake, runtime=runtime)
    client.ask()
    runtime.elapsed += 70

    assert [client.ask().body for _ in range(3)] == [b"one"] * 3
    assert len(fake.requests) == 2
    assert [str(error) for error in runtime.failed] == ["a mistake"]


def test_who_may_not_have_it_stale_waits_for_the_refresh_under_way() -> None:
    runtime, fake, client = made(answer(b"one", SWR), answer(b"two", SWR))

    async def main() -> bytes:
        await client.ask()
        await runtime.sleep(159.5)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(0.6)
        return (await client.ask()).content

    assert runtime.run(main()) == b"two"
    assert len(fake.requests) == 2


def test_a_refresh_ends_when_the_clients_time_for_a_call_is_up() -> None:
    runtime, fake, client = made(answer(b"one", SWR), answer(b"two", SWR), answer(b"three", SWR), timeout=0.5)

    async def main() -> None:
        await client.ask()
        await runtime.sleep(100)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(2)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(2)

    runtime.run(main())

    assert len(fake.requests) == 3


def test_a_refresh_that_hangs_keeps_no_later_one_waiting() -> None:
    runtime, _, client = made(answer(b"one", SWR), HANGS, answer(b"two", SWR), timeout=3)

    async def main() -> None:
        await client.ask()
        await runtime.sleep(70)
        await client.ask()
        await runtime.sleep(4)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(2)
        assert (await client.ask()).content == b"two"

    runtime.run(main())


def test_what_became_invalid_during_a_refresh_is_not_kept() -> None:
    runtime, _, client = made(answer(b"one", SWR), answer(b"old"), answer(b""), answer(b"new"))

    async def main() -> bytes:
        await client.ask()
        await runtime.sleep(100)
        await client.ask()
        await runtime.sleep(0.5)
        client.cache.clear()
        await runtime.sleep(3)
        return (await client.ask("other")).content

    runtime.run(main())

    assert client.cache.stats().entries == 1


class Inline(VirtualSyncRuntime):
    """Has as much room in the background as it is told; what runs there has ended when it is given."""

    room = True

    def __init__(self) -> None:
        super().__init__()
        self.failed: list[BaseException | None] = []

    def background(self, work: Any) -> bool:
        if not self.room:
            work.close()
            return False
        with ThreadPoolExecutor(1) as thread:
            self.failed.append(thread.submit(self.run, work).exception(10))
        return True


class Losing(VirtualSyncRuntime):
    """Takes work for the background, and nothing comes of it: as in a forked child of what its parent had begun."""

    taken = 0

    def background(self, work: Any) -> bool:
        work.close()
        self.taken += 1
        return True


def test_a_refresh_of_which_nothing_is_heard_is_begun_again_when_its_time_is_over() -> None:
    runtime = Losing()
    client = ApiClient(URL, cache=Cache(), transport=FakeTransport([answer(b"one", SWR)]), runtime=runtime, timeout=10)
    client.ask()
    runtime.elapsed += 70
    begun: list[int] = []
    for _ in range(3):
        client.ask()
        begun.append(runtime.taken)
        runtime.elapsed += 6

    assert begun == [1, 1, 2]


def test_a_sync_client_refreshes_in_a_thread() -> None:
    runtime = Inline()
    fake = FakeTransport([answer(b"one", SWR), answer(b"two", SWR)])
    client = ApiClient(URL, cache=Cache(), transport=fake, runtime=runtime)
    client.ask()
    runtime.elapsed += 100

    assert client.ask().body == b"one"
    assert client.ask().body == b"two"


@pytest.mark.parametrize("failure", [ConnectError("refused"), TimeoutError()])
def test_a_refresh_that_fails_fails_nobody_and_says_nothing(failure: Exception) -> None:
    runtime = Inline()
    client = ApiClient(URL, cache=Cache(), transport=FakeTransport([answer(b"one", SWR), failure]), runtime=runtime)
    client.ask()
    runtime.elapsed += 100

    assert client.ask().body == b"one"
    assert runtime.failed == [None]


def test_a_refresh_has_all_the_time_that_a_call_has() -> None:
    class Late:
        name = "late"

        @hookimpl
        def jackfield_steps(self) -> list[Step]:
            return [Step("late", Stage.PREPARE, self.run)]

        async def run(self, request: Request, call: Call, proceed: Proceed) -> Response:
            await call.runtime.sleep(2.5)
            return await proceed(request, call)

    runtime, _, client = made(answer(b"one", SWR), answer(b"two", SWR), timeout=3, plugins=[Late()])

    async def main() -> bytes:
        await client.ask()
        await runtime.sleep(100)
        assert (await client.ask()).content == b"one"
        await runtime.sleep(2)
        return (await client.ask()).content

    assert runtime.run(main()) == b"two"


def test_where_there_is_no_room_in_the_background_a_later_one_refreshes_it() -> None:
    runtime = Inline()
    fake = FakeTransport([answer(b"one", SWR), answer(b"two", SWR)])
    client = ApiClient(URL, cache=Cache(), transport=fake, runtime=runtime)
    client.ask()
    runtime.elapsed += 100
    runtime.room = False
    assert client.ask().body == b"one"
    runtime.room = True
    assert client.ask().body == b"one"

    assert client.ask().body == b"two"
    assert len(fake.requests) == 2


@pytest.mark.parametrize("colour", COLOURS)
def test_closing_the_client_ends_its_refreshes(colour: str) -> None:
    asked = threading.Event()

    def late(request: Request) -> Response:
        asked.set()
        return answer(b"two", SWR)

    with Asking(colour, Cache(), [answer(b"one", SWR), late]) as api:
        api()
        api.wait(100)
        assert api().body == b"one"
    # nothing is left: an unended thread or task would fail the suite
    assert colour == "async" or asked.is_set()


@pytest.mark.parametrize("colour", COLOURS)
def test_a_head_refreshes_as_well(colour: str) -> None:
    watching = Watching()
    with Asking(colour, Cache(), [answer(b"one", SWR), answer(b"", SWR)], watching) as api:
        api()
        api.wait(100)
        head = api("r", "HEAD")

    assert did(head).startswith("jackfield; hit; ttl=-")
