"""What the README of the published client shows, for Hubs of either generation, by plain calls and by awaited ones."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from uuid import UUID

import pytest
from tests.jackfield_services.flame_hub.hub_models import published

from jackfield_services import flame_hub
from jackfield_services.flame_hub import AsyncAuthClient, AsyncCoreClient, AuthClient, CoreClient, HubAPIError
from jackfield_services.flame_hub._model import Id
from jackfield_services.flame_hub.emulator import FlameHubEmulator, Generation
from jackfield_services.flame_hub.models import Node, Realm

# As they are printed there. What is new since is told of old Hubs' records too: null.
REALM = ["name", "display_name", "description", "id", "built_in", "created_at", "updated_at"]
# fmt: off
NODE = {
    "0.1.1": [
    "external_name", "hidden", "name", "realm_id", "registry_id", "type", "id", "public_key", "online",
    "registry_project_id", "robot_id", "created_at", "updated_at",
    ],
    "1.1.0": [
    "externalName", "hidden", "name", "realmId", "registryId", "type", "id", "publicKey", "online", "registry",
    "registryProjectId", "registryProject", "robotId", "clientId", "createdAt", "updatedAt",
    ],
}
# fmt: on
NOBODY = "497dcba3-ecbf-4587-a2dd-5eb0665e6880"


@contextmanager
def emulated(generation: Generation, nodes: int = 0) -> Generator[FlameHubEmulator, None, None]:
    """A Hub in which no two records are of the same second."""
    seconds = count(int(time.time()))
    with FlameHubEmulator(generation, nodes=nodes, now=lambda: float(next(seconds))) as hub:
        yield hub


@pytest.fixture
def hub(generation: Generation) -> Iterator[FlameHubEmulator]:
    with emulated(generation) as running:
        yield running


@pytest.fixture
def auth(hub: FlameHubEmulator) -> flame_hub.auth.PasswordAuth:
    return flame_hub.auth.PasswordAuth(username="admin", password="start123", base_url=hub.auth_url)


@pytest.fixture
def auth_client(hub: FlameHubEmulator, auth: flame_hub.auth.PasswordAuth) -> Iterator[AuthClient]:
    with AuthClient(base_url=hub.auth_url, auth=auth) as client:
        yield client


@pytest.fixture
def core_client(hub: FlameHubEmulator, auth: flame_hub.auth.PasswordAuth) -> Iterator[CoreClient]:
    with CoreClient(base_url=hub.core_url, auth=auth) as client:
        yield client


@pytest.fixture
def master_realm(auth_client: AuthClient) -> Realm:
    master_realms = auth_client.find_realms(filter={"name": "master"})
    assert len(master_realms) == 1
    return master_realms.pop()


def keys_of(text: str) -> list[str]:
    return list(json.loads(text))


class TestPlainly:
    def test_the_master_realm_is_found_by_its_name(self, master_realm: Realm, generation: Generation) -> None:
        shown = REALM if generation == "0.1.1" else [camel(name) for name in REALM]
        assert master_realm.name == "master"
        assert isinstance(master_realm.id, UUID)
        assert master_realm.model_dump_json(indent=2).startswith('{\n  "name": "master",\n  "')
        assert keys_of(master_realm.model_dump_json(indent=2)) == shown

    @pytest.mark.parametrize("by", ["record", "id", "text"])
    def test_a_node_is_created_hidden_got_and_deleted(
        self, core_client: CoreClient, master_realm: Realm, by: str
    ) -> None:
        known: dict[str, Id[Realm]] = {"record": master_realm, "id": master_realm.id, "text": str(master_realm.id)}
        my_node = core_client.create_node(name="my-node", realm_id=known[by])
        assert (my_node.name, my_node.hidden, my_node.realm_id) == ("my-node", False, master_realm.id)

        core_client.update_node(my_node, hidden=True)
        assert (got := core_client.get_node(my_node.id)) is not None
        assert got.hidden is True
        assert core_client.get_node(NOBODY) is None

        core_client.delete_node(my_node)
        assert core_client.get_node(my_node.id) is None

    def test_a_node_prints_its_fields_in_the_order_of_the_readme(
        self, core_client: CoreClient, master_realm: Realm, generation: Generation
    ) -> None:
        text = core_client.create_node(name="my-node", realm_id=master_realm).model_dump_json(indent=2)
        shown = [name for name in keys_of(text) if name in NODE[generation]]
        added = {name: value for name, value in json.loads(text).items() if name not in NODE[generation]}
        assert shown == NODE[generation]
        assert set(added.values()) <= {None}
        assert len(added) == (3 if generation == "0.1.1" else 0)
        assert json.dumps(json.loads(text), indent=2) == text

    def test_get_nodes_is_the_first_page(self, generation: Generation) -> None:
        with emulated(generation, nodes=60) as hub, core_of(hub) as core_client:
            nodes_lst_find = core_client.find_nodes(page={"limit": 50, "offset": 0})
            nodes_lst_get = core_client.get_nodes()
            assert nodes_lst_find == nodes_lst_get
            assert len(nodes_lst_get) == 50
            assert all(type(node).__name__ == "Node" and isinstance(node, Node) for node in nodes_lst_get)

    def test_a_page_is_a_part_of_a_greater_one(self, generation: Generation) -> None:
        with emulated(generation, nodes=60) as hub, core_of(hub) as core_client:
            nodes_first_25 = core_client.find_nodes(page={"limit": 25})
            nodes_next_10 = core_client.find_nodes(page={"limit": 10, "offset": 10})
            assert nodes_first_25[10:20] == nodes_next_10
            assert (len(nodes_first_25), len(nodes_next_10)) == (25, 10)

    def test_nodes_are_filtered_by_their_names(self, core_client: CoreClient, master_realm: Realm) -> None:
        for number in (4, 5, 40, 42, 54):
            core_client.create_node(name=f"my-node-{number}", realm_id=master_realm)
        found = core_client.find_nodes(filter={"name": "my-node-42"}).pop().model_dump(mode="json")
        assert found["name"] == "my-node-42"
        assert isinstance(found["id"], str)

        like = flame_hub.types.FilterOperator.like
        nodes_with_4_in_name = core_client.find_nodes(filter={"name": "~my-node-4"})
        nodes_with_4_in_name_but_different = core_client.find_nodes(filter={"name": (like, "my-node-4")})
        assert nodes_with_4_in_name == nodes_with_4_in_name_but_different
        assert {node.name for node in nodes_with_4_in_name} == {"my-node-4", "my-node-40", "my-node-42"}

    def test_descending_is_the_reverse_of_ascending(self, generation: Generation) -> None:
        with emulated(generation, nodes=30) as hub, core_of(hub) as core_client:
            nodes = core_client.find_nodes(sort={"by": "created_at"})
            sedon = core_client.find_nodes(sort={"by": "created_at", "order": "descending"})
            assert nodes == sedon[::-1]
            assert [node.name for node in nodes] == [f"node-{number:04}" for number in range(1, 31)]

    def test_a_node_of_an_unknown_realm_is_refused(self, core_client: CoreClient, generation: Generation) -> None:
        with pytest.raises(HubAPIError, match=r"^received status code 400 \(\w+\): .*realm.*") as raised:
            core_client.create_node(name="my-new-node", realm_id=NOBODY)
        told = raised.value.error_response
        assert told is not None
        assert (told.status_code, bool(told.code)) == (400, True)
        assert str(raised.value) == f"received status code 400 ({told.code}): {told.message}"
        assert {"status_code", "code", "message"} <= told.model_dump(by_alias=False).keys()

    def test_a_robot_logs_in(self) -> None:
        with emulated("0.1.1") as hub, core_of(hub) as known:
            my_node = known.create_node(name="my-node", realm_id=realm_of(hub))
            robot = flame_hub.auth.RobotAuth(hub.robot_id, hub.robot_secret, base_url=hub.auth_url)
            with CoreClient(base_url=hub.core_url, auth=robot) as core_client:
                assert core_client.get_node(my_node) == my_node

    def test_a_client_logs_in(self) -> None:
        with emulated("1.1.0") as hub, core_of(hub) as known:
            my_node = known.create_node(name="my-node", realm_id=realm_of(hub))
            client = flame_hub.auth.ClientAuth(hub.client_id, hub.client_secret, base_url=hub.auth_url)
            with CoreClient(base_url=hub.core_url, auth=client) as core_client:
                assert core_client.get_node(my_node.id) is not None


class TestAwaited:
    def test_all_of_it_goes_by_awaited_calls_too(self, generation: Generation) -> None:
        with emulated(generation) as hub:
            asyncio.run(readme(hub, generation))


async def readme(hub: FlameHubEmulator, generation: Generation) -> None:
    auth = flame_hub.auth.PasswordAuth(username="admin", password="start123", base_url=hub.auth_url)
    async with (
        AsyncAuthClient(base_url=hub.auth_url, auth=auth) as auth_client,
        AsyncCoreClient(base_url=hub.core_url, auth=auth) as core_client,
    ):
        master_realms = await auth_client.find_realms(filter={"name": "master"})
        assert len(master_realms) == 1
        master_realm = master_realms.pop()

        my_node = await core_client.create_node(name="my-node", realm_id=master_realm)
        text = my_node.model_dump_json(indent=2)
        assert [name for name in keys_of(text) if name in NODE[generation]] == NODE[generation]
        await core_client.update_node(my_node, hidden=True)
        assert (got := await core_client.get_node(my_node.id)) is not None
        assert got.hidden is True
        await core_client.delete_node(my_node)
        assert await core_client.get_node(my_node.id) is None

        for number in range(30, 60):
            await core_client.create_node(name=f"my-node-{number}", realm_id=master_realm)
        assert await core_client.find_nodes(page={"limit": 50, "offset": 0}) == await core_client.get_nodes()
        nodes_first_25 = await core_client.find_nodes(page={"limit": 25})
        assert nodes_first_25[10:20] == await core_client.find_nodes(page={"limit": 10, "offset": 10})
        nodes_with_4_in_name = await core_client.find_nodes(filter={"name": "~my-node-4"})
        like = flame_hub.types.FilterOperator.like
        assert nodes_with_4_in_name == await core_client.find_nodes(filter={"name": (like, "my-node-4")})
        assert len(nodes_with_4_in_name) == 10
        nodes = await core_client.find_nodes(sort={"by": "created_at"})
        sedon = await core_client.find_nodes(sort={"by": "created_at", "order": "descending"})
        assert nodes == sedon[::-1]
        assert nodes != sedon

        with pytest.raises(HubAPIError, match=r"^received status code 400 \(\w+\): .*realm.*") as raised:
            await core_client.create_node(name="my-new-node", realm_id=NOBODY)
        assert (told := raised.value.error_response) is not None
        assert (told.status_code, bool(told.code), bool(told.message)) == (400, True, True)


class TestWhatIsPrinted:
    def test_is_that_of_the_published_models(self) -> None:
        assert [name for name, *_ in published("0.1.1", "model")["Node"]["fields"]] == NODE["0.1.1"]
        assert [name for name, *_ in published("0.1.1", "model")["Realm"]["fields"]] == REALM


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@contextmanager
def core_of(hub: FlameHubEmulator) -> Generator[CoreClient, None, None]:
    auth = flame_hub.auth.PasswordAuth(hub.username, hub.password, hub.auth_url)
    with CoreClient(hub.core_url, auth) as client:
        yield client


def realm_of(hub: FlameHubEmulator) -> UUID:
    """The only realm there is; anybody may ask for it."""
    with AuthClient(hub.auth_url) as client:
        (realm,) = client.get_realms()
        return realm.id
