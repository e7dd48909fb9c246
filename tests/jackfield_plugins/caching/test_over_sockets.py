"""The cache over real connections: codings, kept connections, closing, and many at once."""

from __future__ import annotations

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.both import Both
from tests.clients import COLOURS
from tests.jackfield_plugins.caching.asking import Api, did

from jackfield import AsyncClient, Client, Response
from jackfield.testing import Cut, FaultServer, Reply
from jackfield_plugins.caching import Cache

both = pytest.mark.parametrize("colour", COLOURS)
BODY = bytes(range(256)) * 1000
FRESH = {"Cache-Control": "max-age=60", "ETag": '"1"'}


class ApiClient(Api, Client): ...


class AsyncApiClient(Api, AsyncClient): ...


@both
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_coded_body_is_given_again_decoded(nothing_left: None, colour: str, framing: Any) -> None:
    reply = Reply(200, gzip.compress(BODY), {**FRESH, "Content-Encoding": "gzip"}, framing=framing)
    with FaultServer(reply) as server, Both(colour, Api, server.url, cache=Cache()) as api:
        first, second = api.get(api.client.ask()), api.get(api.client.ask())
        streamed = api.get(api.client.read())

    assert first.body == second.body == streamed == BODY
    assert did(second).startswith("jackfield; hit")


@both
def test_a_304_to_a_stream_leaves_its_connection_to_the_next_call(nothing_left: None, colour: str) -> None:
    stale = {"Cache-Control": "no-cache", "ETag": '"1"'}
    replies = [Reply(200, BODY, stale), Reply(304, b"", stale), Reply(304, b"", stale)]
    with FaultServer(*replies) as server, Both(colour, Api, server.url, cache=Cache()) as api:
        for _ in range(3):
            assert api.get(api.client.read()) == BODY

        assert len(server.requests) == 3
        assert server.connections == 1


@both
@pytest.mark.parametrize("streamed", [False, True])
def test_a_body_that_is_cut_is_not_kept(nothing_left: None, colour: str, streamed: bool) -> None:
    reply = Reply(200, BODY, FRESH)
    with FaultServer(Cut(after=1000, of=reply), reply) as server, Both(colour, Api, server.url, cache=Cache()) as api:
        ask = api.client.read if streamed else api.client.ask
        with pytest.raises(Exception, match="body"):
            api.get(ask())
        found = api.get(ask())

        assert (found if streamed else found.body) == BODY
        assert len(server.requests) == 2


@both
def test_a_cut_error_is_not_kept(nothing_left: None, colour: str) -> None:
    reply = Reply(404, b"gone for good", FRESH, framing="chunked")
    cut = Cut(after=len(reply.wire()) - 9, of=reply)
    with FaultServer(cut, reply) as server, Both(colour, Api, server.url, cache=Cache()) as api:
        texts: list[bytes] = []
        for _ in range(3):
            with pytest.raises(Exception, match="404") as caught:
                api.get(api.client.ask())
            response: Any = getattr(caught.value, "response", None)
            texts.append(response.body)

        assert texts[0] != b"gone for good"
        assert texts[1:] == [b"gone for good"] * 2
        assert len(server.requests) == 2


def test_a_hundred_tasks_and_a_hundred_threads_make_one_request(nothing_left: None) -> None:
    with FaultServer(Reply(200, BODY, FRESH)) as server:
        cache = Cache()

        async def tasks() -> list[Response]:
            async with AsyncApiClient(server.url, cache=cache) as client:
                return list(await asyncio.gather(*[client.ask() for _ in range(100)]))

        with ThreadPoolExecutor(101) as threads, ApiClient(server.url, cache=cache) as client:
            others = threads.submit(asyncio.run, tasks())
            asking = [threads.submit(client.ask) for _ in range(100)]
            answers = [*[one.result() for one in asking], *others.result()]

        assert [found.body for found in answers] == [BODY] * 200
        assert len(server.requests) == 1


REFRESHED = Reply(200, BODY, {"Cache-Control": "max-age=0, stale-while-revalidate=60"})


def test_closing_a_client_ends_its_refresh(nothing_left: None) -> None:
    with FaultServer(REFRESHED, Cut("stall", after=0)) as server, ApiClient(server.url, cache=Cache()) as client:
        client.ask()
        assert client.ask().body == BODY


def test_closing_an_async_client_ends_its_refresh(nothing_left: None) -> None:
    async def main(url: str) -> None:
        async with AsyncApiClient(url, cache=Cache()) as client:
            await client.ask()
            assert (await client.ask()).body == BODY
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with FaultServer(REFRESHED, Cut("stall", after=0)) as server:
        asyncio.run(main(server.url))


@both
def test_a_stale_answer_stands_in_for_a_service_that_hangs(nothing_left: None, colour: str) -> None:
    stale = Reply(200, BODY, {"Cache-Control": "max-age=0, stale-if-error=60"})
    with (
        FaultServer(stale, Cut("stall", after=0)) as server,
        Both(colour, Api, server.url, cache=Cache()) as api,
    ):
        api.get(api.client.ask())
        found = api.get(api.client.with_options(read_timeout=0.2).ask())

    assert found.body == BODY
    assert 'detail="ReadTimeoutError"' in did(found)
