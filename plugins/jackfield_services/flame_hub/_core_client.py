"""The core service: nodes, registries, images, projects, analyses, and their logs and buckets."""

from __future__ import annotations

from jackfield import AsyncClient, Client

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
    UpdateAnalysis,
    UpdateAnalysisNode,
)
from ._commands import ANALYSIS_LOGS, ANALYSIS_NODE_LOGS, CommandService
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
from ._resource import Resource

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


class CoreService(CommandService):
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


class CoreClient(CoreService, Client):
    """The core service of a FLAME Hub: plain calls."""


class AsyncCoreClient(CoreService, AsyncClient):
    """The core service of a FLAME Hub: awaited calls."""
