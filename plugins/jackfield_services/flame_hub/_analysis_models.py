"""Analyses, the nodes that run them, and what they log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, field

from ._model import UNSET_T, Body, Id, IsIncludable, Record
from ._node_models import Node, Registry
from ._project_models import MasterImage, Project, given_arguments, with_positions
from ._words import (
    AnalysisBuildStatus,
    AnalysisNodeApprovalStatus,
    AnalysisNodeRunStatus,
    AnalysisRunStatus,
    LogChannel,
    LogLevel,
    MasterImageCommandArgument,
    ProcessStatus,
)


class Analysis(Record):
    """What is built on a master image, and run by a project's nodes."""

    description: str | None = None
    name: str | None = None
    display_name: str | None = None
    project_id: UUID
    master_image_id: UUID | None = None
    registry_id: UUID | None = None
    image_command_arguments: list[MasterImageCommandArgument] = field(default_factory=list[MasterImageCommandArgument])
    id: UUID
    nodes: int | None = None
    nodes_approved: int | None = None
    configuration_locked: bool
    configuration_entrypoint_valid: bool | None = None
    configuration_image_valid: bool | None = None
    configuration_node_aggregator_valid: bool | None = None
    configuration_node_default_valid: bool | None = None
    configuration_nodes_valid: bool | None = None
    build_status: ProcessStatus | AnalysisBuildStatus | None = None
    distribution_nodes_valid: bool | None = None
    build_nodes_valid: bool | None = None
    """What `distribution_nodes_valid` is called by some releases of the Hub; both tell it."""
    build_progress: int | None = None
    build_hash: str | None = None
    build_os: str | None = None
    build_size: int | None = None
    distribution_status: ProcessStatus | None = None
    distribution_progress: int | None = None
    run_status: AnalysisRunStatus | None = None
    execution_status: ProcessStatus | None = None
    execution_progress: int | None = None
    created_at: datetime
    updated_at: datetime
    registry: Annotated[Registry | None, IsIncludable] = None
    realm_id: UUID
    user_id: UUID
    client_id: UUID | None = None
    project: Annotated[Project | None, IsIncludable] = None
    master_image: Annotated[MasterImage | None, IsIncludable] = None

    def __post_init__(self) -> None:
        self.image_command_arguments = with_positions(self.image_command_arguments or [])
        if self.distribution_nodes_valid is None:
            self.distribution_nodes_valid = self.build_nodes_valid
        self.build_nodes_valid = self.distribution_nodes_valid


class CreateAnalysis(Body, kw_only=False):
    project_id: Id[Project]
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    master_image_id: Id[MasterImage] | None = None
    registry_id: Id[Registry] | None = None
    image_command_arguments: list[MasterImageCommandArgument] | None = None

    def __post_init__(self) -> None:
        self.image_command_arguments = given_arguments(self.image_command_arguments or [])


class UpdateAnalysis(Body, kw_only=False):
    name: str | UNSET_T | None = UNSET
    display_name: str | UNSET_T | None = UNSET
    description: str | UNSET_T | None = UNSET
    master_image_id: Id[MasterImage] | UNSET_T | None = UNSET
    image_command_arguments: list[MasterImageCommandArgument] | UNSET_T = UNSET

    def __post_init__(self) -> None:
        if self.image_command_arguments is not UNSET:
            self.image_command_arguments = given_arguments(self.image_command_arguments)


class AnalysisNode(Record):
    """A node's part in an analysis."""

    analysis_id: UUID
    node_id: UUID
    id: UUID
    approval_status: AnalysisNodeApprovalStatus | None = None
    run_status: AnalysisNodeRunStatus | None = None
    execution_status: ProcessStatus | None = None
    execution_progress: int | None = None
    comment: str | None = None
    index: int | None = None
    artifact_tag: str | None = None
    artifact_digest: str | None = None
    created_at: datetime
    updated_at: datetime
    analysis: Annotated[Analysis | None, IsIncludable] = None
    node: Annotated[Node | None, IsIncludable] = None
    analysis_realm_id: UUID
    node_realm_id: UUID


class CreateAnalysisNode(Body, kw_only=False):
    analysis_id: Id[Analysis]
    node_id: Id[Node]


class UpdateAnalysisNode(Body, kw_only=False):
    comment: str | UNSET_T | None = UNSET
    approval_status: AnalysisNodeApprovalStatus | UNSET_T | None = UNSET
    execution_status: ProcessStatus | UNSET_T | None = UNSET
    execution_progress: int | UNSET_T | None = UNSET


class Log(Record):
    """A line that an analysis, or a node of it, logged; `time` is as the Hub writes it."""

    time: str
    message: str
    service: str
    channel: LogChannel
    level: LogLevel
    labels: dict[str, str | None]


class CreateAnalysisNodeLog(Body, kw_only=False):
    analysis_id: Id[Analysis]
    node_id: Id[Node]
    level: LogLevel
    message: str
    status: str | None = None
    code: str | None = None
