"""What can be ordered."""

from __future__ import annotations

from typing import Any

from ._resource import Date, Resource


class _Offering(Resource):
    id: str
    name: str | None = None
    displaytext: str | None = None
    state: str | None = None
    created: Date | None = None
    domainid: str | None = None
    domain: str | None = None
    zoneid: str | None = None
    zone: str | None = None
    hasannotations: bool | None = None


class ServiceOffering(_Offering):
    """The size of a machine (`listServiceOfferings`); `memory` is in MiB, `cpuspeed` in MHz."""

    cpunumber: int | None = None
    cpuspeed: int | None = None
    memory: int | None = None
    rootdisksize: int | None = None
    networkrate: int | None = None
    storagetype: str | None = None
    provisioningtype: str | None = None
    storagetags: str | None = None
    hosttags: str | None = None
    deploymentplanner: str | None = None
    systemvmtype: str | None = None
    diskofferingid: str | None = None
    diskofferingname: str | None = None
    diskofferingdisplaytext: str | None = None
    miniops: int | None = None
    maxiops: int | None = None
    iscustomized: bool | None = None
    iscustomizediops: bool | None = None
    issystem: bool | None = None
    isvolatile: bool | None = None
    defaultuse: bool | None = None
    limitcpuuse: bool | None = None
    offerha: bool | None = None
    dynamicscalingenabled: bool | None = None
    encryptroot: bool | None = None
    serviceofferingdetails: dict[str, Any] | None = None


class DiskOffering(_Offering):
    """The size of a volume (`listDiskOfferings`); `disksize` is in GiB."""

    disksize: int | None = None
    storagetype: str | None = None
    provisioningtype: str | None = None
    tags: str | None = None
    miniops: int | None = None
    maxiops: int | None = None
    iscustomized: bool | None = None
    iscustomizediops: bool | None = None
    displayoffering: bool | None = None
    disksizestrictness: bool | None = None
    encrypt: bool | None = None
    cacheMode: str | None = None
    details: dict[str, Any] | None = None


class NetworkOffering(_Offering):
    """A kind of network (`listNetworkOfferings`)."""

    availability: str | None = None
    guestiptype: str | None = None
    traffictype: str | None = None
    internetprotocol: str | None = None
    networkmode: str | None = None
    networkrate: int | None = None
    maxconnections: int | None = None
    serviceofferingid: str | None = None
    tags: str | None = None
    conservemode: bool | None = None
    egressdefaultpolicy: bool | None = None
    forvpc: bool | None = None
    isdefault: bool | None = None
    ispersistent: bool | None = None
    specifyipranges: bool | None = None
    specifyvlan: bool | None = None
    supportsinternallb: bool | None = None
    supportspublicaccess: bool | None = None
    supportsstrechedl2subnet: bool | None = None
    service: list[dict[str, Any]] | None = None
    details: dict[str, Any] | None = None
