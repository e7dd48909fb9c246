"""Where machines run: zones, pods, clusters, hosts; and how full they are."""

from __future__ import annotations

from typing import Any

from ._resource import Date, Resource, Tag


class Capacity(Resource):
    """How much of something there is, and is in use (`listCapacity`); `type` is a number."""

    type: int
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    capacityallocated: int | None = None
    capacitytotal: int | None = None
    capacityused: int | None = None
    percentused: float | None = None
    tag: str | None = None


class Zone(Resource):
    """A zone (`listZones`)."""

    id: str
    name: str | None = None
    description: str | None = None
    displaytext: str | None = None
    type: str | None = None
    networktype: str | None = None
    allocationstate: str | None = None
    domainid: str | None = None
    domainname: str | None = None
    domain: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    ip6dns1: str | None = None
    ip6dns2: str | None = None
    internaldns1: str | None = None
    internaldns2: str | None = None
    guestcidraddress: str | None = None
    dhcpprovider: str | None = None
    vlan: str | None = None
    zonetoken: str | None = None
    localstorageenabled: bool | None = None
    securitygroupsenabled: bool | None = None
    capacity: list[Capacity] | None = None
    resourcedetails: dict[str, Any] | None = None
    tags: list[Tag] | None = None


class Pod(Resource):
    """A pod (`listPods`)."""

    id: str
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    startip: list[str] | str | None = None
    endip: list[str] | str | None = None
    ipranges: list[dict[str, Any]] | None = None
    allocationstate: str | None = None
    capacity: list[Capacity] | None = None


class Cluster(Resource):
    """A cluster (`listClusters`)."""

    id: str
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    hypervisortype: str | None = None
    clustertype: str | None = None
    allocationstate: str | None = None
    managedstate: str | None = None
    arch: str | None = None
    cpuovercommitratio: float | None = None
    memoryovercommitratio: float | None = None
    capacity: list[Capacity] | None = None
    resourcedetails: dict[str, Any] | None = None


class Host(Resource):
    """A host (`listHosts`); memory is in bytes, `cpuspeed` in MHz."""

    id: str
    name: str | None = None
    state: str | None = None
    resourcestate: str | None = None
    type: str | None = None
    ipaddress: str | None = None
    version: str | None = None
    hypervisor: str | None = None
    hypervisorversion: str | None = None
    arch: str | None = None
    created: Date | None = None
    removed: Date | None = None
    disconnected: Date | None = None
    lastpinged: Date | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    clustertype: str | None = None
    oscategoryid: str | None = None
    oscategoryname: str | None = None
    cpunumber: int | None = None
    cpusockets: int | None = None
    cpuspeed: int | None = None
    cpuallocated: str | None = None
    cpuallocatedvalue: int | None = None
    cpuallocatedpercentage: str | None = None
    cpuallocatedwithoverprovisioning: str | None = None
    cpuloadaverage: float | None = None
    cpuused: str | None = None
    cpuwithoverprovisioning: str | None = None
    memorytotal: int | None = None
    memoryallocated: int | None = None
    memoryallocatedbytes: int | None = None
    memoryallocatedpercentage: str | None = None
    memoryused: int | None = None
    memorywithoverprovisioning: str | None = None
    disksizetotal: int | None = None
    disksizeallocated: int | None = None
    networkkbsread: int | None = None
    networkkbswrite: int | None = None
    averageload: float | None = None
    capabilities: str | None = None
    events: str | None = None
    hosttags: str | None = None
    hostha: dict[str, Any] | None = None
    outofbandmanagement: dict[str, Any] | None = None
    hahost: bool | None = None
    hasenoughcapacity: bool | None = None
    suitableformigration: bool | None = None
    islocalstorageactive: bool | None = None
    uefisupported: bool | None = None
    managementserverid: str | None = None
    annotation: str | None = None
    hasannotations: bool | None = None
    jobid: str | None = None
    jobstatus: int | None = None
    gpugroup: list[dict[str, Any]] | None = None
    details: dict[str, Any] | None = None
