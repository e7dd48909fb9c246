"""The commands that only read."""

from collections.abc import Iterable

from ._cloud import USER, ZONES
from ._command import PAGING, Call, Command, Field, Parameter
from ._jobs import ACCOUNT
from ._wire import VERSION, JsonObject

_TAG = (Field("key", "string", "the key of the tag"), Field("value", "string", "the value of the tag"))
MACHINE = (
    Field("id", "string", "the ID of the virtual machine"),
    Field("name", "string", "the name of the virtual machine"),
    Field("displayname", "string", "the name users see"),
    Field("state", "string", "Running or Stopped"),
    Field("zoneid", "string", "the ID of its zone"),
    Field("zonename", "string", "the name of its zone"),
    Field("created", "date", "when it was created"),
    Field("cpunumber", "integer", "the number of its CPUs"),
    Field("memory", "integer", "its memory in MiB"),
    Field("details", "map", "its details"),
    Field("tags", "set", "its tags", _TAG),
)
_ZONE = (Field("id", "string", "the ID of the zone"), Field("name", "string", "the name of the zone"))
_USER = (Field("id", "string", "the ID of the user"), Field("username", "string", "the name of the user"))
_JOB = (
    Field("jobid", "string", "the ID of the job"),
    Field("jobstatus", "integer", "0 pending, 1 succeeded, 2 failed, 3 cancelled"),
    Field("jobresultcode", "integer", "0, or the error code"),
    Field("jobresult", "responseobject", "what the job gave, or its error"),
)


def list_virtual_machines(call: Call) -> JsonObject:
    arguments, cloud = call.arguments, call.cloud
    machines = list(cloud.machines.values())
    if arguments.given("id"):
        machines = [cloud.machine(arguments.text("id"), call.command)]
    if arguments.given("ids"):
        wanted = arguments.items("ids")
        machines = [machine for machine in machines if machine["id"] in wanted]
    if arguments.given("zoneid"):
        zone = cloud.zone(arguments.text("zoneid"), call.command)
        machines = [machine for machine in machines if machine["zoneid"] == zone["id"]]
    machines = _containing(machines, arguments.text("name"), "name")
    machines = _containing(machines, arguments.text("keyword"), "name", "displayname", "state")
    return call.page("virtualmachine", cloud.shown(machines))


def list_zones(call: Call) -> JsonObject:
    zones = ZONES
    if call.arguments.given("id"):
        zones = (call.cloud.zone(call.arguments.text("id"), call.command, "id"),)
    return call.page("zone", _containing(zones, call.arguments.text("keyword"), "name"))


def list_users(call: Call) -> JsonObject:
    return call.page("user", _containing([USER], call.arguments.text("keyword"), "username"))


def list_async_jobs(call: Call) -> JsonObject:
    page = call.page("asyncjobs", [job.report() for job in call.cloud.jobs.all.values()])
    return dict(reversed(page.items()))  # this list comes before its count, on real servers too


def list_hypervisors(call: Call) -> JsonObject:
    names: list[JsonObject] = [{"name": name} for name in ("KVM", "VMware", "XenServer")]
    return {"count": len(names), "hypervisor": names}


def list_capabilities(call: Call) -> JsonObject:
    flags: JsonObject = {"securitygroupsenabled": False, "dynamicrolesenabled": True, "supportELB": "false"}
    return {"capability": {"cloudstackversion": VERSION, **flags}}


def get_api_limit(call: Call) -> JsonObject:
    account: JsonObject = {"accountid": ACCOUNT["accountid"], "account": ACCOUNT["account"]}
    return {"apilimit": {**account, "apiIssued": 0, "apiAllowed": 30, "expireAfter": 0}}


def _containing(items: Iterable[JsonObject], part: str, *fields: str) -> list[JsonObject]:
    """Those with the text in one of the fields, without case; no text takes all."""
    sought = part.lower()
    return [item for item in items if any(sought in str(item[field]).lower() for field in fields)]


LISTS = (
    Command(
        "listVirtualMachines",
        "List the virtual machines",
        list_virtual_machines,
        (
            Parameter("id", "uuid", "the ID of the virtual machine"),
            Parameter("ids", "list", "the IDs of virtual machines"),
            Parameter("name", "string", "a part of the name"),
            Parameter("zoneid", "uuid", "the ID of the zone"),
            *PAGING,
        ),
        MACHINE,
    ),
    Command(
        "listZones",
        "List the zones",
        list_zones,
        (Parameter("id", "uuid", "the ID of the zone"), *PAGING),
        _ZONE,
    ),
    Command("listUsers", "List the users", list_users, PAGING, _USER),
    Command("listAsyncJobs", "List the jobs, also the finished", list_async_jobs, PAGING, _JOB),
    Command(
        "listHypervisors",
        "List the hypervisors",
        list_hypervisors,
        (),
        (Field("name", "string", "its name"),),
    ),
    Command("listCapabilities", "List the capabilities of the cloud", list_capabilities),
    Command("getApiLimit", "Get the API limit of the caller", get_api_limit),
)
