"""Buckets and the files in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from ._model import Body, IsIncludable, Record


class Bucket(Record):
    """A place for files."""

    name: str
    region: str | None = None
    id: UUID
    created_at: datetime
    updated_at: datetime
    actor_id: UUID | None = None
    actor_type: str | None = None
    realm_id: UUID | None = None


class BucketFile(Record):
    """A file in a bucket; what its `hash` is made of, the Hub does not say."""

    id: UUID
    name: str
    path: str
    hash: str
    directory: str
    size: int | None = None
    created_at: datetime
    updated_at: datetime
    actor_type: str
    actor_id: UUID
    realm_id: UUID
    bucket_id: UUID
    bucket: Annotated[Bucket | None, IsIncludable] = None


class CreateBucket(Body, kw_only=False):
    name: str
    region: str | None = None
