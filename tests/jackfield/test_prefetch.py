"""Reading ahead: in order, by so many pages and no more, and nobody is left behind."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    AsyncClient,
    Client,
    ContractError,
    DeadlineExceededError,
    JackfieldError,
    NotFoundError,
    Page,
    Request,
    Response,
    Service,
    UsageError,
    operation,
    paged,
)
from jackfield.testing import FakeTransport, SimulatedRuntime, json_response

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour


class Number(NamedTuple):
    number: int = 1


class Numbers:
    """Pages by number, until one is empty."""

    def first(self, service: Any) -> Number:
        return Number()

    def after(self, at: Number, page: Page[Any]) -> Number | None:
        return Number(at.number + 1) if page else None


class Shop(Service):
    @paged(Numbers(), max_pages=50)
    async def records(self, at: Number) -> Page[int]:
        query = {"page": str(at.number)}
        return Page((await self.send(Request("GET", self.url("records"), query=query))).decode(list[int]))

    @operation
    async def first_five(self) -> list[int]:
        """Reads ahead inside a body."""
        found: list[int] = []
        async for record in self.records.prefetch(2).all():
            found.append(record)
            if len(found) == 5:
                break
        return found

    @operation
    async def slowly(self) -> None:
        """Reads ahead inside a body, with time passing between the pages."""
        async for _ in self.records.prefetch(1).pages():
            await self.runtime.sleep(25)


class ShopClient(Shop, Client): ...


class AsyncShopClient(Shop, AsyncClient): ...


class Listing:
    """A service of pages of one number each, which waits at the gate before it answers, where there is one."""

    def __init__(self, last: int = 10, gate: threading.Event | None = None) -> None:
        self.last = last
        self.gate = gate
        self.errors: dict[int, list[Response | Exception]] = {}
        self.changed = threading.Condition()
        self.answered = 0
        self.transport = FakeTransport(otherwise=self.answer)

    @property
    def asked(self) -> list[int]:
        """The pages that were asked for."""
        return [int(dict(request.query)["page"]) for request in self.transport.requests]

    def answer(self, request: Request) -> Response:
        with self.changed:
            self.changed.notify_all()
        if self.gate:
            assert self.gate.wait(20)
        number = int(dict(request.query)["page"])
        errors = self.errors.get(number)
        error = errors.pop(0) if errors else None
        with self.changed:
            self.answered += 1
            self.changed.notify_all()
        if isinstance(error, Exception):
            raise error
        return error or json_response([number] if number <= self.last else [])

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until the condition holds, which follows from what was asked or answered."""
        with self.changed:
            assert self.changed.wait_for(condition, 20)


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "jackfield-prefetch"]


def gone() -> bool:
    """Whether all who read ahead end."""
    for thread in readers():
        thread.join(20)
    return readers() == []


def sync_shop(listing: Listing) -> ShopClient:
    return ShopClient("https://h", transport=listing.transport)


def async_shop(listing: Listing) -> AsyncShopClient:
    return AsyncShopClient("https://h", transport=listing.transport)


async def settle() -> None:
    """Lets every task go as far as it can."""
    for _ in range(50):
        await asyncio.sleep(0)


def others() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


# --- what comes is what comes without


@pytest.mark.parametrize("ahead", [1, 2, 3, 100])
def test_every_item_comes_once_and_in_order(colour: Colour, ahead: int) -> None:
    listing = Listing()
    records = colour.client(Shop, listing.transport).records

    assert colour.take(records.prefetch(ahead).all()) == list(range(1, 11))
    assert listing.asked == list(range(1, 12))


def test_pages_are_read_ahead_too_and_keep_their_tokens(colour: Colour) -> None:
    listing = Listing(3)
    records = colour.client(Shop, listing.transport).records

    pages = colour.take(records.prefetch(2).pages())

    assert pages == [[1], [2], [3], []]
    assert colour.take(records.at(pages[0].next).prefetch(2).all()) == [2, 3]
    assert colour.take(records.prefetch(2).at(pages[1].next).all()) == [3]


def test_calling_an_operation_that_reads_ahead_gives_one_page(colour: Colour) -> None:
    listing = Listing()

    assert colour.get(colour.client(Shop, listing.transport).records.prefetch(3)()) == [1]
    assert listing.asked == [1]


