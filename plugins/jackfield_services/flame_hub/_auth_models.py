"""Realms, users, clients, robots (0.1.1) and the tokens that they get."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET

from ._model import UNSET_T, Body, Id, IsIncludable, IsOptionalField, Record
from ._words import ClientAuthMethod, ClientTokenBindingMethod


class Realm(Record):
    """What users, nodes and all else belong to."""

    name: str
    display_name: str | None = None
    description: str | None = None
    id: UUID
    built_in: bool
    created_at: datetime
    updated_at: datetime


class CreateRealm(Body, kw_only=False):
    name: str
    display_name: str | None = None
    description: str | None = None


class UpdateRealm(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    display_name: str | UNSET_T | None = UNSET
    description: str | UNSET_T | None = UNSET


class User(Record):
    """A person; `email` is told where `fields` asks for it."""

    name: str
    display_name: str | None = None
    email: Annotated[str | None, IsOptionalField] = None
    active: bool
    name_locked: bool
    first_name: str | None = None
    last_name: str | None = None
    id: UUID
    avatar: str | None = None
    cover: str | None = None
    realm_id: UUID
    realm: Annotated[Realm | None, IsIncludable] = None
    created_at: datetime
    updated_at: datetime


class CreateUser(Body, kw_only=False):
    name: str
    email: str
    display_name: str | None = None
    active: bool = True
    name_locked: bool = False
    first_name: str | None = None
    last_name: str | None = None


class UpdateUser(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    display_name: str | UNSET_T = UNSET
    email: str | UNSET_T | None = UNSET
    active: bool | UNSET_T = UNSET
    name_locked: bool | UNSET_T = UNSET
    first_name: str | UNSET_T | None = UNSET
    last_name: str | UNSET_T | None = UNSET
    password: str | UNSET_T | None = UNSET


class Client(Record):
    """A program that logs in by an id and a secret."""

    id: UUID
    name: str
    built_in: bool
    display_name: str | None = None
    description: str | None = None
    redirect_uri: str | None = None
    active: bool
    secret_hashed: bool
    grant_types: str | None = None
    secret_encrypted: bool
    backchannel_logout_uri: str | None = None
    post_logout_redirect_uri: str | None = None
    base_url: str | None = None
    auth_method: ClientAuthMethod
    token_binding_method: ClientTokenBindingMethod
    created_at: datetime
    updated_at: datetime
    realm_id: UUID
    realm: Annotated[Realm | None, IsIncludable] = None


class CreateClient(Body, kw_only=False):
    name: str
    realm_id: Id[Realm]
    secret: str | None = None
    display_name: str | None = None
    description: str | None = None
    redirect_uri: str | None = None
    active: bool = True
    is_confidential: bool = True
    secret_hashed: bool = False
    grant_types: str | None = None
    auth_method: ClientAuthMethod = "secret"
    token_binding_method: ClientTokenBindingMethod = "none"  # noqa: S105 - a word of the Hub, no password
    post_logout_redirect_uri: str | None = None
    backchannel_logout_uri: str | None = None


class UpdateClient(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    secret: str | UNSET_T | None = UNSET
    display_name: str | UNSET_T | None = UNSET
    description: str | UNSET_T | None = UNSET
    redirect_uri: str | UNSET_T | None = UNSET
    active: bool | UNSET_T = UNSET
    is_confidential: bool | UNSET_T = UNSET
    secret_hashed: bool | UNSET_T = UNSET
    grant_types: str | UNSET_T | None = UNSET
    auth_method: ClientAuthMethod | UNSET_T = UNSET
    token_binding_method: ClientTokenBindingMethod | UNSET_T = UNSET
    post_logout_redirect_uri: str | UNSET_T | None = UNSET
    backchannel_logout_uri: str | UNSET_T | None = UNSET


class Robot(Record):
    """What a client is to 1.1.0."""

    id: UUID
    name: str
    display_name: str | None = None
    description: str | None = None
    active: bool
    created_at: datetime
    updated_at: datetime
    user_id: UUID | None = None
    realm_id: UUID


class CreateRobot(Body, kw_only=False):
    name: str
    realm_id: Id[Realm]
    secret: str
    display_name: str | None = None


class UpdateRobot(Body, kw_only=False):
    name: str | UNSET_T = UNSET
    display_name: str | UNSET_T | None = UNSET
    realm_id: Id[Realm] | UNSET_T = UNSET
    secret: str | UNSET_T = UNSET


class AccessToken(Record):
    """What a login gives; it expires in so many seconds."""

    access_token: str
    expires_in: int
    token_type: str
    scope: str


class RefreshToken(AccessToken):
    """What a login gives that can be made good again without the password."""

    refresh_token: str
