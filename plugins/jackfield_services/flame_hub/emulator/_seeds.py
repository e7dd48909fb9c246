"""What is there from the start: the master realm, who may log in, permissions, master images; and nodes to count."""

from dataclasses import dataclass

from ._effects import Effects
from ._fields import NOBODY, Actor
from ._names import Generation
from ._store import Store

ADMIN = ("admin", "start123")
_OBJECTS = ("client", "node", "permission", "project", "realm", "robot", "role", "user")
_IMAGES = ("python/base", "python/ml", "r/base")  # paths: group and image


@dataclass(frozen=True, slots=True)
class Seeds:
    """The ids and secrets of what was put in."""

    robot: tuple[str, str]
    client: tuple[str, str]


def sow(store: Store, effects: Effects, generation: Generation, nodes: int) -> Seeds:
    """Puts it in."""
    realm = store.add("realms", {"name": "master", "built_in": True}, NOBODY)
    system = Actor("", "", "system", realm["id"])
    user = store.add("users", {"name": ADMIN[0], "password": ADMIN[1], "email": "admin@example.com"}, system)
    for name in _OBJECTS:
        for verb in ("create", "delete", "read", "update"):
            store.add("permissions", {"name": f"{name}_{verb}", "built_in": True}, NOBODY)
    role = store.add("roles", {"name": "admin"}, system)
    store.add("user_roles", {"user_id": user["id"], "role_id": role["id"]}, system)
    client = store.add("clients", {"name": "system", "secret": store.new_secret()}, system)
    robot = {"id": "", "secret": ""}
    if generation == "0.1.1":
        robot = store.add("robots", {"name": "system", "secret": store.new_secret()}, system)
    for path in _IMAGES[:2]:
        add_image(store, path)
    for number in range(1, nodes + 1):
        node = store.add("nodes", {"name": f"node-{number:04}"}, system)
        effects.created("nodes", node, system)
    return Seeds(
        robot=(robot["id"], robot["secret"]),
        client=(client["id"], client["secret"]),
    )


def sync_images(store: Store) -> None:
    """What the repository of master images has and the Hub has not."""
    for path in _IMAGES:
        if not any(store.where("master_images", virtual_path=path)):
            add_image(store, path)


def add_image(store: Store, path: str) -> None:
    """A master image, and its group."""
    group, _, name = path.partition("/")
    if not any(store.where("master_image_groups", virtual_path=group)):
        store.add("master_image_groups", {"name": group, "path": group, "virtual_path": group}, NOBODY)
    image = {"path": path, "virtual_path": path, "group_virtual_path": group, "name": name, "command": "python"}
    store.add("master_images", image, NOBODY)
