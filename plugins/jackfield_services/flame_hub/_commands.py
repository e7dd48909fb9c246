"""What the core service is told to do, and the logs that it deletes: the operations that are no resource's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from msgspec import UNSET

from jackfield import Request, Response, UsageError, operation

from ._analysis_models import Analysis, Log
from ._model import UNSET_T, Id
from ._node_models import Node, Registry
from ._project_models import MasterImage
from ._query import filter_pairs
from ._reading import read_nothing, read_one
from ._resource import Resource
from ._telling import id_of
from ._waits import WaitingService
from .types import AnalysisCommand, AuthParam, RegistryCommand

ANALYSIS_LOGS = Resource("analysis-logs", Log)
ANALYSIS_NODE_LOGS = Resource("analysis-node-logs", Log)


class CommandService(WaitingService):
    """The commands of the core service."""

    @operation
    async def delete_analysis_logs(self, analysis_id: Id[Analysis], *, auth: AuthParam | UNSET_T = UNSET) -> None:
        """Deletes what an analysis has logged: DELETE /analysis-logs.

        Args:
            analysis_id: the analysis, or its id.
            auth: who asks, for this call alone.
        """
        await self._clear(ANALYSIS_LOGS, {"analysis_id": id_of(analysis_id, Analysis, "analysis_id")}, auth)

    @operation
    async def delete_analysis_node_logs(
        self, analysis_id: Id[Analysis], node_id: Id[Node], *, auth: AuthParam | UNSET_T = UNSET
    ) -> None:
        """Deletes what an analysis has logged on a node: DELETE /analysis-node-logs.

        Args:
            analysis_id: the analysis, or its id.
            node_id: the node, or its id.
            auth: who asks, for this call alone.
        """
        of = {"analysis_id": id_of(analysis_id, Analysis, "analysis_id"), "node_id": id_of(node_id, Node, "node_id")}
        await self._clear(ANALYSIS_NODE_LOGS, of, auth)

    @operation
    async def sync_master_images(self, *, auth: AuthParam | UNSET_T = UNSET) -> None:
        """Has the Hub look for master images: POST /master-images/command.

        Args:
            auth: who asks, for this call alone.
        """
        await self._done({"command": "sync"}, auth, "master-images")

    @operation
    async def build_master_image(self, master_image_id: Id[MasterImage], *, auth: AuthParam | UNSET_T = UNSET) -> None:
        """Has the Hub build a master image: POST /master-images/command.

        Args:
            master_image_id: the image, or its id.
            auth: who asks, for this call alone.
        """
        id = id_of(master_image_id, MasterImage, "master_image_id")
        await self._done({"command": "build", "id": id}, auth, "master-images")

    @operation
    async def send_registry_command(
        self, registry_id: Id[Registry], command: RegistryCommand, *, auth: AuthParam | UNSET_T = UNSET
    ) -> None:
        """Has the Hub set up a registry, or clean it up: POST /services/registry/command.

        Args:
            registry_id: the registry, or its id.
            command: "setup" or "cleanup".
            auth: who asks, for this call alone.
        """
        told = {"command": _word(command, RegistryCommand), "id": id_of(registry_id, Registry, "registry_id")}
        await self._done(told, auth, "services", "registry")

    @operation
    async def send_analysis_command(
        self, analysis_id: Id[Analysis], command: AnalysisCommand, *, auth: AuthParam | UNSET_T = UNSET
    ) -> Analysis:
        """Has the Hub do something with an analysis: POST /analyses/{analysis_id}/command.

        Args:
            analysis_id: the analysis, or its id.
            command: of 1.1.0 "configurationLock", "configurationUnlock", "buildStart", "buildCheck",
                "distributionStart", "distributionCheck" or "storageCheck"; of 0.1.1 "spinUp", "tearDown", "buildStart",
                "buildStop", "configurationLock" or "configurationUnlock".
            auth: who asks, for this call alone.
        """
        path = ("analyses", id_of(analysis_id, Analysis, "analysis_id"))
        response = await self._command({"command": _word(command, AnalysisCommand)}, auth, *path)
        return read_one(response, Analysis, self._speech)

    async def _command(self, command: Mapping[str, str], auth: AuthParam | UNSET_T, *path: str) -> Response:
        """Sends a command, from inside an operation."""
        hub = self._asked_by(auth)
        return await hub.send(Request.json("POST", self.url(*path, "command"), command))

    async def _done(self, command: Mapping[str, str], auth: AuthParam | UNSET_T, *path: str) -> None:
        """Sends one that is answered with nothing, or nothing of interest."""
        read_nothing(await self._command(command, auth, *path))

    async def _clear(self, logs: Resource[Log], of: Mapping[str, str], auth: AuthParam | UNSET_T) -> None:
        """Deletes logs, from inside an operation."""
        hub = self._asked_by(auth)
        query = filter_pairs(of, await hub._told_generation())
        read_nothing(await hub.send(Request("DELETE", self.url(logs.path), query=query)))


def _word(command: object, known: Any) -> str:
    """A command, be it one that is not known; raises UsageError if it is no word at all."""
    if not isinstance(command, str) or not command:
        raise UsageError(f"command is a word, {', '.join(map(repr, get_args(known)))}, not {command!r}")
    return command
