"""The types of what the Hub's methods take and return; words are those of both generations."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence
from enum import StrEnum
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict
from uuid import UUID

from ._envelopes import ResourceListMeta, ResourceT, SingleResourceMeta
from ._model import UNSET_T
from ._words import (
    AnalysisBucketType,
    AnalysisBuildStatus,
    AnalysisCommand,
    AnalysisNodeApprovalStatus,
    AnalysisNodeRunStatus,
    AnalysisRunStatus,
    ClientAuthMethod,
    ClientTokenBindingMethod,
    LogChannel,
    LogLevel,
    MasterImageCommandArgument,
    NodeType,
    ProcessStatus,
    ProjectNodeApprovalStatus,
    RegistryCommand,
    RegistryProjectType,
)

if TYPE_CHECKING:
    from .auth import ClientAuth, PasswordAuth, RobotAuth, StaticAuth

AuthParam: TypeAlias = "PasswordAuth | RobotAuth | ClientAuth | StaticAuth | str | None"
"""Who asks; a string is an access token, None asks without one."""

FilterParams: TypeAlias = dict[str, Any]
"""By the field's name: a value, or a tuple of an operator and a value."""

FieldParams: TypeAlias = str | Iterable[str]
IncludeParams: TypeAlias = str | Iterable[str]

SingleResourceResult: TypeAlias = ResourceT | tuple[ResourceT, SingleResourceMeta] | None
ResourceListResult: TypeAlias = list[ResourceT] | tuple[list[ResourceT], ResourceListMeta]


class FilterOperator(StrEnum):
    """How a field compares with the value of a filter."""

    eq = "="
    neq = "!"
    like = "~"
    lt = "<"
    le = "<="
    gt = ">"
    ge = ">="


class PageParams(TypedDict, total=False):
    """How many records at most, and how many before them to pass over."""

    limit: int
    offset: int


class SortParams(TypedDict, total=False):
    """By which field, and in which direction ("ascending" where none is given)."""

    by: str
    order: Literal["ascending", "descending"]


class BaseKwargs(TypedDict, total=False):
    """What every method takes besides its parameters: `auth` for this call alone."""

    auth: AuthParam


class GetOptions(BaseKwargs, total=False):
    """What a method that gets records takes: fields and other records to tell of, too."""

    fields: FieldParams | None
    include: IncludeParams | None


class GetKwargs(GetOptions, total=False):
    """The same, and `meta` to return what is told about them, too."""

    meta: bool


class FindOptions(GetOptions, total=False):
    """What a method that finds records takes: which, how many, in which order."""

    filter: FilterParams | None
    page: PageParams | None
    sort: SortParams | Sequence[SortParams] | str | None


class FindAllKwargs(FindOptions, GetKwargs, total=False):
    """The same, and `meta` to return what is told about them, too."""


class ReadableBinary(Protocol):
    """What an upload can read from."""

    def read(self, size: int = -1, /) -> bytes: ...


class UploadFile(TypedDict):
    """A file for a bucket; its name may hold folders."""

    file_name: str
    content: bytes | bytearray | memoryview | str | PathLike[str] | IO[bytes] | ReadableBinary | AsyncIterable[bytes]
    content_type: NotRequired[str]


class UuidModel(Protocol):
    """A record that has an id."""

    @property
    def id(self) -> UUID: ...


UuidIdentifiable: TypeAlias = Any | UUID | str
"""A `UuidModel`, or its id. Methods take records of their own kind alone; of this type they take anything."""

__all__ = [
    "AnalysisBucketType",
    "AnalysisBuildStatus",
    "AnalysisCommand",
    "AnalysisNodeApprovalStatus",
    "AnalysisNodeRunStatus",
    "AnalysisRunStatus",
    "AuthParam",
    "BaseKwargs",
    "ClientAuthMethod",
    "ClientTokenBindingMethod",
    "FieldParams",
    "FilterOperator",
    "FilterParams",
    "FindAllKwargs",
    "GetKwargs",
    "IncludeParams",
    "LogChannel",
    "LogLevel",
    "MasterImageCommandArgument",
    "NodeType",
    "PageParams",
    "ProcessStatus",
    "ProjectNodeApprovalStatus",
    "ReadableBinary",
    "RegistryCommand",
    "RegistryProjectType",
    "ResourceListResult",
    "ResourceT",
    "SingleResourceResult",
    "SortParams",
    "UNSET_T",
    "UploadFile",
    "UuidIdentifiable",
]
