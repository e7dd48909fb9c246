"""What type checkers make of operations, for either colour. Checked by `tox -e types`; never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
# The ignores below are the test: mypy and pyright each complain where one is not needed.

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, assert_type

from jackfield import (
    AsyncClient,
    AsyncItems,
    AsyncJob,
    AsyncPages,
    Client,
    Done,
    Items,
    JackfieldError,
    Job,
    JobState,
    Model,
    Page,
    Pages,
    Pending,
    Request,
    Service,
    job,
    operation,
    paged,
    wait_all,
)
from jackfield_plugins.pagination import Cursor, CursorAt, InHeader, LinkAt, LinkHeader, PageAt, PageNumber
from jackfield_plugins.polling import Polling

LINKS = LinkHeader(total=InHeader("x-total"))
CURSORS = Cursor("meta.next", items=("data", "items"))


class Node(Model):
    name: str


async def _poll(service: Core, job: Pending) -> JobState[Node]:
    return Done(await service.node(job.id))


class Core(Service):
    @operation
    async def node(self, name: str, *, deep: bool = False) -> Node:
        return (await self.send(Request("GET", self.url("nodes", name)))).decode(Node)

    @operation(bounded=False)
    async def twice(self, name: str) -> tuple[Node, Node]:
        """Inside a body every operation is awaitable, whichever client was called."""
        awaitable = self.node(name)
        _ = assert_type(awaitable, Coroutine[Any, Any, Node])
        return await awaitable, await self.node(name)

    @paged(PageNumber(50))
    async def nodes(self, at: PageAt, /, prefix: str = "") -> Page[Node]:
        return Page([await self.node(prefix)])

    @paged(LINKS, max_pages=50)
    async def links(self, at: LinkAt, zone: str) -> Page[Node]:
        request = Request("GET", self.url("nodes"), query={"zone": zone})
        asked = LINKS.ask(at, request)
        page = LINKS.page(asked, await self.send(asked), Node, items="nodes")
        assert_type(page, Page[Node])
        fetched = await LINKS.fetch(self, at, request, Node)
        assert_type(fetched, Page[Node])
        assert_type(await LINKS.fetch(self, at, request, dict[str, int]), Page[dict[str, int]])
        return fetched

    @paged(CURSORS)
    async def kinds(self, at: CursorAt) -> Page[str]:
        return await CURSORS.fetch(self, at, Request("GET", self.url("kinds")), str, items="kinds")

    @job(Polling(_poll))
    async def build(self, name: str) -> JobState[Node]:
        return Pending(name)


class CoreClient(Core, Client): ...


class AsyncCoreClient(Core, AsyncClient): ...


def sync(client: CoreClient) -> None:
    assert_type(client.node("a", deep=True), Node)
    assert_type(client.twice("a"), tuple[Node, Node])
    assert_type(client.nodes("a"), Page[Node])
    assert_type(client.nodes("a")[0], Node)
    assert_type(client.nodes("a").next, str | None)
    assert_type(client.nodes.all("a"), Items[Node])
    assert_type(next(client.nodes.all()), Node)
    _: Iterator[Node] = client.nodes.all()
    assert_type(client.nodes.pages(prefix="a"), Pages[Node])
    assert_type(next(client.nodes.pages()), Page[Node])
    assert_type(client.nodes.prefetch(2).all("a"), Items[Node])
    assert_type(client.nodes.prefetch(2).at("token")(prefix="a"), Page[Node])
    assert_type(client.nodes.at("token").all(), Items[Node])
    assert_type(client.build("a"), Node)
    assert_type(client.build.start("a"), Job[Node])
    assert_type(client.build.start("a").result(timeout=5), Node)
    assert_type(client.build.resume("token").poll(), bool)
    assert_type(wait_all([client.build.start("a")]), list[Node])
    assert_type(wait_all([client.build.start("a")], return_errors=True), list[Node | JackfieldError])
    assert_type(client.node.request("a"), Request)
    assert_type(client.with_options(timeout=1, retry=None), CoreClient)
    with client as entered:
        assert_type(entered, CoreClient)


async def awaited(client: AsyncCoreClient) -> None:
    awaitable = client.node("a")
    _ = assert_type(awaitable, Coroutine[Any, Any, Node])
    assert_type(await awaitable, Node)
    assert_type(await client.node("a", deep=True), Node)
    assert_type(await client.twice("a"), tuple[Node, Node])
    assert_type(await client.nodes("a"), Page[Node])
    assert_type(client.nodes.all("a"), AsyncItems[Node])
    assert_type(await anext(client.nodes.all()), Node)
    items: AsyncIterator[Node] = client.nodes.prefetch(2).all()
    assert_type([item async for item in items], list[Node])
    assert_type(client.nodes.pages(prefix="a"), AsyncPages[Node])
    assert_type(await client.build("a"), Node)
    assert_type(await client.build.start("a"), AsyncJob[Node])
    assert_type(await (await client.build.start("a")).result(timeout=5), Node)
    assert_type(await client.build.resume("token").poll(), bool)
    assert_type(await client.node.request("a"), Request)
    async with client as entered:
        assert_type(entered, AsyncCoreClient)


def wrong_styles(service: Core, request: Request) -> None:
    LINKS.ask(CursorAt(), request)  # type: ignore[arg-type]
    LinkHeader(totl="x")  # type: ignore[call-arg]
    LinkHeader(items=5)  # type: ignore[arg-type]


def wrong(client: CoreClient, awaitable: AsyncCoreClient) -> None:
    client.node(1)  # type: ignore[arg-type]
    client.node()  # type: ignore[call-arg]
    client.node("a", depp=True)  # type: ignore[call-arg]
    client.nodes(PageAt(), "a")  # type: ignore[arg-type,call-arg]
    client.nodes.all(prefix=1)  # type: ignore[arg-type]
    client.nodes.prefetch(2).all(prefix=1)  # type: ignore[arg-type]
    client.nodes.prefetch("2")  # type: ignore[arg-type]
    client.nodes.at(client.nodes().next)  # type: ignore[arg-type]
    client.build.start(1)  # type: ignore[arg-type]
    client.node.request(1)  # type: ignore[arg-type]
    client.with_options(timeout="1")  # type: ignore[arg-type]
    _ = awaitable.node(1)  # type: ignore[arg-type]
    _ = awaitable.node("a").name  # type: ignore[attr-defined]
    _ = client.node("a").nme  # type: ignore[attr-defined]
