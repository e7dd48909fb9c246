"""Master images, and the projects whose analyses are built on them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from msgspec import UNSET

from jackfield import UsageError

from ._model import UNSET_T, Body, Id, IsIncludable, Record
from ._node_models import Node
from ._words import MasterImageCommandArgument, ProcessStatus, ProjectNodeApprovalStatus


def with_positions(arguments: list[MasterImageCommandArgument]) -> list[MasterImageCommandArgument]:
    """Copies, each with a position: the Hub leaves out one that is None."""
    return [{**argument, "position": argument.get("position")} for argument in arguments]


def given_arguments(given: object) -> list[MasterImageCommandArgument]:
    """The same, of what a caller gives; raises UsageError if that is no list of them."""
    found = list(cast("Iterable[object]", given)) if isinstance(given, list | tuple) else [None]
    if not all(isinstance(one, dict) and {"value"} <= one.keys() <= {"value", "position"} for one in found):
        raise UsageError(
            "image_command_arguments is a list of dictionaries, each with a 'value', and perhaps a 'position' (before "
            f"or after), not {given!r:.100}"
        )
    return with_positions(cast("list[MasterImageCommandArgument]", found))


class MasterImageGroup(Record):
    """Images under a path."""

    id: UUID
    name: str
    path: str
    virtual_path: str
    created_at: datetime
    updated_at: datetime


class MasterImage(Record):
    """What an analysis is built on."""

    id: UUID
    path: str | None = None
    virtual_path: str
    group_virtual_path: str
    build_status: ProcessStatus | None = None
    build_progress: int | None = None
    name: str
    command: str | None = None
    command_arguments: list[MasterImageCommandArgument] | None = None
    created_at: datetime
    updated_at: datetime

    def __post_init__(self) -> None:
        if self.command_arguments is not None:
            self.command_arguments = with_positions(self.command_arguments)


class Project(Record):
    """What nodes and analyses are joined for."""

    description: str | None = None
    master_image_id: UUID | None = None
    name: str
    display_name: str | None = None
    id: UUID
    analyses: int
    nodes: int
    master_image: Annotated[MasterImage | None, IsIncludable] = None
    created_at: datetime
    updated_at: datetime
    realm_id: UUID
    user_id: UUID | None = None
    robot_id: UUID | None = None


class CreateProject(Body, kw_only=False):
    name: str
    display_name: str | None = None
    master_image_id: Id[MasterImage] | None = None
    description: str | None = None


class UpdateProject(Body, kw_only=False):
    description: str | UNSET_T | None = UNSET
    master_image_id: Id[MasterImage] | UNSET_T | None = UNSET
    name: str | UNSET_T = UNSET
    display_name: str | UNSET_T | None = UNSET


class ProjectNode(Record):
    """A node's part in a project."""

    node_id: UUID
    project_id: UUID
    id: UUID
    approval_status: ProjectNodeApprovalStatus | None = None
    comment: str | None = None
    created_at: datetime
    updated_at: datetime
    node: Annotated[Node | None, IsIncludable] = None
    project: Annotated[Project | None, IsIncludable] = None
    project_realm_id: UUID
    node_realm_id: UUID


class CreateProjectNode(Body, kw_only=False):
    project_id: Id[Project]
    node_id: Id[Node]


class UpdateProjectNode(Body, kw_only=False):
    comment: str | UNSET_T | None = UNSET
    approval_status: ProjectNodeApprovalStatus | UNSET_T | None = UNSET