def test_the_operation_itself_reads_no_further_ahead_than_before(colour: Colour) -> None:
    records = colour.client(Shop, Listing().transport).records
    records.prefetch(3)

    assert records._kind._ahead == 0


@pytest.mark.parametrize("pages", [0, -1, 1.5, "2", None, True])
def test_what_is_no_number_of_pages_is_refused(colour: Colour, pages: Any) -> None:
    with pytest.raises(UsageError, match="1 or more"):
        colour.client(Shop).records.prefetch(pages)


@given(failures=st.dictionaries(st.integers(1, 7), st.integers(1, 3)), ahead=st.integers(1, 5), last=st.integers(0, 6))
@settings(deadline=None, max_examples=60)
def test_whatever_fails_errors_come_in_their_place_and_every_item_once(
    colour: Colour, failures: dict[int, int], ahead: int, last: int
) -> None:
    listing = Listing(last)
    listing.errors = {number: [Response(503)] * times for number, times in failures.items()}
    expected: list[Any] = []
    for number in range(1, last + 2):
        expected += ["error"] * failures.get(number, 0)
        expected += [number] if number <= last else []

    items = colour.client(Shop, listing.transport).records.prefetch(ahead).all()
    seen: list[Any] = []
    while True:
        try:
            colour.take(items, seen)
        except JackfieldError:
            seen.append("error")
            continue
        break

    assert seen == expected
    assert gone()


def test_an_error_says_which_page_it_was_and_nothing_is_asked_for_after_it(colour: Colour) -> None:
    listing = Listing()
    listing.errors[3] = [Response(404)]
    seen: list[int] = []

    with pytest.raises(NotFoundError) as caught:
        colour.take(colour.client(Shop, listing.transport).records.prefetch(5).all(), seen)

    assert seen == [1, 2]
    assert listing.asked == [1, 2, 3]
    assert caught.value.__notes__ == ["this was page 3 of this walk through records"]


def test_an_endless_list_is_bounded_and_ends_its_reader(colour: Colour) -> None:
    listing = Listing(10**9)
    seen: list[int] = []

    with pytest.raises(ContractError, match="more after 50 pages"):
        colour.take(colour.client(Shop, listing.transport).records.prefetch(7).all(), seen)

    assert seen == list(range(1, 51))
    assert len(listing.asked) == 50


def test_a_body_may_read_ahead_in_both_colours(colour: Colour) -> None:
    listing = Listing()

    assert colour.get(colour.client(Shop, listing.transport).first_five()) == [1, 2, 3, 4, 5]
    assert gone()


def test_reading_ahead_inside_a_bounded_body_shares_its_deadline(colour: Colour) -> None:
    with pytest.raises(DeadlineExceededError):
        colour.get(colour.client(Shop, Listing().transport, timeout=60).slowly())

    assert gone()


# --- how far ahead


@pytest.mark.parametrize("ahead", [1, 3])
def test_so_many_pages_are_ready_at_most_and_then_nobody_is_left_waiting(ahead: int) -> None:
    listing = Listing()
    items = sync_shop(listing).records.prefetch(ahead).all()

    assert next(items) == 1
    assert gone()
    assert listing.asked == list(range(1, ahead + 2))
    assert next(items) == 2
    assert gone()
    assert listing.asked == list(range(1, ahead + 3))


@pytest.mark.parametrize("ahead", [1, 3])
def test_so_many_pages_are_ready_at_most_and_then_no_task_is_left_waiting(ahead: int) -> None:
    listing = Listing()

    async def main() -> None:
        items = async_shop(listing).records.prefetch(ahead).all()
        for number in (1, 2):
            assert await anext(items) == number
            await settle()
            assert others() == []
            assert listing.asked == list(range(1, ahead + number + 1))

    asyncio.run(main())


def test_the_next_page_is_under_way_while_this_one_is_worked_on() -> None:
    gate = threading.Event()
    listing = Listing(gate=gate)
    gate.set()
    pages = sync_shop(listing).records.prefetch(1).pages()
    assert next(pages) == [1]
    assert gone()
    gate.clear()

    assert next(pages) == [2]
    listing.wait_for(lambda: 3 in listing.asked)  # nobody has asked the iterator for it

    gate.set()
    assert next(pages) == [3]


