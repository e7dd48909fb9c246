"""The waits of the core service. Each is a job that somebody else began, and may be given a `timeout` in seconds."""

from __future__ import annotations

from msgspec import UNSET

from jackfield import JobState, Pending

from ._analysis_models import Analysis, AnalysisNode
from ._model import UNSET_T, Id
from ._project_models import MasterImage, Project, ProjectNode
from ._service import HubService
from ._telling import id_of
from ._waiting import Approval, Process, until
from .types import AuthParam

_USUAL = 1800.0  # seconds; 0 looks once

BUILD = Process("analyses", Analysis, "build", old="build")
DISTRIBUTION = Process("analyses", Analysis, "distribution", old=None)
EXECUTION = Process("analyses", Analysis, "execution", old="run")
IMAGE_BUILD = Process("master-images", MasterImage, "build", old=None)
OF_PROJECT = Approval[ProjectNode](
    "projects", lambda core, id: core.find_project_nodes.all(filter={"project_id": id}, include=())
)
OF_ANALYSIS = Approval[AnalysisNode](
    "analyses", lambda core, id: core.find_analysis_nodes.all(filter={"analysis_id": id}, include=())
)


class WaitingService(HubService):
    """The waits of the core service. As jobs, they have `start`, whose handle tells of state and progress."""

    @until(BUILD)
    async def wait_until_analysis_built(
        self, analysis_id: Id[Analysis], *, timeout: float = _USUAL, auth: AuthParam | UNSET_T = UNSET
    ) -> JobState[Analysis]:
        """Waits until an analysis is built, and gives the `Analysis`."""
        return Pending(id_of(analysis_id, Analysis, "analysis_id"))

    @until(DISTRIBUTION)
    async def wait_until_analysis_distributed(
        self, analysis_id: Id[Analysis], *, timeout: float = _USUAL, auth: AuthParam | UNSET_T = UNSET
    ) -> JobState[Analysis]:
        """Waits until an analysis is on its nodes, which Hubs of 0.1.1 do not tell, and gives the `Analysis`."""
        return Pending(id_of(analysis_id, Analysis, "analysis_id"))

    @until(EXECUTION)
    async def wait_until_analysis_executed(
        self, analysis_id: Id[Analysis], *, timeout: float = _USUAL, auth: AuthParam | UNSET_T = UNSET
    ) -> JobState[Analysis]:
        """Waits until an analysis has run, and gives the `Analysis`."""
        return Pending(id_of(analysis_id, Analysis, "analysis_id"))

    @until(OF_ANALYSIS)
    async def wait_until_analysis_approved(
        self, analysis_id: Id[Analysis], *, timeout: float = _USUAL, auth: AuthParam | UNSET_T = UNSET
    ) -> JobState[list[AnalysisNode]]:
        """Waits until all of its nodes have approved an analysis, and gives their `AnalysisNode`s."""
        return Pending(id_of(analysis_id, Analysis, "analysis_id"))

    @until(OF_PROJECT)
    async def wait_until_project_approved(
        self, project_id: Id[Project], *, timeout: float = _USUAL, auth: AuthParam | UNSET_T = UNSET
    ) -> JobState[list[ProjectNode]]:
        """Waits until all of its nodes have approved a project, and gives their `ProjectNode`s."""
        return Pending(id_of(project_id, Project, "project_id"))

    @until(IMAGE_BUILD)
    async def wait_until_master_image_built(
        self, master_image_id: Id[MasterImage], *, timeout: float = _USUAL, auth: AuthParam | UNSET_T = UNSET
    ) -> JobState[MasterImage]:
        """Waits until a master image is built, which Hubs of 0.1.1 do not tell, and gives the `MasterImage`."""
        return Pending(id_of(master_image_id, MasterImage, "master_image_id"))
