"""What type checkers make of the CloudStack clients. Checked by `tox -e types`; never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import date
from typing import Any, assert_type

from jackfield import AsyncItems, AsyncJob, AsyncPages, Explanation, Items, Job, Page, Pages, Request, Secret
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack, Command, Login
from jackfield_services.cloudstack.models import VirtualMachine


def sync(cs: CloudStack) -> None:
    assert_type(cs.listVirtualMachines(zoneid="z"), dict[str, Any])
    assert_type(cs.request("listZones", available=True), dict[str, Any])
    assert_type(cs.execute("listZones"), dict[str, Any])
    assert_type(cs.listing("listZones"), Page[dict[str, Any]])
    assert_type(cs.listing.all("listZones"), Items[dict[str, Any]])
    assert_type(cs.job("deployVirtualMachine", tags=[{"key": "a", "value": 1}], ids=["a", "b"]), dict[str, Any])
    assert_type(cs.job.start("deployVirtualMachine"), Job[dict[str, Any]])
    assert_type(cs.max_page_size, int)
    assert_type(cs.request.explain("listZones"), Explanation)
    assert_type(cs.request.request("listZones", into=VirtualMachine), Request)
    assert_type(cs.commands()["listZones"], Command)


def sync_into(cs: CloudStack) -> None:
    assert_type(cs.request("listVirtualMachines", into=list[VirtualMachine]), list[VirtualMachine])
    assert_type(cs.request("deployVirtualMachine", into=VirtualMachine, job_timeout=5, poll_interval=1), VirtualMachine)
    assert_type(cs.request("listVirtualMachines", into=VirtualMachine, fetch_list=True), list[VirtualMachine])
    assert_type(cs.request("listVirtualMachines", fetch_list=True), list[dict[str, Any]])
    assert_type(cs.request("listVirtualMachines", fetch_list=False, headers={"x": "y"}), dict[str, Any])
    assert_type(cs.request("deployVirtualMachine", fetch_result=False, headers=[("x", "y")]), dict[str, Any])
    assert_type(cs.listVirtualMachines(into=list[VirtualMachine], zoneid="z"), list[VirtualMachine])
    assert_type(cs.listVirtualMachines(fetch_list=True), list[dict[str, Any]])
    assert_type(cs.listing("listVirtualMachines", into=VirtualMachine), Page[VirtualMachine])
    assert_type(cs.listing.all("listVirtualMachines", into=VirtualMachine), Items[VirtualMachine])
    assert_type(cs.listing.pages("listVirtualMachines", into=VirtualMachine), Pages[VirtualMachine])
    assert_type(cs.listing.prefetch(4).all("listVirtualMachines", into=VirtualMachine), Items[VirtualMachine])


async def awaited(cs: AsyncCloudStack) -> None:
    assert_type(await cs.listVirtualMachines(zoneid="z"), dict[str, Any])
    assert_type(await cs.request("listZones", available=True), dict[str, Any])
    assert_type(await cs.listing("listZones"), Page[dict[str, Any]])
    assert_type(cs.listing.all("listZones"), AsyncItems[dict[str, Any]])
    assert_type(await cs.job.start("deployVirtualMachine"), AsyncJob[dict[str, Any]])
    assert_type(await cs.request.explain("listZones"), Explanation)


async def awaited_into(cs: AsyncCloudStack) -> None:
    assert_type(await cs.request("listVirtualMachines", into=list[VirtualMachine]), list[VirtualMachine])
    assert_type(await cs.request("deployVirtualMachine", into=VirtualMachine, job_timeout=5), VirtualMachine)
    assert_type(await cs.request("listVirtualMachines", into=VirtualMachine, fetch_list=True), list[VirtualMachine])
    assert_type(await cs.listVirtualMachines(into=list[VirtualMachine]), list[VirtualMachine])
    assert_type(await cs.listing("listVirtualMachines", into=VirtualMachine), Page[VirtualMachine])
    assert_type(cs.listing.all("listVirtualMachines", into=VirtualMachine), AsyncItems[VirtualMachine])
    assert_type(cs.listing.pages("listVirtualMachines", into=VirtualMachine), AsyncPages[VirtualMachine])


def from_dictionaries(cs: CloudStack, texts: dict[str, str], numbers: dict[str, int]) -> None:
    assert_type(cs.request("listZones", **texts), dict[str, Any])
    assert_type(cs.listZones(**numbers), dict[str, Any])
    assert_type(cs.listing.all("listZones", **texts), Items[dict[str, Any]])
    cs.updateUser(password=Secret("x"), since=date(2026, 1, 1), details={"a": 1}, none=None)


def made() -> None:
    CloudStack("https://host/client/api")
    CloudStack("https://host/client/api", "key", "secret", 2, 500, method="post", expires=600)
    CloudStack("https://host/client/api", login=Login("admin", "password"), verify="/ca.pem", discovery=False)
    AsyncCloudStack(
        "https://host/client/api", "key", "secret", None, 2, 500, signature_algorithm="auto", job_timeout=60
    )
    assert_type(CloudStack.from_config("region", timeout=5), CloudStack)
    assert_type(AsyncCloudStack.from_config(), AsyncCloudStack)


def wrong(cs: CloudStack) -> None:
    cs.request(1)  # type: ignore[call-overload]
    cs.request("listZones", when=object())  # type: ignore[call-overload]
    cs.request()  # type: ignore[call-overload]
    CloudStack("https://host/client/api", "key", "secret", timout=1)  # type: ignore[call-arg]
    CloudStack("https://host/client/api", "key", "secret", method="put")  # type: ignore[arg-type]
    AsyncCloudStack("https://host/client/api", "key", "secret", method="put")  # type: ignore[arg-type]
