"""What a type checker says of calls: each line with a comment is a mistake that it finds (or the comment is one)."""

from __future__ import annotations

from typing import Unpack, assert_type

from jackfield import Page
from jackfield_services.flame_hub import CoreClient, HubAPIError
from jackfield_services.flame_hub.models import Node, Project, SingleResourceMeta
from jackfield_services.flame_hub.types import BaseKwargs, FindAllKwargs, GetKwargs, UuidIdentifiable


def right(core: CoreClient, node: Node, project: Project, flag: bool, anything: UuidIdentifiable) -> None:
    assert_type(core.create_node("n", auth="token"), Node)
    assert_type(core.get_node(node), Node | None)
    assert_type(core.get_node(node_id=node), Node | None)
    assert_type(core.get_node(node_id=node.id, meta=True), tuple[Node, SingleResourceMeta] | None)
    assert_type(core.get_node(node, meta=flag), Node | tuple[Node, SingleResourceMeta] | None)
    assert_type(core.find_nodes(), Page[Node])
    core.find_nodes(meta=flag)
    core.update_node(node, hidden=True, auth=None)
    core.update_node(node_id=node, hidden=True)
    core.delete_node(node_id=node, auth="token")
    core.get_node(anything)


def passed_on(core: CoreClient, node: Node, **options: Unpack[GetKwargs]) -> object:
    return core.get_node(node, **options)


def found(core: CoreClient, **options: Unpack[FindAllKwargs]) -> list[Node]:
    result = core.find_nodes(**options)
    return result if isinstance(result, list) else result[0]


def done(core: CoreClient, node: Node, **options: Unpack[BaseKwargs]) -> None:
    core.update_node(node, hidden=True, **options)
    core.delete_node(node, **options)


def url_of(error: HubAPIError) -> str:
    return error.request.url


def wrong(core: CoreClient, node: Node, project: Project) -> None:
    core.get_node(project)  # type: ignore[call-overload]  # of another kind
    core.get_node(nodeid=1)  # type: ignore[call-overload]  # no id
    core.get_node(node_id=5)  # type: ignore[call-overload]  # no id
    core.delete_node(bogus=1)  # type: ignore[call-overload]  # no id
    core.update_node(node, hiden=True)  # type: ignore[call-overload]  # misspelt
    core.update_node(node, hiden=True, auth="token")  # type: ignore[call-overload]  # misspelt
    core.create_node("n", bogus=1, auth="token")  # type: ignore[call-overload]  # no parameter
    core.create_node(auth="token")  # type: ignore[call-overload]  # no name
    core.create_node("n", auth=5)  # type: ignore[call-overload]  # nobody
    core.create_project_node(node, project)  # type: ignore[call-overload]  # swapped
    core.sync_master_images(ath="token")  # type: ignore[call-arg]  # misspelt
    CoreClient("https://hub.test", client=object())  # type: ignore[arg-type]  # of flame_hub_client


def test_the_calls_are_there() -> None:
    assert {right, passed_on, found, done, url_of, wrong}
