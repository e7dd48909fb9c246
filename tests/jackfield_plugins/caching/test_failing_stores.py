"""F44: a store that fails is passed by, with one warning; calls go on (somebody's store over a network, say)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients import COLOURS
from tests.jackfield_plugins.caching.asking import Asking, Watching, answer, did

from jackfield import CacheNotStored, Response, ServiceError
from jackfield_plugins.caching import Cache, Found, MemoryStore, Stored, StoreError, Suits

both = pytest.mark.parametrize("colour", COLOURS)


class Failing(MemoryStore):
    """Fails at some of its work, and counts all of it."""

    def __init__(self, *fails: str, error: BaseException | None = None, blocks: bool = False) -> None:
        super().__init__()
        self.fails = fails
        self.blocks = blocks
        self.error = error or OSError("redis://:hunter2@store:6379 does not answer")
        self.worked: list[str] = []

    def _work(self, name: str) -> None:
        self.worked.append(name)
        if name in self.fails:
            raise self.error

    def get(self, place: bytes, owner: bytes, suits: Suits | None = None) -> Found:
        self._work("get")
        return super().get(place, owner)

    def put(self, place: bytes, owner: bytes, entry: Stored, moment: int) -> bool:
        self._work("put")
        return super().put(place, owner, entry, moment)

    def remove(self, place: bytes) -> None:
        self._work("remove")
        super().remove(place)

    def clear(self) -> None:
        self._work("clear")
        super().clear()


kinds = pytest.mark.parametrize("blocks", [False, True], ids=["memory", "blocking"])


@both
@kinds
@pytest.mark.parametrize("fails", [("get",), ("put",), ("get", "put", "remove"), ("remove",)])
@pytest.mark.parametrize("error", [OSError("redis://:hunter2@store"), ValueError("hunter2"), TimeoutError()])
def test_f44_calls_go_on_without_it_and_one_warning_is_given(
    colour: str, blocks: bool, fails: Any, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store = Failing(*fails, error=error, blocks=blocks)
    with Asking(colour, Cache(store), otherwise=answer(b"one")) as api:
        for _ in range(3):
            assert api().body == b"one"
        api("r", "POST")
        assert api().body == b"one"

    [warning] = caplog.records
    assert (warning.name, warning.levelno) == ("jackfield", logging.WARNING)
    text = warning.getMessage()
    assert text == f"the cache's store Failing failed ({type(error).__name__}): calls go on without it"
    assert "hunter2" not in text


@both
def test_f44_an_answer_that_could_not_be_kept_does_not_say_that_it_was(colour: str) -> None:
    watching = Watching()
    with Asking(colour, Cache(Failing("put")), [answer(b"one")], watching) as api:
        response = api()

    assert did(response) == "jackfield; fwd=uri-miss"
    assert [event.reason for event in watching.named(CacheNotStored)] == ["the store failed"]


@both
@kinds
def test_f44_what_could_not_be_forgotten_is_not_given(colour: str, blocks: bool) -> None:
    store = Failing("remove", blocks=blocks)
    bodies = iter([b"old", b"", b"new", b"newer", b"newest"])
    with Asking(colour, Cache(store), otherwise=lambda _: answer(next(bodies))) as api:
        assert api().body == b"old"
        api("r", "POST")
        assert api().body == b"new"
        assert api().body == b"newer"
        store.fails = ()
        assert api().body == b"newest"
        assert api().body == b"newest"


def test_f44_of_too_much_that_could_not_be_forgotten_nothing_is_given() -> None:
    store = Failing("remove", "clear")
    with Asking("sync", Cache(store), otherwise=lambda _: answer(b"one")) as api:
        api()
        for number in range(1001):
            api(str(number), "POST")
        api()
        api()
        assert api.asked == 1004


def test_f44_the_store_is_worth_a_word_each_hour(caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(Failing("get"))
    with Asking("sync", cache, otherwise=answer(b"one")) as api:
        for _ in range(3):
            api()
        assert len(caplog.records) == 1
        api.wait(3599)
        api()
        assert len(caplog.records) == 1
        api.wait(2)
        api()
        api()
        assert len(caplog.records) == 2


def test_f44_what_a_store_says_itself_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with Asking("sync", Cache(Failing("get", error=StoreError("/var/cache/a.db: full"))), [answer(b"one")]) as api:
        api()

    [warning] = caplog.records
    assert warning.getMessage() == ("the cache's store Failing failed (/var/cache/a.db: full): calls go on without it")


@both
@kinds
def test_a_hit_reads_the_store_once_and_a_miss_reads_and_writes_once(colour: str, blocks: bool) -> None:
    store = Failing(blocks=blocks)
    with Asking(colour, Cache(store), [answer(b"one")]) as api:
        api()
        assert store.worked == ["get", "put"]
        api()
        assert store.worked == ["get", "put", "get"]


@both
def test_a_head_that_changes_nothing_writes_nothing(colour: str) -> None:
    store = Failing()
    with Asking(colour, Cache(store), [answer(b"one"), Response(503)]) as api:
        api()
        api.wait(100)
        with pytest.raises(ServiceError, match="503"):
            api("r", "HEAD")

    assert store.worked == ["get", "put", "get"]


@both
def test_what_is_not_for_a_cache_does_not_read_the_store(colour: str) -> None:
    store = Failing()
    with Asking(colour, Cache(store), otherwise=answer(b"")) as api:
        api("r", "OPTIONS")
        api("r", "POST")

    assert store.worked == ["remove"]


def test_what_forgets_nothing_takes_no_thread() -> None:
    offloaded: list[object] = []

    async def offload(work: Callable[[], object]) -> object:
        offloaded.append(work)
        return work()

    with Asking("async", Cache(Failing(blocks=True)), otherwise=answer(b"")) as api:
        api.runtime.offload = offload  # type: ignore[method-assign,assignment]  # counted
        api("r", "OPTIONS")
        assert not offloaded
        api("r", "POST")
        assert len(offloaded) == 1


def test_a_store_that_blocks_is_asked_in_a_thread_of_its_own_by_async_clients() -> None:
    import threading

    threads: list[str] = []

    class Noting(Failing):
        def _work(self, name: str) -> None:
            threads.append(threading.current_thread().name)

    for blocks in (True, False):
        with Asking("async", Cache(Noting(blocks=blocks)), [answer(b"one")]) as api:
            api()
            api()

    assert all(name.startswith("jackfield") for name in threads[:3])
    assert all(name == threading.main_thread().name for name in threads[3:])


@both
def test_clear_and_stats_tell_what_the_store_cannot_do(colour: str) -> None:
    class Broken(MemoryStore):
        def clear(self) -> None:
            raise OSError("read-only")

    with pytest.raises(OSError, match="read-only"):
        Cache(Broken()).clear()
