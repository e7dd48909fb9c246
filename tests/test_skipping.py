"""A loop that skips what it would wait waits for nobody but its own tasks, and says so."""

from __future__ import annotations

import asyncio
import socket

import pytest

from . import skipping


def test_what_is_waited_for_has_passed_at_once() -> None:
    async def work() -> float:
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(60))
        return asyncio.get_running_loop().time()

    assert skipping.run(work()) == 3600


def test_a_thread_is_refused() -> None:
    with pytest.raises(AssertionError, match="a thread takes its own time"):
        skipping.run(asyncio.to_thread(int))


def test_a_peer_is_refused_where_time_would_be_skipped() -> None:
    ours, theirs = socket.socketpair()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(ours, int)
        await asyncio.sleep(0)
        try:
            await asyncio.sleep(1)
        finally:
            loop.remove_reader(ours)

    with ours, theirs, pytest.raises(AssertionError, match="a peer takes its own time"):
        skipping.run(work())
