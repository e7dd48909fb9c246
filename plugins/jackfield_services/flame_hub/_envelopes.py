"""What the Hub wraps its answers in: one record, or a page of them, with what it tells about them."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from ._model import HubModel

ResourceT = TypeVar("ResourceT", bound=HubModel)


class SingleResourceMeta(HubModel):
    """Of one record: the `response_schema` that it follows ("schema" on the wire)."""

    response_schema: dict[str, Any] | None = field(default=None, name="schema")


class ResourceListMeta(SingleResourceMeta):
    """Of a page: how many records there are in all, how many at most are on a page, and how many were passed over."""

    total: int | None = None
    limit: int | None = None
    offset: int | None = None


class Counts(Struct):
    """Of what a Hub says of a page, all that reading it takes."""

    total: int | None = None
    limit: int | None = None


class ResourceList(HubModel, Generic[ResourceT]):
    """A page of records."""

    data: list[ResourceT]
    meta: ResourceListMeta


class WrappedResource(HubModel, Generic[ResourceT]):
    """One record, as 1.1.0 answers it."""

    data: ResourceT
    meta: SingleResourceMeta
