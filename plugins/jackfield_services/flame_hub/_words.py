"""The words that the Hub has for kinds and states: those of both generations."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias, TypedDict

NodeType: TypeAlias = Literal["aggregator", "default"]
RegistryCommand: TypeAlias = Literal["setup", "cleanup"]
RegistryProjectType: TypeAlias = Literal["default", "aggregator", "incoming", "outgoing", "masterImages", "node"]
ProjectNodeApprovalStatus: TypeAlias = Literal["rejected", "approved"]
AnalysisNodeApprovalStatus: TypeAlias = Literal["rejected", "approved"]
ClientAuthMethod: TypeAlias = Literal["none", "secret", "tls"]
ClientTokenBindingMethod: TypeAlias = Literal["none", "tls"]
LogLevel: TypeAlias = Literal["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"]
LogChannel: TypeAlias = Literal["http", "websocket", "background", "system"]
ProcessStatus: TypeAlias = Literal["starting", "started", "stopping", "stopped", "executing", "executed", "failed"]

# Of 0.1.1 alone, and of 1.1.0 alone.
AnalysisBuildStatus: TypeAlias = Literal["starting", "started", "stopping", "stopped", "finished", "failed"]
AnalysisRunStatus: TypeAlias = Literal["starting", "started", "running", "stopping", "stopped", "finished", "failed"]
AnalysisNodeRunStatus: TypeAlias = AnalysisRunStatus
AnalysisCommand: TypeAlias = Literal[
    "spinUp",
    "tearDown",
    "buildStart",
    "buildStop",
    "buildCheck",
    "configurationLock",
    "configurationUnlock",
    "distributionStart",
    "distributionCheck",
    "storageCheck",
]


class AnalysisBucketType(StrEnum):
    """What a bucket of an analysis is for."""

    CODE = "CODE"
    RESULT = "RESULT"
    TEMP = "TEMP"

    @classmethod
    def _missing_(cls, value: object) -> AnalysisBucketType | None:
        """A word that the Hub did not have before, as a member that no attribute names."""
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = value, value
        return member


class MasterImageCommandArgument(TypedDict):
    """An argument of an image's command, and whether it stands before or after those of the image."""

    value: str
    position: Literal["before", "after"] | None
