"""Permissions and roles, and who has them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET

from ._auth_models import Realm, User
from ._model import UNSET_T, Body, Id, IsIncludable, Record


class Permission(Record):
    """A right to do something, of a realm or of all."""

    name: str
    display_name: str | None = None
    description: str | None = None
    realm_id: UUID | None = None
    policy_id: UUID | None = None
    id: UUID
    built_in: bool
    client_id: UUID | None = None
    created_at: datetime
    updated_at: datetime
    realm: Annotated[Realm | None, IsIncludable] = None


class CreatePermission(Body, kw_only=False):
    name: str
    display_name: str | None = None
    description: str | None = None
    realm_id: Id[Realm] | None = None
    policy_id: UUID | str | None = None


class UpdatePermission(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    display_name: str | UNSET_T | None = UNSET
    description: str | UNSET_T | None = UNSET
    realm_id: Id[Realm] | UNSET_T | None = UNSET
    policy_id: UUID | str | UNSET_T | None = UNSET


class Role(Record):
    """Permissions under a name."""

    name: str
    display_name: str | None = None
    description: str | None = None
    id: UUID
    target: str | None = None
    realm_id: UUID | None = None
    created_at: datetime
    updated_at: datetime
    realm: Annotated[Realm | None, IsIncludable] = None


class CreateRole(Body, kw_only=False):
    name: str
    display_name: str | None = None
    description: str | None = None


class UpdateRole(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    display_name: str | UNSET_T | None = UNSET
    description: str | UNSET_T | None = UNSET


class RolePermission(Record):
    """A permission that a role has."""

    role_id: UUID
    permission_id: UUID
    id: UUID
    role_realm_id: UUID | None = None
    permission_realm_id: UUID | None = None
    policy_id: UUID | None = None
    created_at: datetime
    updated_at: datetime
    role: Annotated[Role | None, IsIncludable] = None
    role_realm: Annotated[Realm | None, IsIncludable] = None
    permission: Annotated[Permission | None, IsIncludable] = None
    permission_realm: Annotated[Realm | None, IsIncludable] = None


class CreateRolePermission(Body, kw_only=False):
    role_id: Id[Role]
    permission_id: Id[Permission]


class UserPermission(Record):
    """A permission that a user has."""

    user_id: UUID
    permission_id: UUID
    id: UUID
    user_realm_id: UUID | None = None
    permission_realm_id: UUID | None = None
    policy_id: UUID | None = None
    created_at: datetime
    updated_at: datetime
    permission: Annotated[Permission | None, IsIncludable] = None
    user: Annotated[User | None, IsIncludable] = None
    permission_realm: Annotated[Realm | None, IsIncludable] = None
    user_realm: Annotated[Realm | None, IsIncludable] = None


class CreateUserPermission(Body, kw_only=False):
    user_id: Id[User]
    permission_id: Id[Permission]


class UserRole(Record):
    """A role that a user has."""

    user_id: UUID
    role_id: UUID
    id: UUID
    user_realm_id: UUID | None = None
    role_realm_id: UUID | None = None
    created_at: datetime
    updated_at: datetime
    user: Annotated[User | None, IsIncludable] = None
    role: Annotated[Role | None, IsIncludable] = None
    user_realm: Annotated[Realm | None, IsIncludable] = None
    role_realm: Annotated[Realm | None, IsIncludable] = None


class CreateUserRole(Body, kw_only=False):
    user_id: Id[User]
    role_id: Id[Role]
