"""The commands of the core service: of analyses, master images, registries."""

from collections.abc import Callable, Mapping

from ._fields import NOBODY
from ._names import Generation
from ._processes import Outcome, Process, Processes, ended_as
from ._seeds import sync_images
from ._store import Store
from ._wire import Json, Record, bad_request, not_found

_LOCKED = "The command is locked and can therefore not be executed."


class Commands:
    """Each runs at once, or starts a process, or is refused (400)."""

    def __init__(self, store: Store, processes: Processes, generation: Generation) -> None:
        self._store = store
        self._processes = processes
        self._generation: Generation = generation
        self._sync: Record = {"sync_status": None}
        both: dict[str, Callable[[Record], None]] = {
            "configurationLock": self._lock,
            "configurationUnlock": self._unlock,
            "buildStart": self._build,
        }
        old: dict[str, Callable[[Record], None]] = {
            "buildStop": lambda analysis: processes.stop(analysis, "build"),
            "spinUp": lambda analysis: self._start(analysis, "run", after="build"),
            "tearDown": lambda analysis: processes.stop(analysis, "run"),
        }
        new: dict[str, Callable[[Record], None]] = {
            "distributionStart": lambda analysis: self._start(analysis, "distribution", after="build"),
            **dict.fromkeys(("buildCheck", "distributionCheck", "storageCheck"), _nothing),
        }
        self._known: Mapping[str, Callable[[Record], None]] = both | (old if generation == "0.1.1" else new)

    def analysis(self, analysis: Record, command: Json) -> None:
        """One of the commands there are."""
        run = self._known.get(str(command))
        if run is None:
            raise bad_request(f"The command {command} is unknown.")
        run(analysis)

    def master_images(self, command: Json, id_: Json) -> None:
        """Sync, which locks itself until a list of images finds it done; build of one."""
        if command == "sync":
            self._require_idle(self._sync, "sync")
            self._processes.start(self._sync, "sync")
        elif command == "build" and self._generation == "1.1.0":
            if (image := self._store.find("master_images", id_)) is None:
                raise not_found()
            self._require_idle(image, "build")
            self._processes.start(image, "build")
        else:
            raise bad_request(f"The command {command} is unknown.")

    def registry(self, command: Json, id_: Json) -> None:
        """Setup and cleanup leave nothing that could be seen."""
        if command not in ("setup", "cleanup"):
            raise bad_request(f"The command {command} is unknown.")
        if self._store.find("registries", id_) is None:
            raise not_found()

    def polled(self, name: str, record: Record) -> None:
        """Somebody reads a record: what is under way with it goes on."""
        for process in self._processes.poll(record):
            self._ended(name, process)

    def images_listed(self) -> None:
        """Somebody lists master images, or their groups: a sync goes on."""
        for process in self._processes.poll(self._sync):
            if process.plan.outcome is Outcome.SUCCEEDED:
                sync_images(self._store)

    def _ended(self, name: str, process: Process) -> None:
        record = process.record
        if name != "analyses" or self._generation == "0.1.1":
            return
        if process.kind == "build" and process.plan.outcome is Outcome.SUCCEEDED:
            record.update(build_hash=f"sha256:{self._store.new_secret()}", build_os="linux", build_size=1_048_576)
        self._log(record, process)

    def _log(self, analysis: Record, process: Process) -> None:
        status = ended_as(process.plan.outcome, self._generation)
        values = {
            "time": self._store.stamp(),
            "message": f"{process.kind} {status}",
            "service": "hub-server-core-worker",
            "channel": "background",
            "level": "info" if process.plan.outcome is Outcome.SUCCEEDED else "error",
            "labels": {"analysis_id": analysis["id"], "component": process.kind, "status": status},
            "analysis_id": analysis["id"],
        }
        self._store.add("analysis_logs", values, NOBODY)

    def _lock(self, analysis: Record) -> None:
        if analysis["configuration_locked"]:
            raise bad_request("The configuration is locked already.")
        analysis["configuration_locked"] = True

    def _unlock(self, analysis: Record) -> None:
        self._require_idle(analysis, "build")
        analysis["configuration_locked"] = False

    def _build(self, analysis: Record) -> None:
        if not analysis["configuration_locked"]:
            raise bad_request("The configuration has to be locked first.")
        self._require_idle(analysis, "build")
        self._processes.start(analysis, "build")

    def _start(self, analysis: Record, kind: str, *, after: str) -> None:
        if analysis[f"{after}_status"] != ended_as(Outcome.SUCCEEDED, self._generation):
            raise bad_request(f"The {after} has to succeed first.")
        self._require_idle(analysis, kind)
        self._processes.start(analysis, kind)

    def _require_idle(self, record: Record, kind: str) -> None:
        if self._processes.under_way(record, kind):
            raise bad_request(_LOCKED)


def _nothing(_: Record) -> None:
    """A check looks at what the emulator knows anyway."""