def test_nothing_is_asked_for_before_the_first_step(colour: Colour) -> None:
    listing = Listing()
    records = colour.client(Shop, listing.transport).records.prefetch(3)

    one, other = records.all(), records.pages()

    assert readers() == []
    assert listing.asked == []
    del one, other
    assert listing.asked == []


# --- leaving early: at the latest with the page under way it ends, and nothing more is asked for


def leave_by_break(items: Any) -> None:
    for _ in items:
        break


def leave_by_error(items: Any) -> None:
    with suppress(KeyError):
        for _ in items:
            raise KeyError


def leave_by_interrupt(items: Any) -> None:
    with suppress(KeyboardInterrupt):
        for _ in items:
            raise KeyboardInterrupt


def leave_by_close(items: Any) -> None:
    next(items)
    items.close()


@pytest.mark.parametrize("kind", ["all", "pages"])
@pytest.mark.parametrize("leave", [leave_by_break, leave_by_error, leave_by_interrupt, leave_by_close])
def test_who_leaves_a_loop_leaves_no_thread_and_asks_for_no_page_but_the_one_under_way(
    kind: str, leave: Callable[[Any], None]
) -> None:
    gate = threading.Event()
    gate.set()
    listing = Listing(1000, gate)
    one = getattr(sync_shop(listing).records.prefetch(1), kind)()
    next(one)
    assert gone()
    gate.clear()

    leave(one)  # it takes the second page, and the third comes under way
    del one
    gate.set()

    assert gone()
    assert listing.asked in ([1, 2], [1, 2, 3])


def test_the_page_under_way_is_the_last_when_another_thread_closes_the_iterator() -> None:
    gate = threading.Event()
    listing = Listing(1000, gate)
    pages = sync_shop(listing).records.prefetch(10).pages()
    left: list[list[Any]] = []
    taker = threading.Thread(target=lambda: left.append(list(pages)))
    taker.start()
    listing.wait_for(lambda: listing.asked == [1])

    pages.close()

    taker.join(20)
    assert left == [[]]
    gate.set()
    assert gone()
    assert listing.asked == [1]


def test_an_iterator_that_is_let_go_ends_its_thread_though_it_is_in_a_circle() -> None:
    gate = threading.Event()
    listing = Listing(1000, gate)
    circle: dict[str, Any] = {"items": sync_shop(listing).records.prefetch(1000).all()}
    circle["self"] = circle
    gate.set()
    next(circle["items"])

    del circle
    gc.collect()

    assert gone()
    assert len(listing.asked) < 1000


def test_an_interrupt_while_it_waits_ends_the_thread_and_leaves_the_iterator_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()
    listing = Listing(gate=gate)
    client = sync_shop(listing)
    signal = client._wiring.runtime.signal

    class Interrupted:
        def set(self) -> None: ...

        async def wait(self, seconds: float | None = None) -> None:
            raise KeyboardInterrupt

    items = client.records.prefetch(3).all()
    monkeypatch.setattr(client._wiring.runtime, "signal", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(items)
    monkeypatch.setattr(client._wiring.runtime, "signal", signal)
    listing.wait_for(lambda: listing.asked == [1])
    gate.set()
    assert gone()
    asked = list(listing.asked)

    assert asked == [1]
    assert list(items) == list(range(1, 11))
    assert listing.asked == list(range(1, 12))


def test_a_thread_that_reads_ahead_keeps_no_program_from_ending() -> None:
    gate = threading.Event()
    listing = Listing(gate=gate)
    items = sync_shop(listing).records.prefetch(1).all()
    taker = threading.Thread(target=lambda: next(items))
    taker.start()
    listing.wait_for(lambda: listing.asked == [1])

    assert [thread.daemon for thread in readers()] == [True]

    gate.set()
    taker.join(20)
    assert gone()


def test_who_reads_ahead_sees_the_context_of_the_caller() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    seen: list[str] = []

    def serve(request: Request) -> Response:
        seen.append(name.get())
        return json_response([])

    token = name.set("ada")
    list(ShopClient("https://h", transport=FakeTransport(otherwise=serve)).records.prefetch(1).all())
    name.reset(token)

    assert seen == ["ada"]


def test_where_no_thread_can_be_had_the_error_is_seen_and_the_iterator_stays_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    items = sync_shop(Listing(2)).records.prefetch(1).all()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none)
        with pytest.raises(RuntimeError, match="new thread"):
            next(items)

    assert list(items) == [1, 2]


