"""Bodies whose parameters, or names on the wire, 0.1.1 has otherwise than 1.1.0."""

from __future__ import annotations

from msgspec import UNSET, field

from ._analysis_bucket_models import AnalysisBucket
from ._auth_models import Realm
from ._model import UNSET_T, Body, Id
from ._node_models import Registry
from ._project_models import MasterImage, Project
from ._storage_models import BucketFile
from ._words import AnalysisNodeApprovalStatus, AnalysisNodeRunStatus, NodeType


class OldCreateNode(Body, kw_only=False):
    name: str
    realm_id: Id[Realm]
    external_name: str | None = None
    node_type: NodeType = field(default="default", name="type")
    hidden: bool = False
    registry_id: Id[Registry] | None = None


class OldUpdateNode(Body, kw_only=False):
    external_name: str | UNSET_T | None = UNSET
    hidden: bool | UNSET_T = UNSET
    node_type: NodeType | UNSET_T = field(default=UNSET, name="type")
    realm_id: Id[Realm] | UNSET_T = UNSET
    public_key: str | UNSET_T | None = UNSET


class OldCreateProject(Body, kw_only=False):
    name: str
    master_image_id: Id[MasterImage]
    description: str | None = None


class OldUpdateProject(Body, kw_only=False):
    description: str | UNSET_T | None = UNSET
    master_image_id: Id[MasterImage] | UNSET_T = UNSET
    name: str | UNSET_T = UNSET


class OldCreateAnalysis(Body, kw_only=False):
    name: str
    project_id: Id[Project]
    description: str | None = None


class OldUpdateAnalysis(Body, kw_only=False):
    name: str | UNSET_T | None = UNSET


class OldUpdateAnalysisNode(Body, kw_only=False):
    comment: str | UNSET_T | None = UNSET
    approval_status: AnalysisNodeApprovalStatus | UNSET_T | None = UNSET
    run_status: AnalysisNodeRunStatus | UNSET_T | None = UNSET


class OldCreateAnalysisBucketFile(Body, kw_only=False):
    name: str
    bucket_file_id: Id[BucketFile] = field(name="external_id")
    analysis_bucket_id: Id[AnalysisBucket] = field(name="bucket_id")
    is_entrypoint: bool = field(default=False, name="root")
