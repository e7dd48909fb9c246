"""Clients of a service with files, in both colours, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from tests.both import Both
from tests.jackfield_plugins.streaming.service import Files

from jackfield import Request, Response
from jackfield.testing import Answer, FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime


class Serving(Protocol):
    """Makes a client of what these answers are, or of a server."""

    def __call__(self, answers: Sequence[Answer] | Callable[[Request], Response] | str, **options: Any) -> Both: ...


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def serving(colour: str) -> Iterator[Serving]:
    """`serving(ranges.answer).client.get("a")`; `.transport` tells what was asked, `.client.runtime` the waits."""
    with ExitStack() as stack:

        def start(answers: Sequence[Answer] | Callable[[Request], Response] | str, **options: Any) -> Both:
            piece = options.pop("piece", 10)
            runtime = VirtualSyncRuntime() if colour == "sync" else VirtualAsyncioRuntime()
            stack.callback(lambda: asyncio.run(runtime.close()))
            options.setdefault("runtime", runtime)
            if isinstance(answers, str):
                return stack.enter_context(Both(colour, Files, answers, **options))
            if callable(answers):
                transport = FakeTransport(otherwise=answers, piece=piece)
            else:
                transport = FakeTransport(answers, piece=piece)
            return stack.enter_context(Both(colour, Files, "https://files.example", transport, **options))

        yield start
