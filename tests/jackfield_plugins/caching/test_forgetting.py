"""What was made invalid is not given again (RFC 9111 §4.4), and the newest answer stays (§4): whoever asks, and however
calls, tasks, stores and processes end meanwhile."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tests.clients import COLOURS
from tests.jackfield_plugins.caching.asking import URL, Api, Asking, Watching, answer
from tests.jackfield_plugins.caching.shelved import Shelved, anything
from tests.jackfield_plugins.caching.test_failing_stores import Failing

from jackfield import AsyncClient, CacheNotStored, Request, Response, SyncRuntime
from jackfield.testing import FakeTransport
from jackfield_plugins.caching import Cache, CacheStore, MemoryStore, SqliteStore, Stored
from jackfield_plugins.caching._keys import Key
from jackfield_plugins.caching._ledger import Ledger, ledger_of

both = pytest.mark.parametrize("colour", COLOURS)
PLACE, OTHER, OWNER = b"p" * 32, b"q" * 32, b"o" * 32

Stores = Callable[[], CacheStore]


class AsyncApiClient(Api, AsyncClient): ...


@pytest.fixture(params=["memory", "sqlite", "two"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    """One store each time; or another on the same file, as another process has it."""
    with ExitStack() as made:
        shared: CacheStore = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "c" / "answers.db")
        made.callback(shared.close)

        def another() -> CacheStore:
            if request.param != "two":
                return shared
            return made.enter_context(closing(SqliteStore(tmp_path / "c" / "answers.db")))

        yield another


def entry(body: bytes = b"body", asked_at: float = 1.0, accept: str = "a") -> Stored:
    return Stored(200, (), body, asked_at, asked_at + 1, (("accept", accept),))


# --- what every store does: it refuses what is older


def test_what_was_asked_for_before_its_place_was_forgotten_is_not_put(stores: Stores) -> None:
    one, other = stores(), stores()
    before = one.get(PLACE, OWNER, anything).moment

    other.remove(PLACE)

    assert not one.put(PLACE, OWNER, entry(), before)
    assert not one.get(PLACE, OWNER, anything).entries
    assert one.put(OTHER, OWNER, entry(), before)  # which is another place
    assert one.put(PLACE, OWNER, entry(), one.get(PLACE, OWNER, anything).moment)


def test_what_was_asked_for_before_all_was_forgotten_is_not_put(stores: Stores) -> None:
    one, other = stores(), stores()
    before = one.get(PLACE, OWNER, anything).moment

    other.clear()

    assert not one.put(PLACE, OWNER, entry(), before)
    assert one.put(PLACE, OWNER, entry(), one.get(PLACE, OWNER, anything).moment)


def test_what_was_asked_for_earlier_does_not_take_the_place_of_what_was_asked_for_later(stores: Stores) -> None:
    store = stores()
    moment = store.get(PLACE, OWNER, anything).moment
    assert store.put(PLACE, OWNER, entry(b"new", 5.0), moment)

    assert not store.put(PLACE, OWNER, entry(b"old", 4.0), moment)
    assert store.put(PLACE, OWNER, entry(b"other", 4.0, "b"), moment)  # which is another variant
    assert store.put(PLACE, b"you" * 8, entry(b"yours", 4.0), moment)

    assert [found.body for found in store.get(PLACE, OWNER, anything).entries] == [b"other", b"new"]
    assert store.put(PLACE, OWNER, entry(b"newest", 5.0), moment)


def test_of_what_was_forgotten_too_much_is_remembered_and_never_too_little(stores: Stores) -> None:
    store = stores()
    before = store.get(PLACE, OWNER, anything).moment
    store.remove(PLACE)
    between = store.get(PLACE, OWNER, anything).moment
    for n in range(999):
        store.remove(b"%d" % n)
    assert store.put(OTHER, OWNER, entry(), between)
    for n in range(999, 1500):
        store.remove(b"%d" % n)

    assert not store.put(PLACE, OWNER, entry(), before)
    assert not store.put(b"499", OWNER, entry(), between)
    assert not store.put(PLACE, OWNER, entry(), before)
    latest = store.get(PLACE, OWNER, anything).moment
    assert store.put(PLACE, OWNER, entry(), latest)
    assert store.put(PLACE, OWNER, entry(), latest - 400)


def test_a_moment_says_nothing_in_another_file(tmp_path: Path) -> None:
    path = tmp_path / "c" / "answers.db"
    with closing(SqliteStore(path)) as store:
        for _ in range(3):
            store.remove(OTHER)
        moment = store.get(PLACE, OWNER).moment
        path.unlink()
        store.remove(PLACE)

        assert not store.put(PLACE, OWNER, entry(), moment)
        assert store.put(PLACE, OWNER, entry(), store.get(PLACE, OWNER).moment)


# --- several caches, clients and processes


@both
def test_a_get_under_way_is_not_kept_when_another_cache_on_the_store_sees_a_post(colour: str, stores: Stores) -> None:
    watching, version = Watching(), [b"old"]

    def posted(request: Request) -> Response:
        seen = version[0]
        if seen == b"old":
            version[0] = b"new"
            assert writer("r", "POST").status == 200
        return answer(seen)

    with (
        Asking("sync", Cache(stores()), otherwise=answer(b"")) as writer,
        Asking(colour, Cache(stores()), (), watching, otherwise=posted) as reader,
        Asking("sync", Cache(stores()), otherwise=answer(b"new")) as third,
    ):
        assert reader().body == b"old"  # it had begun before
        assert third().body == b"new"
        assert reader().body == b"new"

    assert len(watching.named(CacheNotStored)) == 1


@both
def test_nor_when_another_cache_on_the_store_is_cleared(colour: str, stores: Stores) -> None:
    clearing = Cache(stores())

    def cleared(request: Request) -> Response:
        clearing.clear()
        return answer(b"old")

    with Asking(colour, Cache(stores()), [cleared, answer(b"new")]) as api:
        assert api().body == b"old"
        assert api().body == b"new"


@both
def test_a_slow_answer_does_not_take_the_place_of_a_newer_one(colour: str, stores: Stores) -> None:
    def reloaded(request: Request) -> Response:
        slow.wait(5)
        quick.wait(5)
        assert quick(headers={"Cache-Control": "no-cache"}).body == b"new"
        return answer(b"old")

    with (
        Asking("sync", Cache(stores()), [answer(b"new")]) as quick,
        Asking(colour, Cache(stores()), [reloaded]) as slow,
    ):
        assert slow().body == b"old"
        assert slow().body == b"new"


@both
def test_a_stream_that_ends_late_does_not_take_the_place_of_a_newer_answer(colour: str, stores: Stores) -> None:
    cache = Cache(stores())
    with Asking(colour, cache, [answer(b"old" * 1000), answer(b"new")], piece=1000) as api:
        body: Any = api.get(api.client.open())
        api.get(body.read())
        api.wait(5)
        assert api(headers={"Cache-Control": "no-cache"}).body == b"new"
        while api.get(body.read()):
            pass
        api.get(body.close())

        assert api().body == b"new"


@both
def test_what_is_stale_is_not_given_for_a_failure_if_it_was_made_invalid_meanwhile(colour: str, stores: Stores) -> None:
    store = stores()

    def posted(request: Request) -> Response:
        assert writer("r", "POST").status == 200
        return Response(503, {}, b"down")

    with (
        Asking("sync", Cache(store), otherwise=answer(b"")) as writer,
        Asking(colour, Cache(store), [answer(b"old", "max-age=1, stale-if-error=3600"), posted]) as api,
    ):
        api()
        api.wait(10)
        with pytest.raises(Exception, match="503"):
            api()


# --- clocks


@both
def test_an_answer_during_which_the_clock_was_set_back_is_not_kept(colour: str) -> None:
    """Which of two answers was asked for later, only the clock tells."""
    watching = Watching()

    def set_back(request: Request) -> Response:
        api.runtime.now = lambda before=api.runtime.now: before() - 3600  # type: ignore[method-assign,misc]  # a clock that jumps
        return answer(b"one")

    with Asking(colour, Cache(), [set_back, answer(b"two")], watching) as api:
        assert api().body == b"one"
        assert api().body == b"two"
        assert api().body == b"two"

    [told] = watching.named(CacheNotStored)
    assert told.reason == "the clock was set back while it was under way"


@both
def test_nor_is_what_it_would_have_replaced(colour: str) -> None:
    def set_back(request: Request) -> Response:
        api.runtime.now = lambda before=api.runtime.now: before() - 1  # type: ignore[method-assign,misc]  # it jumps
        return answer(b"two")

    with Asking(colour, Cache(), [answer(b"one"), set_back, answer(b"three")]) as api:
        api()
        api.wait(10)
        assert api(headers={"Cache-Control": "no-cache"}).body == b"two"
        assert api().body == b"three"


@both
def test_a_clock_that_was_set_back_does_not_keep_old_answers_in_their_places(colour: str) -> None:
    with Asking(colour, Cache(), [answer(b"one"), answer(b"two"), answer(b"three")]) as api:
        api()
        api.runtime.now = lambda before=api.runtime.now: before() - 3600  # type: ignore[method-assign,misc]  # a clock that jumps
        assert api().body == b"two"
        assert api().body == b"three"
        assert api().body == b"three"


# --- calls that are cancelled


class Held(MemoryStore):
    """A store that blocks, and does some of its work when it is let."""

    blocks = True

    def __init__(self, *held: str) -> None:
        super().__init__()
        self.held = held
        self.begun, self.let, self.ended = threading.Event(), threading.Event(), threading.Event()

    def _hold(self, name: str) -> None:
        if name in self.held:
            self.begun.set()
            assert self.let.wait(10)

    def put(self, place: bytes, owner: bytes, entry: Stored, moment: int) -> bool:
        self._hold("put")
        try:
            return super().put(place, owner, entry, moment)
        finally:
            self.ended.set()

    def remove(self, place: bytes) -> None:
        self._hold("remove")
        super().remove(place)
        self.ended.set()


def versioned() -> FakeTransport:
    """GET gives what the last POST has made; which says that it made `/made` as well."""
    version = [b"old"]

    def respond(request: Request) -> Response:
        if request.method == "POST":
            version[0] = b"new"
            return Response(201, {"location": "/made"})
        return answer(version[0])

    return FakeTransport(otherwise=respond)


async def cancelled(task: asyncio.Task[Response]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_get_that_is_cancelled_while_it_is_put_is_not_kept_if_it_was_made_invalid() -> None:
    async def main() -> None:
        store = Held("put")
        async with AsyncApiClient(URL, transport=versioned(), cache=Cache(store)) as api:
            reading = asyncio.create_task(api.ask())
            await asyncio.to_thread(store.begun.wait, 10)
            store.held = ()
            await api.ask(method="POST")
            await cancelled(reading)
            store.let.set()
            await asyncio.to_thread(store.ended.wait, 10)

            assert (await api.ask()).body == b"new"

    asyncio.run(main())


def test_a_post_that_is_cancelled_while_the_store_forgets_makes_all_of_it_invalid() -> None:
    async def main() -> None:
        store = Held("remove")
        async with AsyncApiClient(URL, transport=versioned(), cache=Cache(store)) as api:
            assert [(await api.ask(path)).body for path in ("r", "made")] == [b"old", b"old"]
            posting = asyncio.create_task(api.ask(method="POST"))
            await asyncio.to_thread(store.begun.wait, 10)
            await cancelled(posting)
            store.held = ()
            store.let.set()

            assert [(await api.ask(path)).body for path in ("r", "made")] == [b"new", b"new"]

    asyncio.run(main())


@pytest.mark.parametrize("blocks", [False, True])
def test_a_post_that_was_sent_and_cancelled_makes_its_url_invalid(blocks: bool) -> None:
    async def main() -> None:
        sent = asyncio.Event()

        async def respond(request: Request) -> Response:
            if request.method == "POST":
                sent.set()
                await asyncio.sleep(3600)
            return answer(b"%d" % len(fake.requests))

        fake, store = FakeTransport(otherwise=respond), Failing(blocks=blocks)
        cache = Cache(store)
        async with AsyncApiClient(URL, transport=fake, cache=cache) as api:
            assert (await api.ask()).body == b"1"
            posting = asyncio.create_task(api.ask(method="POST"))
            await sent.wait()
            await cancelled(posting)

            assert (await api.ask()).body == b"3"
            assert (await api.ask()).body == b"3"

    asyncio.run(main())


def test_a_post_that_is_given_up_with_its_loop_makes_its_url_invalid() -> None:
    store = Failing(blocks=True)

    async def begin() -> asyncio.Task[Response]:
        sent = asyncio.Event()

        async def respond(request: Request) -> Response:
            if request.method == "POST":
                sent.set()
                await asyncio.sleep(3600)
            return answer(b"old")

        api = AsyncApiClient(URL, transport=FakeTransport(otherwise=respond), cache=Cache(store))
        await api.ask()
        posting = asyncio.ensure_future(api.ask(method="POST"))
        await sent.wait()
        return posting

    loop = asyncio.new_event_loop()
    posting: Any = loop.run_until_complete(begin())
    posting._log_destroy_pending = False
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    posting.get_coro().close()

    with Asking("sync", Cache(store), [answer(b"new")]) as api:
        assert api().body == b"new"


def test_what_a_cancelled_post_made_invalid_is_removed_beside_it(tmp_path: Path) -> None:
    """Other processes give it until then."""

    async def main() -> None:
        sent = asyncio.Event()

        async def respond(request: Request) -> Response:
            if request.method == "POST":
                sent.set()
                await asyncio.sleep(3600)
            return answer(b"old")

        with closing(SqliteStore(tmp_path / "c" / "a.db")) as store, closing(SqliteStore(store._path)) as other:
            removed = threading.Event()
            remove = store.remove

            def watched(place: bytes) -> None:
                remove(place)
                removed.set()

            store.remove = watched  # type: ignore[method-assign]  # a fake would be the whole store again
            async with AsyncApiClient(URL, transport=FakeTransport(otherwise=respond), cache=Cache(store)) as api:
                await api.ask()
                posting = asyncio.create_task(api.ask(method="POST"))
                await sent.wait()
                assert other.stats().entries == 1
                await cancelled(posting)
                await asyncio.to_thread(removed.wait, 10)

                assert other.stats().entries == 0

    asyncio.run(main())


def test_what_could_not_be_removed_is_when_the_store_is_closed(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "c" / "a.db")) as other:
        store = SqliteStore(tmp_path / "c" / "a.db")
        store.put(PLACE, OWNER, entry(), store.get(PLACE, OWNER).moment)
        ledger_of(store).forget([PLACE])
        assert other.stats().entries == 1

        store.close()

        assert other.stats().entries == 0


# --- stores that fail


@both
@pytest.mark.parametrize("blocks", [False, True])
def test_what_could_not_be_replaced_is_not_given_again(colour: str, blocks: bool) -> None:
    store = Failing(blocks=blocks)
    bodies = iter([b"old", b"new", b"newer", b"newest"])
    with Asking(colour, Cache(store), otherwise=lambda _: answer(next(bodies))) as api:
        assert api().body == b"old"
        store.fails = ("put",)
        assert api(headers={"Cache-Control": "no-cache"}).body == b"new"
        assert api().body == b"newer"
        store.fails = ()
        assert api().body == b"newest"
        assert api().body == b"newest"


@both
def test_nor_what_was_there_when_the_store_could_not_be_read(colour: str) -> None:
    store = Failing()
    bodies = iter([b"old", b"new", b"newer"])
    with Asking(colour, Cache(store), otherwise=lambda _: answer(next(bodies))) as api:
        assert api().body == b"old"
        store.fails = ("get",)
        assert api().body == b"new"
        store.fails = ()
        assert api().body == b"newer"
        assert api().body == b"newer"


@both
def test_what_one_cache_could_not_forget_no_other_on_the_store_gives(colour: str) -> None:
    store = Failing()
    with (
        Asking("sync", Cache(store), otherwise=answer(b"")) as writer,
        Asking(colour, Cache(store), [answer(b"old"), answer(b"new")]) as reader,
    ):
        reader()
        store.fails = ("remove",)
        writer("r", "POST")

        assert reader().body == b"new"


def test_what_a_cache_could_not_forget_outlives_it() -> None:
    store = Failing()
    with Asking("sync", Cache(store), [answer(b"old"), answer(b"")]) as api:
        api()
        store.fails = ("remove",)
        api("r", "POST")
    store.fails = ()
    del api
    gc.collect()

    with Asking("sync", Cache(store), [answer(b"new")]) as api:
        assert api().body == b"new"


def test_after_an_outage_with_too_much_to_forget_the_store_is_emptied_and_used_again() -> None:
    store = Failing("remove", "clear")
    with Asking("sync", Cache(store), otherwise=lambda _: answer(b"one")) as api:
        api()
        for number in range(1001):
            api(str(number), "POST")
        api()
        store.fails = ()
        before = api.asked

        for _ in range(5):
            api()

    assert api.asked == before + 1


def test_what_cannot_be_cleared_is_not_given_until_it_can() -> None:
    class Stuck(MemoryStore):
        stuck = True

        def clear(self) -> None:
            if self.stuck:
                raise OSError("read-only")
            super().clear()

    store, bodies = Stuck(), iter([b"1", b"2", b"3", b"4"])
    with Asking("sync", Cache(store), otherwise=lambda _: answer(next(bodies))) as api:
        api()
        with pytest.raises(OSError, match="read-only"):
            api.client.cache.clear()
        assert api().body == b"2"
        assert api().body == b"3"
        store.stuck = False
        assert api().body == b"4"
        assert api().body == b"4"


@pytest.mark.parametrize("found", [None, (), [1], ((), None), (None, 0), ([b"junk"], 0), ([], "0")])
def test_a_store_that_gives_anything_else_is_one_that_fails(found: object) -> None:
    class Odd(MemoryStore):
        def get(self, place: bytes, owner: bytes, suits: object = None) -> Any:
            return found

    with Asking("sync", Cache(Odd()), otherwise=answer(b"one")) as api:
        assert api().body == b"one"
        assert api().body == b"one"


def test_a_store_that_nothing_can_be_noted_about_works_for_each_cache() -> None:
    class Unhashable(MemoryStore):
        __hash__ = None  # type: ignore[assignment]  # as of a dataclass

    store, bodies = Unhashable(), iter([b"1", b"2", b"3"])
    with Asking("sync", Cache(store), otherwise=lambda _: answer(next(bodies))) as api:
        assert api().body == api().body == b"1"
        api("r", "POST")
        assert api().body == b"3"


def test_an_interrupt_leaves_a_place_in_doubt() -> None:
    store = Failing()
    with Asking("sync", Cache(store), [answer(b"old"), answer(b"new"), answer(b"newer")]) as api:
        api()
        store.fails, store.error = ("put",), KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            api(headers={"Cache-Control": "no-cache"})
        store.fails = ()

        assert api().body == b"newer"


def test_before_anything_is_put_what_is_owed_is_removed(stores: Stores) -> None:
    """Other processes do not know that it is."""
    store = stores()
    moment = store.get(PLACE, OWNER, anything).moment
    shelved = Shelved(store)
    shelved.put(OTHER, OWNER, entry())
    shelved.shelf.forget([PLACE, OTHER])

    assert SyncRuntime().run(shelved.shelf.put(Key(PLACE, OWNER), entry(b"old"), moment, SyncRuntime())) is False

    assert store.stats().entries == 0


# --- the ledger


def test_a_place_is_forgotten_later_than_what_was_before() -> None:
    ledger = Ledger()
    ledger.kept()
    before = ledger.forgotten.count

    ledger.forget([b"a"])

    assert ledger.forgotten.last(b"a") > before > 0
    assert ledger.forgotten.last(b"b") == 0
    assert ledger.owes(b"a")
    assert not ledger.owes(b"b")
    before = ledger.forgotten.count
    ledger.forget_all()
    assert ledger.forgotten.last(b"a") == ledger.forgotten.last(b"b") > before
    assert ledger.owes(b"b")


def test_the_ledger_is_bounded_and_errs_on_the_safe_side() -> None:
    ledger = Ledger()
    ledger.forget([b"first"])
    first = ledger.forgotten.last(b"first")
    for number in range(999):
        ledger.forget([b"%d" % number])
    assert ledger.forgotten.last(b"never") == 0
    assert not ledger.owes(b"never")
    ledger.forget([b"0"])  # again: it stays longer
    again = ledger.forgotten.last(b"0")
    for number in range(1000, 1500):
        ledger.forget([b"%d" % number])

    assert len(ledger.forgotten._places) == 1000
    assert len(ledger._owed) <= 1000
    assert ledger.forgotten.last(b"0") == again
    assert ledger.forgotten.last(b"never") >= first
    assert ledger.forgotten.last(b"first") >= first
    assert ledger.owes(b"never")


def test_what_is_owed_again_while_it_is_paid_stays_owed() -> None:
    ledger = Ledger()

    class Racing(MemoryStore):
        def remove(self, place: bytes) -> None:
            super().remove(place)
            if place == PLACE:
                ledger.forget([PLACE])

        def clear(self) -> None:
            super().clear()
            ledger.forget([OTHER])

    store = Racing()
    ledger.forget([PLACE])
    ledger.pay(store)
    assert ledger.owes(PLACE)

    ledger.forget_all()
    ledger.forget([b"later"])
    ledger.pay(store)
    assert not ledger.owes(PLACE)
    assert not ledger.owes(b"later")
    assert not ledger.owes(OTHER)  # it was paid in the same round


def test_all_that_is_forgotten_while_the_store_is_cleared_is_owed_anew() -> None:
    ledger = Ledger()

    class Racing(MemoryStore):
        def clear(self) -> None:
            super().clear()
            ledger.forget_all()

    ledger.forget_all()
    ledger.pay(Racing())

    assert ledger.owes(PLACE)


def test_caches_on_one_store_have_one_ledger() -> None:
    store = MemoryStore()

    assert Cache(store)._shelf.ledger is Cache(store)._shelf.ledger is ledger_of(store)
    assert ledger_of(MemoryStore()) is not ledger_of(store)
