"""The hosts, which are the administrators'; and two commands that are odd."""

from ._cloud import unknown_entity
from ._command import PAGING, Call, Command, Parameter
from ._lists import listing
from ._places import host
from ._wire import JsonObject


def add_host(call: Call) -> JsonObject:
    """Is no list, and has a count."""
    added = host(len(call.cloud.hosts) + 1)
    call.cloud.hosts.append(added)
    return {"count": 1, "host": [added]}


def find_hosts_for_migration(call: Call) -> JsonObject:
    """Has no "list" in its name, and pages."""
    call.cloud.machine(call.arguments.text("virtualmachineid"), call.command, "virtualmachineid")
    suitable: list[JsonObject] = [{**found, "suitableformigration": True} for found in call.cloud.hosts]
    return call.page("host", suitable)


def update_user(call: Call) -> JsonObject:
    """Has a parameter that the integration port refuses."""
    wanted = call.arguments.text("id")
    user = next((user for user in call.cloud.users if user.id == wanted), None)
    if user is None:
        raise unknown_entity(call.command, "id", wanted)
    user.password = call.arguments.text("password") or user.password
    return {"user": user.shown()}


_MACHINE = Parameter("virtualmachineid", "uuid", "the ID of the machine", required=True, related="listVirtualMachines")
_ADDED = (
    Parameter("hypervisor", "string", "the hypervisor of the host", required=True),
    Parameter("podid", "uuid", "the ID of the pod", required=True),
    Parameter("url", "string", "the URL of the host", required=True),
    Parameter("zoneid", "uuid", "the ID of the zone", required=True, related="listZones"),
    Parameter("username", "string", "who logs in there"),
    Parameter("password", "string", "the password for that"),
)
_UPDATED = (
    Parameter("id", "uuid", "the ID of the user", required=True, related="listUsers"),
    Parameter("password", "string", "a new password", on_integration_port=False),
)

HOSTS = (
    listing("listHosts", "host", "host", lambda call: call.cloud.hosts, host(1), admin=True),
    Command("addHost", "Add a host", add_host, _ADDED, "host", host(1), role="Admin"),
    Command(
        "findHostsForMigration",
        "Find hosts that a machine could be moved to",
        find_hosts_for_migration,
        (_MACHINE, *PAGING),
        "host",
        {**host(1), "suitableformigration": True},
        role="Admin",
    ),
    Command("updateUser", "Change a user", update_user, _UPDATED, "user", {"id": "", "username": ""}),
)