def test_where_a_thread_more_cannot_be_had_no_page_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    items = sync_shop(Listing(5)).records.prefetch(1).all()
    seen = [next(items)]
    assert gone()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none)
        with pytest.raises(RuntimeError, match="new thread"):
            next(items)

    assert [*seen, *items] == [1, 2, 3, 4, 5]


def test_an_interrupt_while_a_thread_begins_is_seen_and_the_iterator_stays_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()
    listing = Listing(3, gate)
    items = sync_shop(listing).records.prefetch(1).all()
    start = threading.Thread.start

    def interrupted(self: threading.Thread) -> None:
        start(self)
        listing.wait_for(lambda: listing.asked == [1])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(items)
    gate.set()
    assert gone()

    assert listing.asked == [1]
    assert list(items) == [1, 2, 3]
    assert listing.asked == [1, 2, 3, 4]


# --- leaving early, async


class Gated:
    """As `Listing`, on an event loop."""

    def __init__(self, last: int = 1000) -> None:
        self.last = last
        self.gate = asyncio.Event()
        self.under_way = 0
        self.transport = FakeTransport(otherwise=self.answer)

    async def answer(self, request: Request) -> Response:
        self.under_way += 1
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        number = int(dict(request.query)["page"])
        return json_response([number] if number <= self.last else [])

    @property
    def asked(self) -> int:
        return len(self.transport.requests)


async def begun(gated: Gated, ahead: int = 1) -> Any:
    """Items of which the first was taken, and the second is under way."""
    items = AsyncShopClient("https://h", transport=gated.transport).records.prefetch(ahead).all()
    gated.gate.set()
    assert await anext(items) == 1
    await settle()
    gated.gate.clear()
    assert await anext(items) == 2
    await settle()
    assert gated.under_way == 1
    return items


async def leave_async(items: Any, how: str) -> None:
    with suppress(KeyError):
        async for _ in items:
            if how == "break":
                break
            if how == "error":
                raise KeyError
            await items.aclose()


@pytest.mark.parametrize("how", ["break", "error", "aclose", "del"])
def test_who_leaves_a_loop_leaves_no_task_and_nothing_under_way(how: str) -> None:
    async def main() -> None:
        gated = Gated()
        items = await begun(gated, 2)
        asked = gated.asked
        if how != "del":
            await leave_async(items, how)
        del items
        await settle()

        assert others() == []
        assert gated.under_way == 0
        assert gated.asked <= asked + 1

    asyncio.run(main())


def test_who_is_cancelled_while_it_waits_leaves_no_task_and_may_go_on() -> None:
    async def main() -> None:
        gated = Gated(4)
        items = await begun(gated)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(items)
        await settle()
        assert others() == []
        assert gated.under_way == 0
        gated.gate.set()

        assert [item async for item in items] == [3, 4]
        assert others() == []

    asyncio.run(main())


def test_who_goes_on_at_once_after_it_was_cancelled_loses_nothing() -> None:
    async def main() -> None:
        gated = Gated(4)
        items = await begun(gated)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(items)
        gated.gate.set()

        assert [item async for item in items] == [3, 4]

    asyncio.run(main())


def test_who_is_cancelled_before_the_reader_has_begun_may_go_on_at_once() -> None:
    async def main() -> list[int]:
        items = async_shop(Listing(3)).records.prefetch(1).all()
        step = anext(items)
        step.send(None)  # up to where it waits; the task has not had its turn yet
        with pytest.raises(asyncio.CancelledError):
            step.throw(asyncio.CancelledError())

        async with asyncio.timeout(20):
            return [item async for item in items]

    assert asyncio.run(main()) == [1, 2, 3]


def test_nobody_begins_once_it_is_closed() -> None:
    listing = Listing()
    items = sync_shop(listing).records.prefetch(1).all()
    items.close()

    items._source._begin()  # type: ignore[union-attr]  # as of a step that another thread's `close` has come upon

    assert gone()
    assert listing.asked == []


