"""`jackfield demo`: what CloudStack users do most, against the emulator, sync and async, with all of it shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ._clients import AsyncCloudStack, CloudStack
from ._parameters import Parameter
from ._story import Chapter, Story
from .emulator import CloudStackEmulator

MACHINES = 1200
PAGE_SIZE = 500
POLLS = 6
_ANY_ID = "00000000-0000-4000-8000-000000000000"


def main(arguments: Sequence[str] = ()) -> int:
    """Runs the demo; exit status 0 if every machine came once, the job succeeded and the 503 was retried."""
    if arguments:
        print("usage: jackfield demo")
        return 0 if arguments[0] in ("-h", "--help") else 2
    story = Story()
    with CloudStackEmulator(machines=MACHINES, page_size_limit=PAGE_SIZE) as cloud:
        story.say(f"A CloudStack with {MACHINES:,} machines is emulated on {cloud.end_point}.")
        story.say(
            "The first request of each client is answered with 503; requests are signed, and the server checks that."
        )
        plain = _plain(cloud, story.chapter("CloudStack: plain calls"))
        awaited = asyncio.run(_awaited(cloud, story.chapter("AsyncCloudStack: the same operations, awaited")))
    story.summary([plain, awaited])
    pages = -(-MACHINES // PAGE_SIZE)
    return 0 if plain.kept(MACHINES, pages) and awaited.kept(MACHINES, pages) else 1


def _plain(cloud: CloudStackEmulator, chapter: Chapter) -> Chapter:
    _prepare(cloud)
    with chapter, CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, 0.1, plugins=[chapter]) as client:
        chapter.listed(client.listVirtualMachines())
        zones = client.listZones()
        chapter.deployed(client.deployVirtualMachine(**_order(zones)))
    return chapter


async def _awaited(cloud: CloudStackEmulator, chapter: Chapter) -> Chapter:
    _prepare(cloud)
    arguments = (cloud.end_point, cloud.api_key, cloud.api_secret)
    with chapter:
        async with AsyncCloudStack(*arguments, async_poll_latency=0.1, plugins=[chapter]) as client:
            chapter.listed(await client.listVirtualMachines(keyword="vm-"))  # not the one just deployed
            zones = await client.listZones()
            chapter.deployed(await client.deployVirtualMachine(**_order(zones)))
    return chapter


def _prepare(cloud: CloudStackEmulator) -> None:
    cloud.inject(503, command="listVirtualMachines")
    cloud.plan_job(polls=POLLS)


def _order(zones: dict[str, Any]) -> dict[str, Parameter]:
    return {
        "name": "demo",
        "zoneid": zones["zone"][0]["id"],
        "serviceofferingid": _ANY_ID,
        "templateid": _ANY_ID,
        "details": {"cpuNumber": 2, "memory": 2048},
    }
