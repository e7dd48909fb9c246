"""The commands that change machines, and the one that asks how a change goes."""

import hashlib
from collections.abc import Mapping

from ._cloud import unknown_entity
from ._command import Call, Command, Parameter
from ._jobs import timestamp
from ._lists import MACHINE
from ._tags import tags_of
from ._wire import ApiError, Json, JsonObject


def deploy_virtual_machine(call: Call) -> JsonObject:
    """The machine has its id at once, and exists once the job succeeded."""
    arguments = call.arguments
    zone = call.cloud.zone(arguments.text("zoneid"), call.command)
    asked = ("name", "displayname", "serviceofferingid", "templateid")
    wishes: JsonObject = {name: arguments.text(name) for name in asked if arguments.text(name)}
    if "name" in wishes:
        wishes.setdefault("displayname", wishes["name"])
    wishes["details"] = _details(call)
    machine = call.cloud.machines.new(zone, wishes, call.user, timestamp(call.settings.now()))
    machine["tags"] = tags_of(call, str(machine["id"]))

    def succeed() -> JsonObject:
        call.cloud.machines.add(machine)
        return {"virtualmachine": dict(machine)}

    return {"id": machine["id"], **call.start_job(str(machine["id"]), succeed)}


def start_virtual_machine(call: Call) -> JsonObject:
    return _change(call, {"state": "Running"})


def stop_virtual_machine(call: Call) -> JsonObject:
    return _change(call, {"state": "Stopped"})


def reset_password(call: Call) -> JsonObject:
    """The password is in the job's result, and nowhere else."""
    return _change(call, {}, {"password": hashlib.sha256(call.arguments.text("id").encode()).hexdigest()[:12]})


def update_virtual_machine(call: Call) -> JsonObject:
    """At once: a name that is shown, and details."""
    machine = _machine(call)
    if call.arguments.text("displayname"):
        machine["displayname"] = call.arguments.text("displayname")
    if call.arguments.given("details"):
        machine["details"] = _details(call)
    return {"virtualmachine": dict(machine)}


def destroy_virtual_machine(call: Call) -> JsonObject:
    machine_id = str(_machine(call)["id"])

    def succeed() -> JsonObject:
        machine = call.cloud.machine(machine_id, call.command)
        call.cloud.machines.remove(machine)
        return {"virtualmachine": {**machine, "state": "Destroyed"}}

    return call.start_job(machine_id, succeed)


def query_async_job_result(call: Call) -> JsonObject:
    """By its id, or, for the latest of a machine, by `resourceid` and `resourcetype`, as of 4.22."""
    arguments, jobs = call.arguments, call.cloud.jobs
    job_id = arguments.text("jobid") or jobs.latest(arguments.text("resourceid"))
    if not job_id and not arguments.given("resourceid"):
        raise ApiError(431, f"Unable to execute API command {call.command.lower()} due to missing parameter jobid")
    job = jobs.polled(job_id, call.settings.now())
    if job is None:
        raise unknown_entity(call.command, "jobid", job_id)
    return job.report()


def _change(call: Call, difference: Mapping[str, Json], told: Mapping[str, Json] | None = None) -> JsonObject:
    machine_id = str(_machine(call)["id"])

    def succeed() -> JsonObject:
        machine = call.cloud.machine(machine_id, call.command)
        machine.update(difference)
        return {"virtualmachine": {**machine, **(told or {})}}

    return call.start_job(machine_id, succeed)


def _machine(call: Call) -> JsonObject:
    return call.cloud.machine(call.arguments.text("id"), call.command)


def _details(call: Call) -> JsonObject:
    return {key: value for entry in call.arguments.entries("details") for key, value in entry.items()}


_ID = Parameter("id", "uuid", "the ID of the virtual machine", required=True, related="listVirtualMachines")
_DETAILS = Parameter("details", "map", "details, as details[0].cpuNumber=2")
_DEPLOY = (
    Parameter(
        "serviceofferingid", "uuid", "the ID of the service offering", required=True, related="listServiceOfferings"
    ),
    Parameter("templateid", "uuid", "the ID of the template", required=True, related="listTemplates"),
    Parameter("zoneid", "uuid", "the ID of the zone", required=True, related="listZones"),
    Parameter("name", "string", "the name of the virtual machine"),
    Parameter("displayname", "string", "the name users see"),
    _DETAILS,
    Parameter("tags", "map", "tags, as tags[0].key=k&tags[0].value=v"),
    Parameter("userdata", "string", "user data, base64", length=1048576),
    Parameter("hostid", "uuid", "the host it is to run on", related="listHosts", role="Admin"),
)
_UPDATE = (_ID, Parameter("displayname", "string", "the name users see"), _DETAILS)
_QUERY = (
    Parameter("jobid", "uuid", "the ID of the job", related="listAsyncJobs"),
    Parameter("resourceid", "string", "the ID of what its latest job is asked of", since="4.22.0"),
    Parameter("resourcetype", "string", "VirtualMachine", since="4.22.0"),
)
_JOB: JsonObject = {"jobid": "", "jobstatus": 0, "jobprocstatus": 0, "jobresultcode": 0, "jobresult": {}}
_RESET = "Set a new password on a machine"

CHANGES = (
    Command(
        "deployVirtualMachine", "Deploy a machine", deploy_virtual_machine, _DEPLOY, "virtualmachine", MACHINE, True
    ),
    Command("startVirtualMachine", "Start a machine", start_virtual_machine, (_ID,), "virtualmachine", MACHINE, True),
    Command("stopVirtualMachine", "Stop a machine", stop_virtual_machine, (_ID,), "virtualmachine", MACHINE, True),
    Command("rebootVirtualMachine", "Reboot one", start_virtual_machine, (_ID,), "virtualmachine", MACHINE, True),
    Command(
        "destroyVirtualMachine", "Destroy a machine", destroy_virtual_machine, (_ID,), "virtualmachine", MACHINE, True
    ),
    Command("resetPasswordForVirtualMachine", _RESET, reset_password, (_ID,), "virtualmachine", MACHINE, True),
    Command("updateVirtualMachine", "Change a machine", update_virtual_machine, _UPDATE, "virtualmachine", MACHINE),
    Command("queryAsyncJobResult", "Ask for the state of a job", query_async_job_result, _QUERY, "", _JOB),
)
