"""What every emulated cloud has, the same in each: zones, offerings, templates, networks, and hosts by number."""

from collections.abc import Mapping

from ._users import ROOT, User, made_id, slashed
from ._wire import JsonObject

_CREATED = "2026-04-14T09:25:51+0000"


def _named(kind: str, name: str, **about: str | int | bool) -> JsonObject:
    return {"id": made_id(f"{kind} {name}"), "name": name, **about}


_OS = made_id("ostype Debian GNU/Linux 12")
ZONES: tuple[JsonObject, ...] = tuple(
    {**_named("zone", name, networktype="Advanced", allocationstate="Enabled", localstorageenabled=False), "tags": []}
    for name in ("zone-1", "zone-2")
)
OFFERINGS: tuple[JsonObject, ...] = tuple(
    _named("offering", name, cpunumber=cpus, cpuspeed=2000, memory=1024 * cpus, created=_CREATED, issystem=False)
    for name, cpus in (("small", 1), ("medium", 2), ("large", 4), ("huge", 8))
)
TEMPLATES: tuple[JsonObject, ...] = tuple(
    {
        **_named("template", name, displaytext=f"{name}, 64 bit", format="QCOW2", hypervisor="KVM", isready=True),
        "ostypeid": _OS,
        "ostypename": "Debian GNU/Linux 12",
        "size": 2147483648,
        "templatetype": "USER",
        "isfeatured": True,
        "ispublic": True,
        "created": _CREATED,
        "zoneid": ZONES[0]["id"],
        "zonename": ZONES[0]["name"],
    }
    for name in ("debian-12", "rocky-9")
)
NETWORKS: tuple[JsonObject, ...] = tuple(
    {
        **_named("network", f"network-{number}", type="Isolated", state="Implemented", cidr=f"10.{number}.0.0/16"),
        "traffictype": "Guest",
        "gateway": f"10.{number}.0.1",
        "zoneid": zone["id"],
        "zonename": zone["name"],
        "tags": [],
    }
    for number, zone in enumerate(ZONES, 1)
)
VOLUMES: tuple[JsonObject, ...] = tuple(
    {
        **_named("volume", f"DATA-{number}", type="DATADISK", state="Ready", size=10737418240, created=_CREATED),
        "zoneid": zone["id"],
        "zonename": zone["name"],
        "tags": [],
    }
    for number, zone in enumerate(ZONES, 1)
)
PROJECTS: tuple[JsonObject, ...] = (_named("project", "atlas", displaytext="The atlas", state="Active"),)
EVENTS: tuple[JsonObject, ...] = (
    {
        "id": made_id("event 1"),
        "type": "USER.LOGIN",
        "level": "INFO",
        "state": "Completed",
        "description": "user has logged in",
        "username": "admin",
        "created": _CREATED,
    },
)


def account(user: User) -> JsonObject:
    """The account of a user."""
    owns = user.owns()
    about: JsonObject = {"id": user.account_id, "name": user.username, "state": "enabled", "roletype": user.role}
    return {**about, "accounttype": 1 if user.role == "Admin" else 0, **_of(owns), "user": [user.shown()]}


def domain(user: User) -> JsonObject:
    """The domain of a user."""
    path = slashed(user.domain)
    shown = "ROOT" if path == ROOT else f"ROOT{path.rstrip('/')}"
    level = path.count("/") - 1
    return {"id": user.domain_id, "name": user.owns()["domain"], "path": shown, "level": level, "state": "Active"}


def host(number: int) -> JsonObject:
    """A host, in the first zone."""
    about = _named("host", f"host-{number:03d}", state="Up", type="Routing", hypervisor="KVM", resourcestate="Enabled")
    size: JsonObject = {"cpunumber": 64, "cpuspeed": 2400, "memorytotal": 549755813888}
    zone, address = ZONES[0], f"172.16.{number // 250}.{number % 250 + 1}"
    return {**about, "zoneid": zone["id"], "zonename": zone["name"], "ipaddress": address, **size, "created": _CREATED}


def _of(owns: Mapping[str, object]) -> JsonObject:
    return {"domainid": str(owns["domainid"]), "domain": str(owns["domain"])}
