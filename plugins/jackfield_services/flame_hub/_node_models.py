"""Registries, and the nodes that pull images from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, field

from ._auth_models import Realm
from ._model import UNSET_T, Body, Id, IsIncludable, IsOptionalField, Record
from ._words import NodeType, RegistryProjectType


class Registry(Record):
    """Where images are kept; `account_secret` is told where `fields` asks for it."""

    name: str
    host: str
    account_name: str | None = None
    account_secret: Annotated[str | None, IsOptionalField] = None
    id: UUID
    created_at: datetime
    updated_at: datetime


class CreateRegistry(Body, kw_only=False):
    name: str
    host: str
    account_name: str | None = None
    account_secret: str | None = None


class UpdateRegistry(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    host: str | UNSET_T = UNSET
    account_name: str | UNSET_T | None = UNSET
    account_secret: str | UNSET_T | None = UNSET


class RegistryProject(Record):
    """A part of a registry; `account_secret` is told where `fields` asks for it."""

    name: str
    type: RegistryProjectType
    registry_id: UUID
    external_name: str
    account_name: str | None = None
    account_secret: Annotated[str | None, IsOptionalField] = None
    id: UUID
    public: bool
    external_id: str | None = None
    account_id: str | None = None
    webhook_name: str | None = None
    webhook_exists: bool | None = None
    realm_id: UUID | None = None
    registry: Annotated[Registry | None, IsIncludable] = None
    created_at: datetime
    updated_at: datetime


class CreateRegistryProject(Body, kw_only=False):
    name: str
    registry_project_type: RegistryProjectType = field(name="type")
    registry_id: Id[Registry]
    external_name: str
    account_name: str | None = None
    account_secret: str | None = None


class UpdateRegistryProject(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    registry_project_type: RegistryProjectType | UNSET_T = field(default=UNSET, name="type")
    registry_id: Id[Registry] | UNSET_T = UNSET
    external_name: str | UNSET_T = UNSET
    account_name: str | UNSET_T | None = UNSET
    account_secret: str | UNSET_T | None = UNSET


class Node(Record):
    """A site that takes part; it logs in as its client, or as its robot (0.1.1)."""

    external_name: str | None = None
    hidden: bool | None = None
    name: str
    realm_id: UUID | None = None
    registry_id: UUID | None = None
    type: NodeType | None = None
    id: UUID
    public_key: str | None = None
    online: bool
    registry: Annotated[Registry | None, IsIncludable] = None
    registry_project_id: UUID | None = None
    registry_project: Annotated[RegistryProject | None, IsIncludable] = None
    robot_id: UUID | None = None
    client_id: UUID | None = None
    created_at: datetime
    updated_at: datetime


class CreateNode(Body, kw_only=False):
    name: str
    realm_id: Id[Realm] | None = None
    registry_id: Id[Registry] | None = None
    external_name: str | None = None
    node_type: NodeType = field(default="default", name="type")
    hidden: bool = False


class UpdateNode(Body, kw_only=False):
    external_name: str | UNSET_T | None = UNSET
    hidden: bool | UNSET_T = UNSET
    node_type: NodeType | UNSET_T = field(default=UNSET, name="type")
    realm_id: Id[Realm] | UNSET_T = UNSET
    registry_id: Id[Registry] | UNSET_T | None = UNSET
    public_key: str | UNSET_T | None = UNSET


class NodeRegistryCredentials(Record):
    """How a node logs in to its part of a registry."""

    host: str
    external_name: str
    account_name: str | None = None
    account_secret: str | None = None


class ClientCredentials(Record):
    """How a node or an analysis logs in to the Hub."""

    id: UUID
    secret: str | None = None
    name: str
    display_name: str


class UpdateClientCredentials(Body, kw_only=False):
    secret: str | UNSET_T | None = UNSET
    name: str | UNSET_T = UNSET
    display_name: str | UNSET_T = UNSET
