"""A token store in memory: what was saved is there, and one at a time renews it."""

from __future__ import annotations

import threading
from pathlib import Path

from jackfield import Secret
from jackfield_plugins.auth import FileTokenStore, MemoryTokenStore, Token, TokenStore

OLD, NEW = Token(Secret("old")), Token(Secret("new"), expires_at=2.0)


def test_what_was_saved_last_is_there() -> None:
    store = MemoryTokenStore()

    assert store.load("a") is None
    store.save("a", OLD)
    store.save("a", NEW)
    store.save("b", OLD)

    assert (store.load("a"), store.load("b"), store.load("c")) == (NEW, OLD, None)


def test_stores_share_nothing() -> None:
    one, other = MemoryTokenStore(), MemoryTokenStore()

    one.save("a", OLD)

    assert other.load("a") is None
    assert one.lock("a").acquire()
    assert other.lock("a").acquire()


def test_one_at_a_time_has_the_lock_of_a_key() -> None:
    store = MemoryTokenStore()
    mine, yours = store.lock("a"), store.lock("a")

    assert mine.acquire()
    assert mine.acquire(), "it has it already"
    assert not yours.acquire()
    assert store.lock("b").acquire(), "another key is another lock"

    mine.release()
    assert yours.acquire()


def test_who_does_not_have_the_lock_cannot_give_it_back() -> None:
    store = MemoryTokenStore()
    mine, yours = store.lock("a"), store.lock("a")
    assert mine.acquire()

    yours.release()
    assert not yours.acquire()

    mine.release()
    mine.release()
    assert yours.acquire()
    mine.release()
    assert not store.lock("a").acquire()


def test_of_many_threads_one_has_the_lock() -> None:
    store = MemoryTokenStore()
    start, taken = threading.Barrier(16), list[bool]()

    def work() -> None:
        start.wait()
        taken.append(store.lock("a").acquire())

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == [False] * 15 + [True]


def test_both_stores_are_what_the_protocol_says(tmp_path: Path) -> None:
    memory: TokenStore = MemoryTokenStore()
    file: TokenStore = FileTokenStore(tmp_path / "tokens")

    assert (memory.blocks, file.blocks) == (False, True)


def test_a_store_shows_no_token() -> None:
    store = MemoryTokenStore()
    store.save("a", Token(Secret("hunter2-canary"), refresh_token=Secret("hunter2-canary")))

    assert "canary" not in f"{store!r} {vars(store)}"
