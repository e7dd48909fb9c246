"""A million items in pages of 500: memory stays flat, and each is decoded once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = r'''
import asyncio, re, sys
from msgspec.json import encode
from jackfield import AsyncClient, Client, Model, Page, Request, Response, Service, paged
from jackfield.testing import FakeTransport
from jackfield_plugins.pagination import LinkAt, LinkHeader

STYLE = LinkHeader(items="data.items")
PAGES, SIZE = 2_000, 500

class Node(Model):
    id: int
    name: str

class Hub(Service):
    @paged(STYLE)
    async def nodes(self, at: LinkAt) -> Page[Node]:
        return await STYLE.fetch(self, at, Request("GET", self.url("nodes"), query={"page": "1"}), Node)

def body(first):
    return encode({"data": {"items": [{"id": first + n, "name": f"node-{first + n}"} for n in range(SIZE)]}})

BODIES = body(0), body(SIZE)

def answer(request):
    fake.requests.clear()
    number = int(dict(request.query)["page"])
    link = {"link": f"</nodes?page={number + 1}>; rel=next"} if number < PAGES else {}
    return Response(200, link, BODIES[number % 2])

fake = FakeTransport(otherwise=answer)

def used():
    """Bytes of memory that this process has had at most."""
    return int(re.search(r"VmHWM:\s*(\d+) kB", open("/proc/self/status").read())[1]) * 1024

async def main(nodes):
    count = warm = total = 0
    async for node in nodes.all():
        count, total = count + 1, total + node.id
        if count == 100 * SIZE:
            warm = used()
    return count, total, used() - warm

def plain(nodes):
    count = warm = total = 0
    for node in nodes.all():
        count, total = count + 1, total + node.id
        if count == 100 * SIZE:
            warm = used()
    return count, total, used() - warm

colour, ahead = sys.argv[1], int(sys.argv[2])
client = type("Api", (Hub, Client if colour == "sync" else AsyncClient), {})("https://h", transport=fake)
nodes = client.nodes.prefetch(ahead) if ahead else client.nodes
print(*(plain(nodes) if colour == "sync" else asyncio.run(main(nodes))))
'''


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize("ahead", [0, 4])
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_million_items_take_no_more_memory_than_fifty_thousand(colour: str, ahead: int) -> None:
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, colour, str(ahead)], capture_output=True, text=True, check=True, timeout=300
    )
    count, total, grown = map(int, told.stdout.split())

    assert count == 1_000_000
    assert total == 1_000 * sum(range(1_000))
    assert grown <= 2_000_000
