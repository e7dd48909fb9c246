"""What the server keeps: requests, versions of their responses, files, and claims that wait; it decides nothing."""

import datetime
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ._records import Request, Response, ids
from ._wire import Record


@dataclass(frozen=True, slots=True)
class Claim:
    """A pin or a tag that somebody wants a version to have."""

    request_id: str
    version: str
    said: Record


class Store:
    """Touched under `lock` only. It outlives the server, as Redis and the files do."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.new_id: Callable[[], str] = ids()
        self.requests: dict[str, Request] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.pins: deque[Claim] = deque()
        self.tags: deque[Claim] = deque()
        self._responses: dict[str, dict[str, Response]] = {}

    def flush(self) -> None:
        """Forgets all but the files."""
        for each in (self.requests, self._responses, self.pins, self.tags):
            each.clear()

    def listed(self, group: str | None = None) -> list[Request]:
        """The requests, of a group or of all, oldest first."""
        return [request for request in self.requests.values() if not group or request.group == group]

    def responses(self, request_id: str) -> list[Response]:
        """The versions of a request, newest first."""
        versions = self._responses.get(request_id, {})
        return [versions[name] for name in sorted(versions, reverse=True)]

    def response(self, request_id: str, version: str) -> Response | None:
        return self._responses.get(request_id, {}).get(version)

    def put(self, response: Response) -> None:
        """Writes the whole record, over another of that version."""
        self._responses.setdefault(response.request_id, {})[response.version] = response

    def delete(self, response: Response) -> None:
        """The version and its file."""
        self._responses.get(response.request_id, {}).pop(response.version, None)
        self.files.pop((response.request_id, response.version), None)

    def create(self, said: Record, configuration: Record, made: datetime.datetime) -> Request:
        request = Request(id=self.new_id(), said=said, configuration=configuration, made=made)
        self.requests[request.id] = request
        return request
