"""Networks, addresses and the rules on them."""

from __future__ import annotations

from typing import Any

from ._resource import Date, Owned, Resource, Tag


class Network(Owned):
    """A network (`listNetworks`)."""

    displaytext: str | None = None
    state: str | None = None
    type: str | None = None
    created: Date | None = None
    zoneid: str | None = None
    zonename: str | None = None
    traffictype: str | None = None
    broadcastdomaintype: str | None = None
    broadcasturi: str | None = None
    vlan: str | None = None
    cidr: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    ip6cidr: str | None = None
    ip6gateway: str | None = None
    networkcidr: str | None = None
    reservediprange: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    networkdomain: str | None = None
    networkofferingid: str | None = None
    networkofferingname: str | None = None
    networkofferingdisplaytext: str | None = None
    networkofferingavailability: str | None = None
    networkofferingconservemode: bool | None = None
    physicalnetworkid: str | None = None
    related: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    aclid: str | None = None
    aclname: str | None = None
    acltype: str | None = None
    subdomainaccess: bool | None = None
    issystem: bool | None = None
    isdefault: bool | None = None
    ispersistent: bool | None = None
    displaynetwork: bool | None = None
    canusefordeploy: bool | None = None
    restartrequired: bool | None = None
    redundantrouter: bool | None = None
    specifyipranges: bool | None = None
    specifyvlan: bool | None = None
    strechedl2subnet: bool | None = None
    egressdefaultpolicy: bool | None = None
    publicmtu: int | None = None
    privatemtu: int | None = None
    receivedbytes: int | None = None
    sentbytes: int | None = None
    externalid: str | None = None
    service: list[dict[str, Any]] | None = None
    details: dict[str, Any] | None = None


class Vpc(Owned):
    """A virtual private cloud (`listVPCs`)."""

    displaytext: str | None = None
    state: str | None = None
    created: Date | None = None
    zoneid: str | None = None
    zonename: str | None = None
    cidr: str | None = None
    vpcofferingid: str | None = None
    vpcofferingname: str | None = None
    networkdomain: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    publicmtu: int | None = None
    restartrequired: bool | None = None
    redundantvpcrouter: bool | None = None
    distributedvpcrouter: bool | None = None
    regionlevelvpc: bool | None = None
    fordisplay: bool | None = None
    network: list[Network] | None = None
    service: list[dict[str, Any]] | None = None


class PublicIpAddress(Owned):
    """A public address (`listPublicIpAddresses`)."""

    ipaddress: str | None = None
    state: str | None = None
    allocated: Date | None = None
    zoneid: str | None = None
    zonename: str | None = None
    purpose: str | None = None
    issourcenat: bool | None = None
    isstaticnat: bool | None = None
    isportable: bool | None = None
    issystem: bool | None = None
    forvirtualnetwork: bool | None = None
    fordisplay: bool | None = None
    hasrules: bool | None = None
    associatednetworkid: str | None = None
    associatednetworkname: str | None = None
    networkid: str | None = None
    networkname: str | None = None
    physicalnetworkid: str | None = None
    vlanid: str | None = None
    vlanname: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    virtualmachinedisplayname: str | None = None
    vmipaddress: str | None = None


class FirewallRule(Resource):
    """A rule of a firewall (`listFirewallRules`, `listEgressFirewallRules`)."""

    id: str
    protocol: str | None = None
    startport: int | None = None
    endport: int | None = None
    icmptype: int | None = None
    icmpcode: int | None = None
    cidrlist: str | None = None
    destcidrlist: str | None = None
    ipaddress: str | None = None
    ipaddressid: str | None = None
    networkid: str | None = None
    traffictype: str | None = None
    state: str | None = None
    fordisplay: bool | None = None
    tags: list[Tag] | None = None


class PortForwardingRule(Resource):
    """A forwarded port (`listPortForwardingRules`)."""

    id: str
    protocol: str | None = None
    publicport: int | None = None
    publicendport: int | None = None
    privateport: int | None = None
    privateendport: int | None = None
    ipaddress: str | None = None
    ipaddressid: str | None = None
    networkid: str | None = None
    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    virtualmachinedisplayname: str | None = None
    vmguestip: str | None = None
    cidrlist: str | None = None
    state: str | None = None
    fordisplay: bool | None = None
    tags: list[Tag] | None = None


class LoadBalancerRule(Owned):
    """A rule of a load balancer (`listLoadBalancerRules`)."""

    description: str | None = None
    algorithm: str | None = None
    protocol: str | None = None
    publicport: int | None = None
    privateport: int | None = None
    publicip: str | None = None
    publicipid: str | None = None
    networkid: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    cidrlist: str | list[str] | None = None
    state: str | None = None
    fordisplay: bool | None = None


class SecurityGroupRule(Resource):
    """A rule of a security group."""

    ruleid: str
    protocol: str | None = None
    startport: int | None = None
    endport: int | None = None
    icmptype: int | None = None
    icmpcode: int | None = None
    cidr: str | None = None
    account: str | None = None
    securitygroupname: str | None = None
    tags: list[Tag] | None = None


class SecurityGroup(Owned):
    """A security group (`listSecurityGroups`)."""

    description: str | None = None
    ingressrule: list[SecurityGroupRule] | None = None
    egressrule: list[SecurityGroupRule] | None = None
    virtualmachinecount: int | None = None
    virtualmachineids: list[str] | None = None
