"""When a request is downloaded again: the five strategies."""

from ._cron import Cron
from ._fetching import Fetching
from ._lethal import die
from ._origins import Origins
from ._outgoing import Unreachable
from ._quirks import Quirk
from ._records import Request, Response, utc
from ._settings import Settings
from ._store import Store
from ._transfer import Transfer
from ._wire import Record


class Strategies:
    """Decides, and remembers what the server remembers until it ends."""

    def __init__(self, settings: Settings, store: Store, origins: Origins) -> None:
        self._settings = settings
        self._store = store
        self._origins = origins
        self._tables: dict[str, Cron] = {}
        self._looked: dict[str, float] = {}

    def forget(self) -> None:
        """The server ended."""
        self._tables.clear()
        self._looked.clear()

    def reference(self, request: Request) -> Response | None:
        """The version that a new one comes after: for the server that is the oldest."""
        responses = self._store.responses(request.id)
        if not responses:
            return None
        return responses[-1 if Quirk.OLDEST_FIRST in self._settings.quirks else 0]

    def wants(self, request: Request) -> bool:
        """Whether a download is due."""
        response = self.reference(request)
        if response is None:
            return True
        strategy = request.configuration["recaching_strategy"]
        match strategy["strategy_name"]:
            case "age":
                return self._is_old(request, response, strategy["seconds"])
            case "cron":
                return self._is_time(request, strategy)
            case "when_requested":
                return bool(request.waiting)
            case "when_remote_changed":
                return self._looks(request, strategy) and self._has_changed(request, response, strategy)
            case _:
                return False

    def _is_old(self, request: Request, response: Response, seconds: int) -> bool:
        if response.cached_datetime_utc is None:
            return bool(request.waiting)
        return (utc(self._settings.now()) - response.cached_datetime_utc).total_seconds() > seconds

    def _is_time(self, request: Request, strategy: Record) -> bool:
        now = utc(self._settings.now())
        table = self._tables.get(request.id)
        if table is None:
            try:
                table = self._tables[request.id] = Cron(strategy["cron"], now)
            except ValueError as error:
                die(self._settings, f"CroniterBadCronError: {error}")
                return False
            if strategy["run_at_start"]:
                return True
        if table.next > now:
            return False
        table.advance()
        return True

    def _looks(self, request: Request, strategy: Record) -> bool:
        now = self._settings.now()
        if self._looked.get(request.id, float("-inf")) + strategy["check_interval_sec"] > now:
            return False
        self._looked[request.id] = now
        return True

    def _has_changed(self, request: Request, response: Response, strategy: Record) -> bool:
        """The server compares what the response has not; so it does not matter what the origin says."""
        transfer = Transfer(request, Fetching(self._origins), bytearray(), self._settings)
        if Quirk.NEVER_CHANGED in self._settings.quirks:
            try:
                transfer.fetch()
            except Unreachable as error:
                die(self._settings, f"requests.exceptions.{error.kind}: {error}")
            return False
        try:
            found = transfer.look()
        except (Unreachable, ValueError):
            return False
        if found is None:
            return self._is_old(request, response, strategy["fallback_max_age_sec"])
        return found != response.marks
