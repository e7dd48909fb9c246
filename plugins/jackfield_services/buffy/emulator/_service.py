"""A request's way through the server: remembered, broken or routed, answered; and then the background's step."""

from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import quote

from jackfield_services._injected import Injected

from ._api import Api, Endpoint
from ._backend import Backend
from ._claims import Claims
from ._faults import Fault, Reply, instead, spoilt
from ._lethal import Died
from ._origins import Origins
from ._quirks import Quirk
from ._request import Incoming, ReceivedRequest
from ._settings import Settings
from ._store import Store
from ._wire import Answer, Delivery, Record, Refused, as_json, detail, failure

_SAFE = ":/%#?=@[]!$&'()*+,"


class Service:
    """The server without its sockets. State is touched under `store.lock`.

    Attributes:
        requests: every request so far.
        died: what it died of, empty as long as it lives.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.store = Store()
        self.origins = Origins()
        claims = Claims(settings, self.store)
        self.backend = Backend(settings, self.store, self.origins, claims)
        self.faults = Injected[Fault | Reply, tuple[str, str]](Fault | Reply, "a Fault, a Reply")
        self.requests: list[ReceivedRequest] = []
        self.died = ""
        openapi: tuple[str, str, Endpoint] = ("GET", "/openapi.json", self._describe)
        routes = [
            (method, f"/v1/{path}", answer) for method, path, answer in Api(settings, self.store, claims).routes()
        ]
        self._routes = [*routes, openapi]

    @property
    def date(self) -> str:
        """What its answers are dated."""
        return formatdate(self._settings.now(), usegmt=True)

    def closes_after(self, answer: Answer) -> bool:
        """Whether the connection ends, without a word of it, where an answer is an error of the server's own."""
        return answer.status == 500 and Quirk.SILENT_CLOSE in self._settings.quirks

    def respond(self, incoming: Incoming) -> Answer:
        """What goes back, whatever came."""
        received = incoming.remembered()
        with self.store.lock:
            self.requests.append(received)
            if self.died:
                return Answer(status=0, delivery=Delivery.CLOSE)
            fault = self.faults.take((received.method, received.path))
            answer = instead(fault) or spoilt(self._answer(incoming), fault)
            received.status = 0 if answer.delivery in (Delivery.CLOSE, Delivery.RESET) else answer.status
            return answer

    def boot(self) -> None:
        """A new process looks at what is left of the one before."""
        with self.store.lock:
            self.died = ""
            self.backend.boot()

    def end(self) -> None:
        """The process is gone, with what it did."""
        with self.store.lock:
            self.backend.end()

    def flush(self) -> None:
        """What the database knows is gone."""
        with self.store.lock:
            self.backend.forget()
            self.store.flush()

    def step(self) -> None:
        """The background's work, once."""
        try:
            self.backend.step()
        except Died as error:
            self.died = str(error)

    def _answer(self, incoming: Incoming) -> Answer:
        others: list[str] = []
        for method, pattern, endpoint in self._routes:
            names = _matched(pattern, incoming.path)
            if names is None:
                continue
            if method == incoming.method:
                return self._carry_out(endpoint, incoming, names)
            others.append(method)
        if others:
            return detail(405, "Method Not Allowed", {"allow": others[0]})
        return self._redirect(incoming) or detail(404, "Not Found")

    def _carry_out(self, endpoint: Endpoint, incoming: Incoming, names: Mapping[str, str]) -> Answer:
        """Time passes by reads: the step comes after each, so that it finds what the one before it left."""
        try:
            answer = endpoint(incoming, names)
        except Refused as error:
            answer = error.answer
        except Died as error:
            self.died = str(error)
            return failure()
        if incoming.method == "GET" and endpoint != self._describe:
            self.step()
        return answer

    def _redirect(self, incoming: Incoming) -> Answer | None:
        """To the same with a slash at its end, or without."""
        path = incoming.path.rstrip("/") if incoming.path.endswith("/") else f"{incoming.path}/"
        if all(_matched(pattern, path) is None for _, pattern, _ in self._routes):
            return None
        query = incoming.target.partition("?")[2]
        url = f"http://{incoming.headers.get('host', '')}{path}" + (f"?{query}" if query else "")
        return Answer(status=307, headers=(("location", quote(url, safe=_SAFE)),))

    def _describe(self, _: Incoming, __: Mapping[str, str]) -> Answer:
        """Enough of OpenAPI to see that it is there."""
        version = "3.1.0" if self._settings.fastapi == "0.99.1" else "3.0.2"
        paths: dict[str, Record] = {}
        for method, pattern, _endpoint in self._routes:
            paths.setdefault(pattern, {})[method.lower()] = {}
        info = {"title": "FastAPI", "version": "0.1.0"}
        return as_json(200, {"openapi": version, "info": info, "paths": paths})


def _matched(pattern: str, path: str) -> Mapping[str, str] | None:
    """The named parts of a path; None where it is another."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    names: dict[str, str] = {}
    for want, got in zip(wanted, given, strict=True):
        if want.startswith("{") and got:
            names[want[1:-1]] = got
        elif want != got:
            return None
    return names
