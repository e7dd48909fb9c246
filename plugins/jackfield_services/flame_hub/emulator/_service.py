"""A request's way through one of the services: remembered, broken or let in, routed, read, answered."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import unquote

from ._asked import Asked
from ._faults import instead, spoilt
from ._fields import NOBODY
from ._hub import Hub
from ._multipart import Part, boundary_of, files
from ._request import Incoming, ReceivedRequest, ServiceName
from ._special import Route
from ._tokens import actor_of
from ._wire import NO_ROUTE, Answer, Record, Refused, as_json, unauthorized

_VERSIONS = {"auth": "1.0.0-beta.26", "core": "0.8.10", "storage": "0.8.10"}  # of what was recorded


class Service:
    """Answers for one service. State is touched under the Hub's lock, bodies are read without it."""

    def __init__(self, name: ServiceName, hub: Hub) -> None:
        self._name: ServiceName = name
        self._hub = hub
        self._resources = {each.path: each for each in hub.store.resources.values() if each.service == name}
        self._version = _VERSIONS[name] if hub.envelope.generation == "0.1.1" else "emulated"
        self.url = ""

    def respond(self, incoming: Incoming) -> Answer:
        """What goes back, whatever came."""
        hub = self._hub
        received = ReceivedRequest(
            service=self._name,
            method=incoming.method,
            path=unquote(incoming.path),
            query=incoming.query,
            headers=incoming.headers,
        )
        with hub.lock:
            hub.requests.append(received)
            fault = hub.faults.take((received.method, received.path))
            limits = hub.limits.count(spent=fault == 429) if self._name == "auth" else ()
        try:
            answer = instead(fault) or spoilt(self._answer(incoming, received), fault)
        except Refused as error:
            answer = hub.envelope.refusal(error)
        received.status = answer.status
        return answer.with_headers(limits)

    def _answer(self, incoming: Incoming, received: ReceivedRequest) -> Answer:
        hub, segments = self._hub, incoming.segments
        if incoming.method == "GET" and not segments:
            return as_json(200, {"version": self._version})
        claims: Record | None = None
        if segments != ["token"]:
            with hub.lock:
                claims = hub.gate.claims(incoming, self._name)
        route = self._route(incoming.method, segments)
        if route is None:
            return NO_ROUTE
        if claims is None and not self._is_open(incoming.method, segments):
            raise unauthorized()
        actor = NOBODY if claims is None else actor_of(claims)
        received.actor = actor.name
        body, parts = self._read(incoming, segments)
        received.json = body
        asked = Asked(
            segments=segments,
            query=incoming.query,
            actor=actor,
            claims=claims or {},
            body=body or {},
            files=parts,
            url=self.url,
        )
        with hub.lock:
            return route(asked)

    def _route(self, method: str, segments: Sequence[str]) -> Route | None:
        if not segments:
            return None
        hub = self._hub
        for path in ("/".join(segments), "/".join([segments[0], "*", *segments[2:]])):
            if (special := hub.special.routes.get(f"{self._name} {method} {path}")) is not None:
                return special
        resource = self._resources.get(segments[0])
        verb = None if resource is None else hub.records.verb(resource, method, len(segments))
        return None if resource is None or verb is None else partial(hub.records.answer, verb, resource)

    def _is_open(self, method: str, segments: Sequence[str]) -> bool:
        """The token endpoint is for everybody, and so are the realms to read."""
        return self._name == "auth" and (segments == ["token"] or (method == "GET" and segments[0] == "realms"))

    def _read(self, incoming: Incoming, segments: Sequence[str]) -> tuple[Record | None, Sequence[Part]]:
        """A body is JSON, or files where they are uploaded."""
        if incoming.method != "POST":
            return None, ()
        if self._name != "storage" or segments[2:] != ["upload"]:
            return incoming.record, ()
        boundary = boundary_of(incoming.headers.get("content-type", ""))
        if boundary is None:
            raise Refused(500, "INTERNAL_SERVER_ERROR", "An internal server error occurred.")
        return None, list(files(incoming.body.read, boundary))
