"""What type checkers make of the CloudStack clients. Checked by `tox -e types`; never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Any, assert_type

from jackfield import AsyncItems, AsyncJob, Items, Job, Page
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack


def sync(cs: CloudStack) -> None:
    assert_type(cs.listVirtualMachines(zoneid="z"), dict[str, Any])
    assert_type(cs.request("listZones", available=True), dict[str, Any])
    assert_type(cs.execute("listZones"), dict[str, Any])
    assert_type(cs.listing("listZones"), Page[dict[str, Any]])
    assert_type(cs.listing.all("listZones"), Items[dict[str, Any]])
    assert_type(cs.job("deployVirtualMachine", tags=[{"key": "a", "value": 1}], ids=["a", "b"]), dict[str, Any])
    assert_type(cs.job.start("deployVirtualMachine"), Job[dict[str, Any]])
    assert_type(cs.max_page_size, int)


async def awaited(cs: AsyncCloudStack) -> None:
    assert_type(await cs.listVirtualMachines(zoneid="z"), dict[str, Any])
    assert_type(await cs.request("listZones", available=True), dict[str, Any])
    assert_type(await cs.listing("listZones"), Page[dict[str, Any]])
    assert_type(cs.listing.all("listZones"), AsyncItems[dict[str, Any]])
    assert_type(await cs.job.start("deployVirtualMachine"), AsyncJob[dict[str, Any]])


def wrong(cs: CloudStack) -> None:
    cs.request(1)  # type: ignore[arg-type]
    cs.request("listZones", when=object())  # type: ignore[arg-type]
    cs.request()  # type: ignore[call-arg]
    CloudStack("https://host/client/api", "key")  # type: ignore[call-arg]
    CloudStack("https://host/client/api", "key", "secret", timout=1)  # type: ignore[call-arg]
