"""Virtual machines, and what goes with them."""

from __future__ import annotations

from typing import Any

from ._network import SecurityGroup
from ._resource import Date, Owned, Resource


class SecondaryIp(Resource):
    """A further address of a network card."""

    id: str
    ipaddress: str | None = None
    networkid: str | None = None
    nicid: str | None = None
    virtualmachineid: str | None = None


class Nic(Resource):
    """A network card (`listNics`)."""

    id: str
    networkid: str | None = None
    networkname: str | None = None
    virtualmachineid: str | None = None
    deviceid: str | None = None
    isdefault: bool | None = None
    type: str | None = None
    traffictype: str | None = None
    macaddress: str | None = None
    ipaddress: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    ip6address: str | None = None
    ip6cidr: str | None = None
    ip6gateway: str | None = None
    broadcasturi: str | None = None
    isolationuri: str | None = None
    vlanid: int | None = None
    mtu: int | None = None
    publicip: str | None = None
    publicipid: str | None = None
    secondaryip: list[SecondaryIp] | None = None
    extradhcpoption: list[dict[str, Any]] | None = None


class AffinityGroup(Owned):
    """Machines that are kept together or apart (`listAffinityGroups`)."""

    description: str | None = None
    type: str | None = None
    virtualmachineIds: list[str] | None = None


class SshKeyPair(Resource):
    """A key pair (`listSSHKeyPairs`); `privatekey` is in the answer of `createSSHKeyPair` only."""

    name: str
    id: str | None = None
    fingerprint: str | None = None
    privatekey: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    projectid: str | None = None
    project: str | None = None
    hasannotations: bool | None = None


class VirtualMachine(Owned):
    """A virtual machine (`listVirtualMachines`); `memory` is in MiB, `cpuspeed` in MHz."""

    displayname: str | None = None
    instancename: str | None = None
    state: str | None = None
    created: Date | None = None
    lastupdated: Date | None = None
    userid: str | None = None
    username: str | None = None
    groupid: str | None = None
    group: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    hostid: str | None = None
    hostname: str | None = None
    hypervisor: str | None = None
    arch: str | None = None
    templateid: str | None = None
    templatename: str | None = None
    templatedisplaytext: str | None = None
    isoid: str | None = None
    isoname: str | None = None
    isodisplaytext: str | None = None
    serviceofferingid: str | None = None
    serviceofferingname: str | None = None
    diskofferingid: str | None = None
    diskofferingname: str | None = None
    backupofferingid: str | None = None
    backupofferingname: str | None = None
    cpunumber: int | None = None
    cpuspeed: int | None = None
    cpuused: str | None = None
    memory: int | None = None
    memorykbs: int | None = None
    memoryintfreekbs: int | None = None
    memorytargetkbs: int | None = None
    networkkbsread: int | None = None
    networkkbswrite: int | None = None
    diskkbsread: int | None = None
    diskkbswrite: int | None = None
    diskioread: int | None = None
    diskiowrite: int | None = None
    vgpu: str | None = None
    guestosid: str | None = None
    ostypeid: str | None = None
    osdisplayname: str | None = None
    rootdeviceid: int | None = None
    rootdevicetype: str | None = None
    bootmode: str | None = None
    boottype: str | None = None
    pooltype: str | None = None
    passwordenabled: bool | None = None
    password: str | None = None
    keypair: str | None = None
    keypairs: str | None = None
    userdata: str | None = None
    userdataid: str | None = None
    userdataname: str | None = None
    haenable: bool | None = None
    displayvm: bool | None = None
    isdynamicallyscalable: bool | None = None
    deleteprotection: bool | None = None
    forvirtualnetwork: bool | None = None
    publicip: str | None = None
    publicipid: str | None = None
    ipaddress: str | None = None
    servicestate: str | None = None
    receivedbytes: int | None = None
    sentbytes: int | None = None
    nic: list[Nic] | None = None
    securitygroup: list[SecurityGroup] | None = None
    affinitygroup: list[AffinityGroup] | None = None
    details: dict[str, Any] | None = None
    readonlydetails: str | None = None
