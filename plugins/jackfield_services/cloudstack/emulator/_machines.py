"""The virtual machines: made when somebody looks at them, so that a hundred thousand are there at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from ._places import NETWORKS, OFFERINGS, TEMPLATES, ZONES
from ._users import User
from ._wire import Json, JsonObject

_CREATED = "2026-04-14T09:25:51+0000"
_KINDS = len(ZONES) * len(OFFERINGS)
_DIGITS = re.compile(r"[0-9a-f]{12}")
_ID, _NIC = "6f8a2d1e-3c47-5b90-a1d2-", "6f8a2d1e-3c47-5b90-a1d3-"


def machine_id(number: int) -> str:
    """The ID of that machine: vm-0001 has number 1."""
    return f"{_ID}{number:012x}"


class Machines(Sequence[JsonObject]):
    """All machines that are there, in the order they came to be; those that were there first are all alike."""

    def __init__(self, first: int, owner: User) -> None:
        self._kinds = [_alike(kind, ZONES[kind % len(ZONES)], owner.owns(), _CREATED) for kind in range(_KINDS)]
        self._made = self._first = first
        self._there = list(range(1, first + 1))
        self._kept: dict[int, JsonObject] = {}
        self._gone: set[int] = set()

    def __len__(self) -> int:
        return len(self._there)

    @overload
    def __getitem__(self, index: int) -> JsonObject: ...
    @overload
    def __getitem__(self, index: slice) -> list[JsonObject]: ...
    def __getitem__(self, index: int | slice) -> JsonObject | list[JsonObject]:
        if isinstance(index, int):
            return self._look(self._there[index])
        return [self._look(number) for number in self._there[index]]

    def __iter__(self) -> Iterator[JsonObject]:
        return map(self._look, self._there)

    def find(self, wanted: str) -> JsonObject | None:
        """The machine of that ID; what is changed in it stays."""
        number = self._find(wanted)
        if number is None:
            return None
        return self._kept.setdefault(number, self._look(number))

    def new(self, zone: Mapping[str, Json], wishes: Mapping[str, Json], owner: User, created: str) -> JsonObject:
        """The next machine, not yet among the others; `wishes` override what it would be."""
        self._made += 1
        return {**_machine(self._made, _alike(self._made, zone, owner.owns(), created)), **wishes}

    def add(self, machine: JsonObject) -> None:
        """It is there from here on."""
        number = _number(str(machine["id"]))
        self._kept[number] = machine
        self._there.append(number)

    def remove(self, machine: JsonObject) -> None:
        """It is there no longer."""
        number = _number(str(machine["id"]))
        self._there.remove(number)
        self._kept.pop(number, None)
        self._gone.add(number)

    def _find(self, wanted: str) -> int | None:
        """The number of the machine that is there by that ID."""
        number = _number(wanted)
        there = number in self._kept or (0 < number <= self._first and number not in self._gone)
        return number if there else None

    def _look(self, number: int) -> JsonObject:
        kept = self._kept.get(number)
        if kept is not None:
            return kept
        machine = _machine(number, self._kinds[number % _KINDS])
        return machine if number % 5 else {**machine, "state": "Stopped"}


def _number(wanted: str) -> int:
    """The number in an ID of ours; 0, which is of none, in any other text."""
    prefix, digits = wanted[:-12], wanted[-12:]
    return int(digits, 16) if prefix == _ID and _DIGITS.fullmatch(digits) else 0


def _machine(number: int, alike: Mapping[str, Json]) -> JsonObject:
    """That machine, of what is alike in many; whoever changes a tag makes a new list."""
    digits, name = f"{number:012x}", f"vm-{number:04d}"
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    mac = f"02:00:{digits[4:6]}:{digits[6:8]}:{digits[8:10]}:{digits[10:]}"
    own: JsonObject = {"id": f"{_ID}{digits}", "name": name, "displayname": name, "instancename": f"i-2-{number}-VM"}
    nic: JsonObject = {**_ANY_NIC, "id": f"{_NIC}{digits}", "ipaddress": address, "macaddress": mac}
    return {**alike, **own, "nic": [nic]}


def _alike(number: int, zone: Mapping[str, Json], owns: Mapping[str, Json], created: str) -> JsonObject:
    """What a machine of that number, zone and owner is beside its names."""
    offering, template = OFFERINGS[number % len(OFFERINGS)], TEMPLATES[0]
    return {
        "id": "",
        "name": "",
        "displayname": "",
        "state": "Running",
        **owns,
        "zoneid": zone["id"],
        "zonename": zone["name"],
        "hypervisor": "KVM",
        "cpunumber": offering["cpunumber"],
        "cpuspeed": offering["cpuspeed"],
        "memory": offering["memory"],
        "serviceofferingid": offering["id"],
        "serviceofferingname": offering["name"],
        "templateid": template["id"],
        "templatename": template["name"],
        "guestosid": template["ostypeid"],
        "haenable": False,
        "rootdeviceid": 0,
        "rootdevicetype": "ROOT",
        "created": created,
        "tags": [],
        "details": {},
    }


_ANY_NIC: JsonObject = {
    "id": "",
    "networkid": NETWORKS[0]["id"],
    "netmask": "255.0.0.0",
    "gateway": "10.0.0.1",
    "isdefault": True,
    "type": "Isolated",
}
