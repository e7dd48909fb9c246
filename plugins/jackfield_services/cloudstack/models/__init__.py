"""CloudStack's resources as types: `cs.request("listZones", into=list[Zone])`."""

from ._accounts import Account, Domain, Project, User
from ._machines import AffinityGroup, Nic, SecondaryIp, SshKeyPair, VirtualMachine
from ._network import (
    FirewallRule,
    LoadBalancerRule,
    Network,
    PortForwardingRule,
    PublicIpAddress,
    SecurityGroup,
    SecurityGroupRule,
    Vpc,
)
from ._offerings import DiskOffering, NetworkOffering, ServiceOffering
from ._places import Capacity, Cluster, Host, Pod, Zone
from ._records import AsyncJob, Event, UsageRecord
from ._resource import Date, Resource, Tag
from ._storage import Iso, Snapshot, StoragePool, Template, Volume

__all__ = [
    "Account",
    "AffinityGroup",
    "AsyncJob",
    "Capacity",
    "Cluster",
    "Date",
    "DiskOffering",
    "Domain",
    "Event",
    "FirewallRule",
    "Host",
    "Iso",
    "LoadBalancerRule",
    "Network",
    "NetworkOffering",
    "Nic",
    "Pod",
    "PortForwardingRule",
    "Project",
    "PublicIpAddress",
    "Resource",
    "SecondaryIp",
    "SecurityGroup",
    "SecurityGroupRule",
    "ServiceOffering",
    "Snapshot",
    "SshKeyPair",
    "StoragePool",
    "Tag",
    "Template",
    "UsageRecord",
    "User",
    "VirtualMachine",
    "Volume",
    "Vpc",
    "Zone",
]
