"""Fixtures for every test. Each gives something to use, and takes it back whole."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from ssl import SSLContext

import pytest

from .servers import GUARD, Script, ScriptedServer, Serve
from .stalls import Stalls


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many processes as there are processors: with more, tests that hold deadlines would wait for each other."""
    return os.cpu_count() or 1


def pytest_collection_finish() -> None:
    """What was collected stays to the end: searches for garbage, for which many tests ask, need not go through it."""
    gc.freeze()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts scripted servers on the loopback; at the test's end no thread or socket of theirs is left."""
    with ExitStack() as running:

        def start(*scripts: Script, host: str = "127.0.0.1", tls: SSLContext | None = None) -> ScriptedServer:
            return running.enter_context(ScriptedServer(*scripts, host=host, tls=tls))

        yield start


@pytest.fixture
def stalls() -> Iterator[Stalls]:
    """How long the machine kept this test from running, for bounds in real time."""
    with Stalls() as watched:
        yield watched


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails a test after which threads or open files are left. Ask for it before all else."""
    threads, files = set(threading.enumerate()), _open_files()

    yield

    if _open_files() != files:
        gc.collect()  # what is in a circle, as errors and their frames are, goes when it is found
    late = [thread for thread in threading.enumerate() if thread not in threads]
    for thread in late:
        thread.join(GUARD)
    assert [thread.name for thread in late if thread.is_alive()] == []
    assert _open_files() == files


def _open_files() -> int:
    """How many this process has open, sockets among them; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.is_dir() else 0
