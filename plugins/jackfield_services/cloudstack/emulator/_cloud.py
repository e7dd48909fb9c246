"""The state of the emulated cloud, which is made by counting, so that runs are alike."""

from collections.abc import Sequence

from ._jobs import Jobs
from ._machines import Machines
from ._places import ZONES, host
from ._sessions import Sessions
from ._throttle import Limits
from ._users import User
from ._wire import ApiError, JsonObject


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

    def __init__(self, machines: int, hosts: int, users: Sequence[User]) -> None:
        self.users = list(users)
        self.sessions = Sessions()
        self.limits = Limits()
        self.jobs = Jobs()
        self.key_pairs: dict[str, JsonObject] = {}
        self.hosts = [host(number) for number in range(1, hosts + 1)]
        self.machines = Machines(machines, self.users[0])

    def machine(self, machine_id: str, command: str, parameter: str = "id") -> JsonObject:
        machine = self.machines.find(machine_id)
        if machine is None:
            raise unknown_entity(command, parameter, machine_id)
        return machine

    def zone(self, zone_id: str, command: str, parameter: str = "zoneid") -> JsonObject:
        for zone in ZONES:
            if zone["id"] == zone_id:
                return zone
        raise unknown_entity(command, parameter, zone_id)
