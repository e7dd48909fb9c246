"""The commands that change the cloud, and the one that asks how a change goes."""

import hashlib
from collections.abc import Mapping

from ._cloud import unknown_entity
from ._command import Call, Command, Field, Parameter
from ._jobs import timestamp
from ._lists import MACHINE
from ._wire import INVALID_VALUE, ApiError, Json, JsonObject


def deploy_virtual_machine(call: Call) -> JsonObject:
    """The machine has its id at once, and exists once the job succeeded."""
    arguments = call.arguments
    zone = call.cloud.zone(arguments.text("zoneid"), call.command)
    asked = ("name", "displayname", "serviceofferingid", "templateid")
    wishes: JsonObject = {name: arguments.text(name) for name in asked if arguments.text(name)}
    if "name" in wishes:
        wishes.setdefault("displayname", wishes["name"])
    wishes["details"] = {key: value for entry in arguments.entries("details") for key, value in entry.items()}
    machine = call.cloud.new_machine(zone, wishes, timestamp(call.settings.now))
    machine["tags"] = _tags(call, str(machine["id"]))

    def succeed() -> JsonObject:
        call.cloud.add(machine)
        return {"virtualmachine": dict(machine)}

    return {"id": machine["id"], "jobid": call.start_job(str(machine["id"]), succeed).id}


def start_virtual_machine(call: Call) -> JsonObject:
    return _change(call, {"state": "Running"})


def stop_virtual_machine(call: Call) -> JsonObject:
    return _change(call, {"state": "Stopped"})


def destroy_virtual_machine(call: Call) -> JsonObject:
    machine_id = str(call.cloud.machine(call.arguments.text("id"), call.command)["id"])

    def succeed() -> JsonObject:
        machine = call.cloud.machine(machine_id, call.command)
        del call.cloud.machines[machine_id]
        return {"virtualmachine": {**machine, "state": "Destroyed"}}

    return {"jobid": call.start_job(machine_id, succeed).id}


def create_tags(call: Call) -> JsonObject:
    ids = call.arguments.items("resourceids")
    for machine_id in ids:
        call.cloud.machine(machine_id, call.command, "resourceids")
    tags = {machine_id: _tags(call, machine_id) for machine_id in ids}

    def succeed() -> JsonObject:
        for machine_id in ids:
            machine = call.cloud.machine(machine_id, call.command, "resourceids")
            machine["tags"] = [*_listed(machine["tags"]), *tags[machine_id]]
        return {"success": True}

    return {"jobid": call.start_job(ids[0] if ids else "", succeed).id}


def create_ssh_key_pair(call: Call) -> JsonObject:
    name = call.arguments.text("name")
    if name in call.cloud.key_pairs:
        raise ApiError(431, f"A key pair with name '{name}' already exists.", INVALID_VALUE)
    call.cloud.key_pairs.add(name)
    print_ = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    label = "RSA PRIVATE KEY-----"
    key = f"-----BEGIN {label}\n{print_}\n-----END {label}\n"  # no key at all: nothing could log in with it
    return {"keypair": {"name": name, "fingerprint": ":".join(_by_two(print_)), "privatekey": key}}


def query_async_job_result(call: Call) -> JsonObject:
    job = call.cloud.jobs.all.get(call.arguments.text("jobid"))
    if job is None:
        raise unknown_entity(call.command, "jobid", call.arguments.text("jobid"))
    job.poll(call.settings.now)
    return job.report()


def _change(call: Call, difference: Mapping[str, Json]) -> JsonObject:
    machine_id = str(call.cloud.machine(call.arguments.text("id"), call.command)["id"])

    def succeed() -> JsonObject:
        machine = call.cloud.machine(machine_id, call.command)
        machine.update(difference)
        return {"virtualmachine": dict(machine)}

    return {"jobid": call.start_job(machine_id, succeed).id}


def _tags(call: Call, machine_id: str) -> list[JsonObject]:
    about: JsonObject = {"resourcetype": "UserVm", "resourceid": machine_id}
    entries = call.arguments.entries("tags")
    return [{"key": tag.get("key", ""), "value": tag.get("value", ""), **about} for tag in entries]


def _listed(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else []


def _by_two(text: str) -> list[str]:
    return [text[start : start + 2] for start in range(0, len(text), 2)]


_ID = Parameter("id", "uuid", "the ID of the virtual machine", required=True)
_DEPLOY = (
    Parameter("serviceofferingid", "uuid", "the ID of the service offering", required=True),
    Parameter("templateid", "uuid", "the ID of the template", required=True),
    Parameter("zoneid", "uuid", "the ID of the zone", required=True),
    Parameter("name", "string", "the name of the virtual machine"),
    Parameter("displayname", "string", "the name users see"),
    Parameter("details", "map", "details, as details[0].cpuNumber=2"),
    Parameter("tags", "map", "tags, as tags[0].key=k&tags[0].value=v"),
    Parameter("userdata", "string", "user data, base64", length=1048576),
)
_TAGS = (
    Parameter("resourceids", "list", "the IDs of virtual machines", required=True),
    Parameter("resourcetype", "string", "UserVm", required=True),
    Parameter("tags", "map", "tags, as tags[0].key=k&tags[0].value=v", required=True),
)
_SUCCESS = (Field("success", "boolean", "whether it succeeded"),)
_JOB = (Field("jobstatus", "integer", "0 pending, 1 succeeded, 2 failed, 3 cancelled"),)

CHANGES = (
    Command("deployVirtualMachine", "Deploy a machine", deploy_virtual_machine, _DEPLOY, MACHINE, True),
    Command("startVirtualMachine", "Start a machine", start_virtual_machine, (_ID,), MACHINE, True),
    Command("stopVirtualMachine", "Stop a machine", stop_virtual_machine, (_ID,), MACHINE, True),
    Command("destroyVirtualMachine", "Destroy a machine", destroy_virtual_machine, (_ID,), MACHINE, True),
    Command("createTags", "Tag machines", create_tags, _TAGS, _SUCCESS, True),
    Command(
        "createSSHKeyPair",
        "Create a key pair; the private key in it is a dummy",
        create_ssh_key_pair,
        (Parameter("name", "string", "the name of the key pair", required=True),),
        (Field("privatekey", "string", "the private key"),),
    ),
    Command(
        "queryAsyncJobResult",
        "Ask for the state of a job",
        query_async_job_result,
        (Parameter("jobid", "uuid", "the ID of the job", required=True),),
        _JOB,
    ),
)
