"""What is stored: volumes, snapshots, templates, and where."""

from __future__ import annotations

from typing import Any

from ._resource import Date, Owned, Resource


class Volume(Owned):
    """A volume (`listVolumes`); sizes are in bytes."""

    type: str | None = None
    state: str | None = None
    status: str | None = None
    size: int | None = None
    virtualsize: int | None = None
    physicalsize: int | None = None
    utilization: str | None = None
    created: Date | None = None
    attached: Date | None = None
    deviceid: int | None = None
    virtualmachineid: str | None = None
    vmname: str | None = None
    vmdisplayname: str | None = None
    vmstate: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    storage: str | None = None
    storageid: str | None = None
    storagetype: str | None = None
    provisioningtype: str | None = None
    hypervisor: str | None = None
    path: str | None = None
    chaininfo: str | None = None
    diskofferingid: str | None = None
    diskofferingname: str | None = None
    diskofferingdisplaytext: str | None = None
    serviceofferingid: str | None = None
    serviceofferingname: str | None = None
    serviceofferingdisplaytext: str | None = None
    snapshotid: str | None = None
    templateid: str | None = None
    templatename: str | None = None
    templatedisplaytext: str | None = None
    isoid: str | None = None
    isoname: str | None = None
    miniops: int | None = None
    maxiops: int | None = None
    diskioread: int | None = None
    diskiowrite: int | None = None
    diskkbsread: int | None = None
    diskkbswrite: int | None = None
    destroyed: bool | None = None
    displayvolume: bool | None = None
    isextractable: bool | None = None
    quiescevm: bool | None = None


class Snapshot(Owned):
    """A snapshot of a volume (`listSnapshots`); sizes are in bytes."""

    snapshottype: str | None = None
    intervaltype: str | None = None
    locationtype: str | None = None
    state: str | None = None
    created: Date | None = None
    physicalsize: int | None = None
    virtualsize: int | None = None
    volumeid: str | None = None
    volumename: str | None = None
    volumetype: str | None = None
    volumestate: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    ostypeid: str | None = None
    osdisplayname: str | None = None
    revertable: bool | None = None


class Template(Owned):
    """A template (`listTemplates`); `size` is in bytes."""

    displaytext: str | None = None
    templatetype: str | None = None
    status: str | None = None
    format: str | None = None
    size: int | None = None
    physicalsize: int | None = None
    checksum: str | None = None
    url: str | None = None
    created: Date | None = None
    removed: Date | None = None
    accountid: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    hostid: str | None = None
    hostname: str | None = None
    hypervisor: str | None = None
    arch: str | None = None
    bits: int | None = None
    ostypeid: str | None = None
    ostypename: str | None = None
    ostypecategoryid: str | None = None
    parenttemplateid: str | None = None
    sourcetemplateid: str | None = None
    templatetag: str | None = None
    crossZones: bool | None = None
    isready: bool | None = None
    ispublic: bool | None = None
    isfeatured: bool | None = None
    isextractable: bool | None = None
    isdynamicallyscalable: bool | None = None
    directdownload: bool | None = None
    deployasis: bool | None = None
    passwordenabled: bool | None = None
    requireshvm: bool | None = None
    sshkeyenabled: bool | None = None
    userdataid: str | None = None
    userdataname: str | None = None
    details: dict[str, Any] | None = None
    downloaddetails: list[dict[str, Any]] | None = None


class Iso(Template):
    """An ISO image (`listIsos`)."""

    bootable: bool | None = None


class StoragePool(Resource):
    """A pool of primary storage (`listStoragePools`); sizes are in bytes."""

    id: str
    name: str | None = None
    state: str | None = None
    scope: str | None = None
    type: str | None = None
    created: Date | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    hypervisor: str | None = None
    provider: str | None = None
    ipaddress: str | None = None
    path: str | None = None
    tags: str | None = None
    disksizetotal: int | None = None
    disksizeallocated: int | None = None
    disksizeused: int | None = None
    overprovisionfactor: float | None = None
    capacityiops: int | None = None
    allocatediops: int | None = None
    suitableformigration: bool | None = None
    storagecapabilities: dict[str, Any] | None = None
