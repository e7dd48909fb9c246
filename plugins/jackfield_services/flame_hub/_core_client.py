"""The core service: nodes, registries, images, projects, analyses, and their logs and buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from msgspec import UNSET

from jackfield import AsyncClient, Client, Request, Response, operation

from ._analysis_bucket_models import (
    AnalysisBucket,
    AnalysisBucketFile,
    CreateAnalysisBucket,
    CreateAnalysisBucketFile,
    UpdateAnalysisBucketFile,
)
from ._analysis_models import (
    Analysis,
    AnalysisNode,
    CreateAnalysis,
    CreateAnalysisNode,
    CreateAnalysisNodeLog,
    Log,
    UpdateAnalysis,
    UpdateAnalysisNode,
)
from ._model import Id
from ._node_models import (
    ClientCredentials,
    CreateNode,
    CreateRegistry,
    CreateRegistryProject,
    Node,
    NodeRegistryCredentials,
    Registry,
    RegistryProject,
    UpdateClientCredentials,
    UpdateNode,
    UpdateRegistry,
    UpdateRegistryProject,
)
from ._old_bodies import (
    OldCreateAnalysis,
    OldCreateAnalysisBucketFile,
    OldCreateNode,
    OldCreateProject,
    OldUpdateAnalysis,
    OldUpdateAnalysisNode,
    OldUpdateNode,
    OldUpdateProject,
)
from ._project_models import (
    CreateProject,
    CreateProjectNode,
    MasterImage,
    MasterImageGroup,
    Project,
    ProjectNode,
    UpdateProject,
    UpdateProjectNode,
)
from ._query import filter_pairs
from ._reading import read_one
from ._resource import Resource
from ._telling import id_of
from ._waiting import WaitingService
from .types import AnalysisCommand, BaseKwargs, RegistryCommand

NODES = Resource("nodes", Node)
REGISTRIES = Resource("registries", Registry)
REGISTRY_PROJECTS = Resource("registry-projects", RegistryProject)
MASTER_IMAGES = Resource("master-images", MasterImage)
MASTER_IMAGE_GROUPS = Resource("master-image-groups", MasterImageGroup)
PROJECTS = Resource("projects", Project)
PROJECT_NODES = Resource("project-nodes", ProjectNode)
ANALYSES = Resource("analyses", Analysis)
ANALYSIS_NODES = Resource("analysis-nodes", AnalysisNode)
ANALYSIS_BUCKETS = Resource("analysis-buckets", AnalysisBucket)
ANALYSIS_BUCKET_FILES = Resource("analysis-bucket-files", AnalysisBucketFile)
ANALYSIS_LOGS = Resource("analysis-logs", Log)
ANALYSIS_NODE_LOGS = Resource("analysis-node-logs", Log)


class CoreService(WaitingService):
    """The core service of a FLAME Hub."""

    _default_base_url = "https://core.privateaim.dev"
    _collection = NODES.path

    get_nodes = NODES.find()
    find_nodes = NODES.find()
    get_node = NODES.get("node_id")
    create_node = NODES.create(CreateNode, OldCreateNode)
    update_node = NODES.update("node_id", UpdateNode, OldUpdateNode)
    delete_node = NODES.delete("node_id")
    get_node_registry_credentials = NODES.part("registry/credentials", NodeRegistryCredentials).get("node_id")
    get_node_client_credentials = NODES.part("client/credentials", ClientCredentials).get("node_id")
    update_node_client_credentials = NODES.part("client/credentials", ClientCredentials).update(
        "node_id", UpdateClientCredentials
    )

    get_registries = REGISTRIES.find()
    find_registries = REGISTRIES.find()
    get_registry = REGISTRIES.get("registry_id")
    create_registry = REGISTRIES.create(CreateRegistry)
    update_registry = REGISTRIES.update("registry_id", UpdateRegistry)
    delete_registry = REGISTRIES.delete("registry_id")

    get_registry_projects = REGISTRY_PROJECTS.find()
    find_registry_projects = REGISTRY_PROJECTS.find()
    get_registry_project = REGISTRY_PROJECTS.get("registry_project_id")
    create_registry_project = REGISTRY_PROJECTS.create(CreateRegistryProject)
    update_registry_project = REGISTRY_PROJECTS.update("registry_project_id", UpdateRegistryProject)
    delete_registry_project = REGISTRY_PROJECTS.delete("registry_project_id")

    get_master_images = MASTER_IMAGES.find()
    find_master_images = MASTER_IMAGES.find()
    get_master_image = MASTER_IMAGES.get("master_image_id")
    get_master_image_groups = MASTER_IMAGE_GROUPS.find()
    find_master_image_groups = MASTER_IMAGE_GROUPS.find()
    get_master_image_group = MASTER_IMAGE_GROUPS.get("master_image_group_id")

    get_projects = PROJECTS.find()
    find_projects = PROJECTS.find()
    get_project = PROJECTS.get("project_id")
    create_project = PROJECTS.create(CreateProject, OldCreateProject)
    update_project = PROJECTS.update("project_id", UpdateProject, OldUpdateProject)
    delete_project = PROJECTS.delete("project_id")

    get_project_nodes = PROJECT_NODES.find()
    find_project_nodes = PROJECT_NODES.find()
    get_project_node = PROJECT_NODES.get("project_node_id")
    create_project_node = PROJECT_NODES.create(CreateProjectNode)
    update_project_node = PROJECT_NODES.update("project_node_id", UpdateProjectNode)
    delete_project_node = PROJECT_NODES.delete("project_node_id")

    get_analyses = ANALYSES.find()
    find_analyses = ANALYSES.find()
    get_analysis = ANALYSES.get("analysis_id")
    create_analysis = ANALYSES.create(CreateAnalysis, OldCreateAnalysis)
    update_analysis = ANALYSES.update("analysis_id", UpdateAnalysis, OldUpdateAnalysis)
    delete_analysis = ANALYSES.delete("analysis_id")
    get_analysis_client_credentials = ANALYSES.part("client/credentials", ClientCredentials).get("analysis_id")
    update_analysis_client_credentials = ANALYSES.part("client/credentials", ClientCredentials).update(
        "analysis_id", UpdateClientCredentials
    )

    get_analysis_nodes = ANALYSIS_NODES.find()
    find_analysis_nodes = ANALYSIS_NODES.find()
    get_analysis_node = ANALYSIS_NODES.get("analysis_node_id")
    create_analysis_node = ANALYSIS_NODES.create(CreateAnalysisNode)
    update_analysis_node = ANALYSIS_NODES.update("analysis_node_id", UpdateAnalysisNode, OldUpdateAnalysisNode)
    delete_analysis_node = ANALYSIS_NODES.delete("analysis_node_id")

    get_analysis_buckets = ANALYSIS_BUCKETS.find()
    find_analysis_buckets = ANALYSIS_BUCKETS.find()
    get_analysis_bucket = ANALYSIS_BUCKETS.get("analysis_bucket_id")
    create_analysis_bucket = ANALYSIS_BUCKETS.create(CreateAnalysisBucket)
    delete_analysis_bucket = ANALYSIS_BUCKETS.delete("analysis_bucket_id")

    get_analysis_bucket_files = ANALYSIS_BUCKET_FILES.find()
    find_analysis_bucket_files = ANALYSIS_BUCKET_FILES.find()
    get_analysis_bucket_file = ANALYSIS_BUCKET_FILES.get("analysis_bucket_file_id")
    create_analysis_bucket_file = ANALYSIS_BUCKET_FILES.create(CreateAnalysisBucketFile, OldCreateAnalysisBucketFile)
    update_analysis_bucket_file = ANALYSIS_BUCKET_FILES.update("analysis_bucket_file_id", UpdateAnalysisBucketFile)
    delete_analysis_bucket_file = ANALYSIS_BUCKET_FILES.delete("analysis_bucket_file_id")

    find_analysis_logs = ANALYSIS_LOGS.find()
    find_analysis_node_logs = ANALYSIS_NODE_LOGS.find()
    create_analysis_node_log = ANALYSIS_NODE_LOGS.create(CreateAnalysisNodeLog)

    @operation
    async def delete_analysis_logs(self, analysis_id: Id[Analysis], **options: Unpack[BaseKwargs]) -> None:
        """Deletes what an analysis has logged: DELETE /analysis-logs."""
        await self._clear(ANALYSIS_LOGS, {"analysis_id": id_of(analysis_id, Analysis, "analysis_id")}, options)

    @operation
    async def delete_analysis_node_logs(
        self, analysis_id: Id[Analysis], node_id: Id[Node], **options: Unpack[BaseKwargs]
    ) -> None:
        """Deletes what an analysis has logged on a node: DELETE /analysis-node-logs."""
        of = {"analysis_id": id_of(analysis_id, Analysis, "analysis_id"), "node_id": id_of(node_id, Node, "node_id")}
        await self._clear(ANALYSIS_NODE_LOGS, of, options)

    @operation
    async def sync_master_images(self, **options: Unpack[BaseKwargs]) -> None:
        """Has the Hub look for master images: POST /master-images/command."""
        await self._command({"command": "sync"}, options, "master-images")

    @operation
    async def build_master_image(self, master_image_id: Id[MasterImage], **options: Unpack[BaseKwargs]) -> None:
        """Has the Hub build a master image: POST /master-images/command."""
        id = id_of(master_image_id, MasterImage, "master_image_id")
        await self._command({"command": "build", "id": id}, options, "master-images")

    @operation
    async def send_registry_command(
        self, registry_id: Id[Registry], command: RegistryCommand, **options: Unpack[BaseKwargs]
    ) -> None:
        """Has the Hub set up a registry, or clean it up: POST /services/registry/command."""
        id = id_of(registry_id, Registry, "registry_id")
        await self._command({"command": command, "id": id}, options, "services", "registry")

    @operation
    async def send_analysis_command(
        self, analysis_id: Id[Analysis], command: AnalysisCommand, **options: Unpack[BaseKwargs]
    ) -> Analysis:
        """Has the Hub do something with an analysis: POST /analyses/{analysis_id}/command."""
        path = ("analyses", id_of(analysis_id, Analysis, "analysis_id"))
        return read_one(await self._command({"command": command}, options, *path), Analysis, self.speech)

    async def _command(self, command: Mapping[str, str], options: BaseKwargs, *path: str) -> Response:
        """Sends a command, from inside an operation."""
        hub = self.asked_by(options.get("auth", UNSET))
        return await hub.send(Request.json("POST", self.url(*path, "command"), command))

    async def _clear(self, logs: Resource[Log], of: Mapping[str, str], options: BaseKwargs) -> None:
        """Deletes logs, from inside an operation."""
        hub = self.asked_by(options.get("auth", UNSET))
        query = filter_pairs(of, await hub.told_generation())
        await hub.send(Request("DELETE", self.url(logs.path), query=query))


class CoreClient(CoreService, Client):
    """The core service of a FLAME Hub: plain calls."""


class AsyncCoreClient(CoreService, AsyncClient):
    """The core service of a FLAME Hub: awaited calls."""
