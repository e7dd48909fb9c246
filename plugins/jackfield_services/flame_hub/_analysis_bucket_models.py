"""The buckets of an analysis, and which files in them are its code."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, field

from ._analysis_models import Analysis
from ._model import UNSET_T, Body, Id, IsIncludable, Record
from ._storage_models import Bucket, BucketFile
from ._words import AnalysisBucketType


class AnalysisBucket(Record):
    """A bucket's part in an analysis; the bucket is `bucket_id`, or `external_id` (0.1.1)."""

    type: AnalysisBucketType
    bucket_id: UUID | None = None
    external_id: UUID | None = None
    analysis_id: UUID
    id: UUID
    created_at: datetime
    updated_at: datetime
    analysis: Annotated[Analysis | None, IsIncludable] = None
    realm_id: UUID


class CreateAnalysisBucket(Body, kw_only=False):
    bucket_type: AnalysisBucketType = field(name="type")
    bucket_id: Id[Bucket]
    analysis_id: Id[Analysis]


class AnalysisBucketFile(Record):
    """A file's part in an analysis; `root` is the one that the analysis starts from.

    0.1.1 has other names: `name` for `path`, `external_id` for `bucket_file_id`, `bucket_id` for `analysis_bucket_id`.
    """

    path: str | None = None
    name: str | None = None
    bucket_file_id: UUID | None = None
    external_id: UUID | None = None
    bucket_id: UUID
    analysis_bucket_id: UUID | None = None
    root: bool
    id: UUID
    created_at: datetime
    updated_at: datetime
    analysis_bucket: Annotated[AnalysisBucket | None, IsIncludable] = None
    realm_id: UUID
    user_id: UUID | None = None
    robot_id: UUID | None = None
    client_id: UUID | None = None
    analysis_id: UUID
    analysis: Annotated[Analysis | None, IsIncludable] = None


class CreateAnalysisBucketFile(Body, kw_only=False):
    path: str
    bucket_file_id: Id[BucketFile]
    bucket_id: Id[Bucket]
    analysis_bucket_id: Id[AnalysisBucket]
    is_entrypoint: bool = field(default=False, name="root")


class UpdateAnalysisBucketFile(Body, kw_only=False):
    is_entrypoint: bool | UNSET_T = field(default=UNSET, name="root")
