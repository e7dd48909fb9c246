"""What `help()`, `inspect.signature` and editors see of the methods."""

from __future__ import annotations

import pydoc
from inspect import getdoc, signature
from typing import Any

import pytest
from tests.jackfield_services.flame_hub.hub_calls import BOTH, SYNC, Colour, methods

from jackfield.testing import FakeTransport
from jackfield_services.flame_hub import AsyncCoreClient, AuthClient, CoreClient, StorageClient

in_both_colours = pytest.mark.parametrize("colour", BOTH, ids=["sync", "async"])


def core(colour: Colour = SYNC) -> Any:
    return colour.client("CoreClient", FakeTransport())


def helped(what: object) -> str:
    """What `help(what)` shows."""
    return pydoc.plain(pydoc.render_doc(what))


@in_both_colours
@pytest.mark.parametrize(
    ("method", "shown"),
    [
        (
            "create_node",
            "(name: str, realm_id: Id[Realm] | None = None, registry_id: Id[Registry] | None = None, "
            "external_name: str | None = None, node_type: NodeType = 'default', hidden: bool = False, *, "
            "auth: AuthParam = UNSET)",
        ),
        (
            "get_node",
            "(node_id: Id[Node], *, auth: AuthParam = UNSET, fields: FieldParams | None = None, "
            "include: IncludeParams | None = UNSET, meta: bool = False)",
        ),
        ("delete_project_node", "(project_node_id: Id[ProjectNode], *, auth: AuthParam = UNSET)"),
        (
            "update_project_node",
            "(project_node_id: Id[ProjectNode], comment: str | UNSET_T | None = UNSET, "
            "approval_status: ProjectNodeApprovalStatus | UNSET_T | None = UNSET, *, auth: AuthParam = UNSET)",
        ),
    ],
)
def test_a_signature_has_names_types_and_defaults(colour: Colour, method: str, shown: str) -> None:
    assert str(signature(getattr(core(colour), method))) == shown


@in_both_colours
def test_a_finder_tells_its_options(colour: Colour) -> None:
    parameters = signature(core(colour).find_nodes).parameters
    assert list(parameters) == ["filter", "page", "sort", "auth", "fields", "include", "meta"]
    assert str(parameters["sort"]).startswith("sort: SortParams | Sequence[SortParams")


@pytest.mark.parametrize("client", [CoreClient, AsyncCoreClient])
def test_help_of_a_method_has_every_parameter_in_whole(client: type[Any]) -> None:
    for shown in (helped(client.create_node), helped(client)):
        assert "Makes a node: POST /nodes.\n" in shown
        for parameter in (
            "name: str",
            "realm_id: Id[Realm] | None = None",
            "registry_id: Id[Registry] | None = None",
            "external_name: str | None = None",
            "node_type: NodeType = 'default'",
            "hidden: bool = False",
            "auth: AuthParam = UNSET",
        ):
            assert f"    {parameter}\n" in shown


def test_help_of_a_method_has_the_parameters_of_old_hubs_where_these_are_others() -> None:
    shown = helped(core().create_analysis_bucket_file)
    new, old = shown.split("Of a Hub of 0.1.1:")
    assert "path: str" in new
    assert [line.strip() for line in old.split("\n") if line.strip()] == [
        "name: str",
        "bucket_file_id: Id[BucketFile]",
        "analysis_bucket_id: Id[AnalysisBucket]",
        "is_entrypoint: bool = False",
    ]
    assert "0.1.1" not in helped(core().update_analysis_bucket_file)


@pytest.mark.parametrize(
    ("client", "method", "doc"),
    [
        (CoreClient, "create_analysis", "Makes an analysis: POST /analyses."),
        (CoreClient, "get_node", "The node, or None where there is none: GET /nodes/{node_id}."),
        (AuthClient, "create_user", "Makes a user: POST /users."),
        (AuthClient, "update_role", "Changes the role, in what is given: POST /roles/{role_id}."),
        (StorageClient, "delete_bucket_file", "Deletes the bucket file: DELETE /bucket-files/{bucket_file_id}."),
    ],
)
def test_a_doc_begins_with_what_is_done_and_by_which_request(client: type[Any], method: str, doc: str) -> None:
    assert str(getdoc(getattr(client, method))).split("\n")[0] == doc


@in_both_colours
def test_every_method_has_its_name(colour: Colour) -> None:
    for method in methods():
        assert getattr(colour.client(method.client, FakeTransport()), method.name).__name__ == method.name