def test_a_reader_that_somebody_else_cancels_is_told_to_who_waits() -> None:
    async def main() -> None:
        gated = Gated(3)
        items = await begun(gated)
        for task in others():
            task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await anext(items)
        gated.gate.set()

        assert [item async for item in items] == [3]

    asyncio.run(main())


def test_the_end_of_the_event_loop_ends_the_reader_and_another_loop_may_go_on() -> None:
    gated = Gated(3)
    kept: list[Any] = []

    async def first() -> None:
        kept.append(await begun(gated))

    async def second() -> list[int]:
        gated.gate = asyncio.Event()
        gated.gate.set()
        return [item async for item in kept.pop()]

    asyncio.run(first())

    assert gated.under_way == 0
    with pytest.raises(asyncio.CancelledError):  # what was under way has been cancelled, and that is told
        asyncio.run(_step(kept[0]))
    assert asyncio.run(second()) == [3]


async def _step(items: Any) -> Any:
    return await anext(items)


def test_an_iterator_that_goes_after_its_loop_is_closed_harms_nobody() -> None:
    loop = asyncio.new_event_loop()
    gated = Gated()
    items = loop.run_until_complete(begun(gated))
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()

    items._source._fetching = True  # as if it had been torn away
    del items
    gc.collect()


@pytest.mark.parametrize("seed", range(20))
def test_reading_ahead_works_on_virtual_time_whatever_the_order_of_tasks(seed: int) -> None:
    runtime = SimulatedRuntime(seed)

    async def answer(request: Request) -> Response:
        await runtime.sleep(1)
        number = int(dict(request.query)["page"])
        return json_response([number] if number <= 6 else [])

    async def main() -> tuple[list[int], float]:
        client = AsyncShopClient("https://h", transport=FakeTransport(otherwise=answer), runtime=runtime)
        found: list[int] = []
        async for item in client.records.prefetch(2).all():
            found.append(item)
            await runtime.sleep(1)
        return found, runtime.elapsed

    found, elapsed = runtime.run(main())

    assert found == [1, 2, 3, 4, 5, 6]
    assert elapsed == 7  # 13 without reading ahead


@pytest.mark.parametrize("seed", range(20))
def test_leaving_early_leaves_nobody_on_virtual_time_either(seed: int) -> None:
    runtime = SimulatedRuntime(seed)

    async def answer(request: Request) -> Response:
        await runtime.sleep(1)
        return json_response([int(dict(request.query)["page"])])

    async def main() -> int:
        transport = FakeTransport(otherwise=answer)
        items = AsyncShopClient("https://h", transport=transport, runtime=runtime).records.prefetch(3).all()
        async for _ in items:
            break
        asked = len(transport.requests)
        await items.aclose()
        await runtime.sleep(100)
        return len(transport.requests) - asked

    assert runtime.run(main()) == 0


def test_two_who_ask_at_once_get_no_page_twice() -> None:
    async def main() -> None:
        gated = Gated(3)
        items = await begun(gated)
        one, other = asyncio.ensure_future(_step(items)), asyncio.ensure_future(_step(items))
        await settle()
        gated.gate.set()

        assert await one == 3
        with pytest.raises(UsageError, match="two at once"):
            await other

    asyncio.run(main())


def test_many_readers_at_once_mix_nothing_up() -> None:
    found: list[list[int]] = []

    def read() -> None:
        found.append(list(sync_shop(Listing(50 - 2)).records.prefetch(3).all()))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert found == [list(range(1, 49))] * 8
    assert gone()


FORK = """
import os, threading
from test_prefetch import Listing, sync_shop
gate = threading.Event()
listing = Listing(4, gate)
shop = sync_shop(listing)
numbers = shop.records.prefetch(2).all()
walking = threading.Thread(target=lambda: print(f"{list(numbers)}\\n", end="", flush=True))
walking.start()
listing.wait_for(lambda: len(listing.asked) == 1)
child = os.fork()
gate.set()
if not child:
    print(f"{list(numbers)}\\n", end="", flush=True)
    os._exit(0)
walking.join()
os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_child_goes_on_by_itself() -> None:
    here = Path(__file__).parent
    script = f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parents[1])!r}]\n{FORK}"

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["[1, 2, 3, 4]"] * 2
