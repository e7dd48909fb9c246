"""What type checkers make of the FLAME Hub clients. Checked by `tox -e types`; never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
# The ignores below are the test: mypy and pyright each complain where one is not needed.

from __future__ import annotations

from typing import Any, assert_type
from uuid import UUID

from jackfield import AsyncItems, AsyncPages, Items, Page, Pages
from jackfield_services.flame_hub import (
    AsyncAuthClient,
    AsyncCoreClient,
    AsyncStorageClient,
    AuthClient,
    CoreClient,
    ErrorResponse,
    HubAPIError,
    StorageClient,
    get_field_names,
    get_includable_names,
)
from jackfield_services.flame_hub.auth import ClientAuth, PasswordAuth, RobotAuth, StaticAuth
from jackfield_services.flame_hub.models import (
    Analysis,
    AnalysisBucketFile,
    AnalysisNode,
    Bucket,
    BucketFile,
    Client,
    ClientCredentials,
    MasterImage,
    Node,
    NodeRegistryCredentials,
    Project,
    Realm,
    ResourceListMeta,
    SingleResourceMeta,
    User,
)
from jackfield_services.flame_hub.types import FilterOperator

ID = UUID("7227f7f3-e8e8-46e4-a6d4-16055aca8290")


def getting(auth: AuthClient, core: CoreClient, storage: StorageClient) -> None:
    assert_type(core.get_node("id"), Node | None)
    assert_type(core.get_node(ID, fields="account_secret", include=()), Node | None)
    assert_type(core.get_node(node_id=ID), Node | None)
    assert_type(core.get_node(ID, meta=True), tuple[Node, SingleResourceMeta] | None)
    assert_type(core.get_node(ID, meta=True, auth=None), tuple[Node, SingleResourceMeta] | None)
    assert_type(core.get_node_client_credentials(ID), ClientCredentials | None)
    assert_type(core.get_node_registry_credentials(node_id=ID), NodeRegistryCredentials | None)
    assert_type(core.get_analysis_client_credentials(ID), ClientCredentials | None)
    assert_type(auth.get_client(ID), Client | None)
    assert_type(storage.get_bucket_file(ID), BucketFile | None)


def finding(auth: AuthClient, core: CoreClient) -> None:
    assert_type(core.get_nodes(), Page[Node])
    assert_type(core.get_nodes(meta=True), tuple[Page[Node], ResourceListMeta])
    assert_type(core.find_nodes(filter={"name": (FilterOperator.like, "n")}, page={"limit": 5}), Page[Node])
    assert_type(core.find_nodes(sort=[{"by": "name"}, {"by": "created_at", "order": "descending"}]), Page[Node])
    assert_type(core.find_nodes(sort="-created_at,name", meta=True), tuple[Page[Node], ResourceListMeta])
    assert_type(core.find_nodes.all(filter={"hidden": True}), Items[Node])
    assert_type(core.find_nodes.pages(), Pages[Node])
    assert_type(core.find_nodes.prefetch(2).all(), Items[Node])
    assert_type([user.email for user in auth.find_users.all(fields="email")], list[str | None])
    listed: list[Realm] = auth.find_realms(filter={"name": "master"})
    assert_type(listed.pop(), Realm)


def creating(auth: AuthClient, core: CoreClient, storage: StorageClient, realm: Realm, node: Node) -> None:
    assert_type(core.create_node("n"), Node)
    assert_type(core.create_node(name="n", realm_id=realm, node_type="aggregator", hidden=True), Node)
    assert_type(core.create_node("n", realm.id, auth="token"), Node)
    assert_type(core.create_analysis_node("id", node).analysis_id, UUID)
    assert_type(auth.create_user("u", "u@example.org", first_name=None), User)
    assert_type(storage.create_bucket("b", region="r"), Bucket)


def creating_in_an_old_hub(auth: AuthClient, core: CoreClient, project: Project, image: MasterImage) -> None:
    assert_type(core.create_node("n", ID, "external", "default", True), Node)
    assert_type(core.create_project("p", image, "text"), Project)
    assert_type(core.create_analysis("a", project, "text"), Analysis)
    assert_type(core.create_analysis_bucket_file("f", ID, ID, True), AnalysisBucketFile)
    auth.create_robot("r", ID, "secret").model_dump()


def updating(auth: AuthClient, core: CoreClient, node: Node) -> None:
    assert_type(core.update_node(node, hidden=True), Node)
    assert_type(core.update_node(node.id, "external", True), Node)
    assert_type(core.update_node(node_id=node, hidden=True), Node)
    assert_type(core.update_node(node, external_name=None, auth=None), Node)
    assert_type(core.update_node_client_credentials(node, secret="s"), ClientCredentials)
    assert_type(core.update_analysis_node(ID, execution_status="executed"), AnalysisNode)
    assert_type(core.update_analysis_node(ID, run_status="running"), AnalysisNode)
    assert_type(auth.update_user(ID, password="p"), User)


def others(core: CoreClient, storage: StorageClient, node: Node) -> None:
    core.delete_node(node, auth=None)
    core.delete_node(node_id=node)
    storage.delete_bucket("id")
    core.delete_analysis_logs(ID)
    core.delete_analysis_node_logs(ID, node)
    core.sync_master_images()
    core.build_master_image(ID, auth="token")
    core.send_registry_command(ID, "setup")
    assert_type(core.send_analysis_command(ID, "buildStart"), Analysis)
    assert_type(get_includable_names(Node), tuple[str, ...])
    assert_type(get_field_names(User), tuple[str, ...])
    assert_type(node.model_dump(mode="json"), dict[str, Any])
    assert_type(node.model_dump_json(indent=2), str)


async def awaited(auth: AsyncAuthClient, core: AsyncCoreClient, storage: AsyncStorageClient, project: Project) -> None:
    assert_type(await core.get_node("id"), Node | None)
    assert_type(await core.get_node(node_id="id"), Node | None)
    assert_type(await core.get_node("id", meta=True), tuple[Node, SingleResourceMeta] | None)
    assert_type(await core.get_nodes(), Page[Node])
    assert_type(await core.find_nodes(page={"offset": 5}, meta=True), tuple[Page[Node], ResourceListMeta])
    assert_type(core.find_nodes.all(), AsyncItems[Node])
    assert_type(core.find_nodes.pages(), AsyncPages[Node])
    assert_type([node async for node in core.find_nodes.prefetch(2).all()], list[Node])
    assert_type(await core.create_node("n", realm_id=None), Node)
    assert_type(await core.create_analysis("a", project, "text"), Analysis)
    assert_type(await core.update_node("id", hidden=True), Node)
    assert_type(await core.update_node(node_id="id", hidden=True), Node)
    assert_type(await core.update_analysis_client_credentials("id", name="n"), ClientCredentials)
    assert_type(await core.send_analysis_command("id", "buildStart", auth=None), Analysis)
    assert_type(await auth.create_client("c", ID), Client)
    assert_type(await storage.get_bucket_files(), Page[BucketFile])
    await core.delete_node("id")
    await core.sync_master_images()
    await core.delete_analysis_logs("id")


def made() -> None:
    CoreClient()
    CoreClient(
        "https://hub/core/", PasswordAuth("admin", "start123", "https://hub/auth/"), generation="0.1.1", timeout=5
    )
    AsyncCoreClient("https://hub/core/", auth=RobotAuth("id", "secret"), client=None)
    AuthClient(auth=ClientAuth("id", "secret", base_url="https://hub/auth/"))
    StorageClient(auth=StaticAuth("token"))
    AsyncStorageClient(auth="token")
    with CoreClient() as core:
        assert_type(core, CoreClient)
        assert_type(core.with_options(timeout=5), CoreClient)


def failed(error: HubAPIError) -> None:
    assert_type(error.error_response, ErrorResponse | None)
    assert_type(error.status, int | None)


def wrong(core: CoreClient, node: Node, realm: Realm) -> None:
    core.get_node(1)  # type: ignore[call-overload]
    core.get_node(realm)  # type: ignore[call-overload]
    core.get_node("id", filter={})  # type: ignore[call-overload]
    print(core.get_node("id").name)  # type: ignore[union-attr]
    core.find_nodes("name")  # type: ignore[call-overload]
    core.find_nodes(colour="red")  # type: ignore[call-overload]
    core.find_nodes(sort={"by": "name", "order": "down"})  # type: ignore[call-overload]
    core.create_node()  # type: ignore[call-overload]
    core.create_node("n", node)  # type: ignore[call-overload]
    core.create_node("n", colour="red")  # type: ignore[call-overload]
    core.update_node(node, hidden="yes")  # type: ignore[call-overload]
    core.update_node(realm, hidden=True)  # type: ignore[call-overload]
    core.delete_node(realm)  # type: ignore[call-overload]
    core.send_registry_command("id", "explode")  # type: ignore[arg-type]
    CoreClient("https://hub", generation="2.0.0")  # type: ignore[arg-type]
    CoreClient("https://hub", auth=5)  # type: ignore[arg-type]
