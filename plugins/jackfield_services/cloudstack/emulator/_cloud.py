"""The state of the emulated cloud: zones, machines, jobs, key pairs; made by counting: runs are alike."""

import uuid
from collections.abc import Iterable, Mapping

from ._jobs import ACCOUNT, NAMESPACE, Jobs
from ._wire import ApiError, Json, JsonObject

_CREATED = "2026-04-14T09:25:51+0000"


def made_id(what: str) -> str:
    """The same name has the same id in every run."""
    return str(uuid.uuid5(NAMESPACE, what))


ZONES: tuple[JsonObject, ...] = tuple(
    {
        "id": made_id(f"zone {name}"),
        "name": name,
        "networktype": "Advanced",
        "allocationstate": "Enabled",
        "tags": [],
    }
    for name in ("zone-1", "zone-2")
)
USER: JsonObject = {
    "id": ACCOUNT["userid"],
    "username": "admin",
    "firstname": "Ada",
    "lastname": "Admin",
    "state": "enabled",
    "accounttype": 1,
    "accountid": ACCOUNT["accountid"],
    "account": "admin",
    "domainid": ACCOUNT["domainid"],
    "domain": "ROOT",
    "created": _CREATED,
}


def unknown_entity(command: str, parameter: str, value: str) -> ApiError:
    """What the server says of a uuid it does not know."""
    return ApiError(
        431,
        f"Unable to execute API command {command.lower()} due to invalid value. Invalid parameter "
        f"{parameter} value={value} due to incorrect long value format, or entity does not exist or due to "
        "incorrect parameter annotation for the field in api cmd class.",
    )


class Cloud:
    """What the commands read and change."""

    def __init__(self, machines: int) -> None:
        self.jobs = Jobs()
        self.key_pairs: set[str] = set()
        self.machines: dict[str, JsonObject] = {}
        self._made = 0
        for number in range(1, machines + 1):
            machine = self.new_machine(ZONES[number % len(ZONES)], {}, _CREATED)
            machine["state"] = "Stopped" if number % 5 == 0 else "Running"
            self.add(machine)

    def new_machine(self, zone: Mapping[str, Json], wishes: Mapping[str, Json], created: str) -> JsonObject:
        """The next machine, not yet among the others; `wishes` override what it would be."""
        self._made += 1
        name, number = f"vm-{self._made:04d}", self._made
        place: JsonObject = {"zoneid": zone["id"], "zonename": zone["name"], "hypervisor": "KVM"}
        size: JsonObject = {"cpunumber": 1 + number % 4, "cpuspeed": 2000, "memory": 1024 * (1 + number % 4)}
        machine: JsonObject = {"id": made_id(name), "name": name, "displayname": name, "state": "Running"}
        kept: JsonObject = {"created": created, "tags": [], "details": {}, "nic": [_nic(number)]}
        return {**machine, **ACCOUNT, **place, **size, **kept, "instancename": f"i-2-{number}-VM", **wishes}

    def add(self, machine: JsonObject) -> None:
        self.machines[str(machine["id"])] = machine

    def machine(self, machine_id: str, command: str, parameter: str = "id") -> JsonObject:
        if machine_id not in self.machines:
            raise unknown_entity(command, parameter, machine_id)
        return self.machines[machine_id]

    def zone(self, zone_id: str, command: str, parameter: str = "zoneid") -> JsonObject:
        for zone in ZONES:
            if zone["id"] == zone_id:
                return zone
        raise unknown_entity(command, parameter, zone_id)

    def shown(self, machines: Iterable[JsonObject]) -> list[JsonObject]:
        """Machines as a list shows them: a job that is running on one is named inside the item."""
        jobs = self.jobs.pending()
        return [
            {**machine, "jobid": jobs[machine["id"]], "jobstatus": 0} if machine["id"] in jobs else machine
            for machine in machines
        ]


def _nic(number: int) -> JsonObject:
    address = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
    return {"id": made_id(f"nic {number}"), "ipaddress": address, "isdefault": True, "type": "Isolated"}
