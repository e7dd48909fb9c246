"""The commands that only read."""

from collections.abc import Callable, Iterable, Sequence

from ._cloud import unknown_entity
from ._command import PAGING, Call, Command, Parameter
from ._machines import Machines
from ._places import EVENTS, NETWORKS, OFFERINGS, PROJECTS, TEMPLATES, VOLUMES, ZONES, account, domain
from ._users import User
from ._wire import VERSION, Json, JsonObject

MACHINE = Machines(1, User())[0] | {"tags": [{"key": "owner", "value": "me"}], "jobid": "", "jobstatus": 0}


def list_virtual_machines(call: Call) -> JsonObject:
    """With the job that is running on a machine named inside its item."""

    def with_job(machine: JsonObject) -> JsonObject:
        job = call.cloud.jobs.running(machine["id"])
        return machine if job is None else {**machine, "jobid": job.id, "jobstatus": 0}

    return call.page("virtualmachine", _machines(call), with_job)


def _machines(call: Call) -> Sequence[JsonObject]:
    arguments, cloud = call.arguments, call.cloud
    machines: Sequence[JsonObject] = cloud.machines
    if arguments.given("id"):
        machines = [cloud.machine(arguments.text("id"), call.command)]
    if arguments.given("ids"):
        wanted = arguments.items("ids")
        machines = [machine for machine in machines if machine["id"] in wanted]
    if arguments.given("zoneid"):
        zone = cloud.zone(arguments.text("zoneid"), call.command)
        machines = [machine for machine in machines if machine["zoneid"] == zone["id"]]
    if arguments.text("state"):
        machines = [machine for machine in machines if machine["state"] == arguments.text("state")]
    for tag in arguments.entries("tags"):
        machines = [machine for machine in machines if _tagged(machine, tag.get("key"), tag.get("value"))]
    machines = containing(machines, arguments.text("name"), "name")
    return containing(machines, arguments.text("keyword"), "name", "displayname", "state")


def _tagged(machine: JsonObject, key: str | None, value: str | None) -> bool:
    tags = machine["tags"]
    found = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return any(tag["key"] == key and value in (None, tag["value"]) for tag in found)


def list_async_jobs(call: Call) -> JsonObject:
    page = call.page("asyncjobs", [job.report() for job in call.cloud.jobs.all.values()])
    return dict(reversed(page.items()))  # this list comes before its count, on real servers too


def list_hypervisors(call: Call) -> JsonObject:
    names: list[Json] = [{"name": name} for name in ("KVM", "VMware", "XenServer")]
    return {"count": len(names), "hypervisor": names}


def list_capabilities(call: Call) -> JsonObject:
    flags: JsonObject = {"securitygroupsenabled": False, "dynamicrolesenabled": True, "supportELB": "false"}
    return {"capability": {"cloudstackversion": VERSION, **flags}}


def get_api_limit(call: Call) -> JsonObject:
    return {"apilimit": call.cloud.limits.shown(call.user, call.settings.throttle, call.settings.now())}


def containing(items: Sequence[JsonObject], part: str, *fields: str) -> Sequence[JsonObject]:
    """Those with the text in one of the fields, without case; no text takes all."""
    sought = part.lower()
    if not sought:
        return items
    return [item for item in items if any(sought in str(item.get(field, "")).lower() for field in fields)]


def listing(
    name: str,
    kind: str,
    what: str,
    items: Callable[[Call], Iterable[JsonObject]],
    answers: JsonObject,
    *more: Parameter,
    admin: bool = False,
) -> Command:
    """A list of things that have an id and a name: all, the one of an id, or those with a text in their name."""

    def run(call: Call) -> JsonObject:
        found: Sequence[JsonObject] = list(items(call))
        if call.arguments.given("id"):
            wanted = call.arguments.text("id")
            found = [item for item in found if item["id"] == wanted]
            if not found:
                raise unknown_entity(call.command, "id", wanted)
        found = containing(found, call.arguments.text("name"), "name")
        return call.page(kind, containing(found, call.arguments.text("keyword"), "name", "username", "description"))

    one = (Parameter("id", "uuid", f"the ID of the {what}"), Parameter("name", "string", f"the name of the {what}"))
    return Command(
        name, f"List the {what}s", run, (*one, *more, *PAGING), kind, answers, role="Admin" if admin else "User"
    )


_OF_MACHINES = (
    Parameter("id", "uuid", "the ID of the virtual machine"),
    Parameter("ids", "list", "the IDs of virtual machines"),
    Parameter("name", "string", "a part of the name"),
    Parameter("state", "string", "Running or Stopped"),
    Parameter("zoneid", "uuid", "the ID of the zone", related="listZones"),
    Parameter("tags", "map", "tags, as tags[0].key=k&tags[0].value=v"),
    Parameter("details", "list", "what of the details to show: all, min, nics …", since="4.2.0"),
    *PAGING,
)
_KIND = Parameter("templatefilter", "string", "featured, self, executable, all …", required=True)
_WHEN = (
    Parameter("startdate", "date", "from then on: yyyy-MM-dd or yyyy-MM-dd HH:mm:ss"),
    Parameter("enddate", "date", "until then"),
    Parameter("duration", "integer", "minutes that an event took at least"),
    Parameter("entrytime", "integer", "minutes that an event has been entered for"),
    Parameter("startid", "long", "the number of an event"),
)
_JOB: JsonObject = {"jobid": "", "cmd": "", "created": "", "jobstatus": 0, "jobresultcode": 0, "jobresult": {}}
_LIMIT: JsonObject = {"accountid": "", "account": "", "apiIssued": 0, "apiAllowed": 0, "expireAfter": 0}
_HYPERVISORS = "List the hypervisors"

LISTS = (
    Command(
        "listVirtualMachines",
        "List the virtual machines",
        list_virtual_machines,
        _OF_MACHINES,
        "virtualmachine",
        MACHINE,
    ),
    listing("listZones", "zone", "zone", lambda _: ZONES, ZONES[0]),
    listing("listUsers", "user", "user", lambda call: [user.shown() for user in call.cloud.users], User().shown()),
    listing("listAccounts", "account", "account", lambda call: map(account, call.cloud.users), account(User())),
    listing("listDomains", "domain", "domain", lambda call: map(domain, call.cloud.users), domain(User())),
    listing("listTemplates", "template", "template", lambda _: TEMPLATES, TEMPLATES[0], _KIND),
    listing("listServiceOfferings", "serviceoffering", "service offering", lambda _: OFFERINGS, OFFERINGS[0]),
    listing("listNetworks", "network", "network", lambda _: NETWORKS, NETWORKS[0]),
    listing("listVolumes", "volume", "volume", lambda _: VOLUMES, VOLUMES[0]),
    listing("listProjects", "project", "project", lambda _: PROJECTS, PROJECTS[0]),
    listing("listGuiThemes", "guithemes", "theme", lambda _: (), {"id": "", "name": "", "css": ""}),
    listing("listEvents", "event", "event", lambda _: EVENTS, EVENTS[0], *_WHEN),
    Command("listAsyncJobs", "List the jobs, also the finished", list_async_jobs, PAGING, "asyncjobs", _JOB),
    Command("listHypervisors", _HYPERVISORS, list_hypervisors, (), "hypervisor", {"name": "KVM"}),
    Command(
        "listCapabilities",
        "List the capabilities of the cloud",
        list_capabilities,
        (),
        "capability",
        {"cloudstackversion": VERSION, "securitygroupsenabled": False},
    ),
    Command("getApiLimit", "Get the API limit of the caller", get_api_limit, (), "apilimit", _LIMIT),
)
