"""The emulator users hold: what it is made of, its start and stop, and what may be asked of it while it runs."""

from functools import partial
from types import TracebackType
from typing import Self, Unpack

from jackfield_services._given import expect
from jackfield_services._injected import at
from jackfield_services._loopback import LoopbackServer

from ._faults import Fault, Reply
from ._handler import Handler
from ._hub import Hub
from ._names import Generation
from ._processes import Outcome
from ._request import ReceivedRequest, ServiceName
from ._seeds import ADMIN
from ._service import Service
from ._settings import Options, Settings

_SERVICES: tuple[ServiceName, ...] = ("auth", "core", "storage")


class FlameHubEmulator(Settings):
    """The three services of a FLAME Hub on loopback, for tests and demos.

    ```python
    with FlameHubEmulator("1.1.0", nodes=120) as hub:
        client = CoreClient(hub.core_url, auth=PasswordAuth(hub.username, hub.password, hub.auth_url))
        hub.inject(503, path="/nodes")            # a proxy has a bad moment
        hub.plan(polls=2, outcome=Outcome.FAILED)  # the next build is under way twice, then has failed
        hub.expire_tokens()                       # what was issued so far is dead
        ...                                       # what the client makes of it
        assert hub.requests[0].path == "/token"
    ```

    **Two generations.** "0.1.1" is what was recorded of Authup 1.0.0-beta.26 and Hub 0.8.10: snake_case, bare
    records, robots. "1.1.0" is camelCase, `{data, meta}` around records, clients in place of robots, credentials,
    logs; it follows what is documented of it, and was not recorded.

    **What is there**: the realm "master", the user `username`, a client and (0.1.1) a robot with their secrets, two
    master images, and `nodes` nodes. Whoever has a token may do everything.

    **Time** passes by polls: a build is under way for `polls` reads of its analysis. Tokens go by the clock `now`.
    Nothing waits, nothing runs in the background. Every run is alike: the same calls make the same ids.

    Args:
        generation: "0.1.1" or "1.1.0"; it stays as it is.
        nodes: how many nodes there are from the start, node-0001 and on.
        approved: nodes of projects and analyses are approved from the start; None: in 0.1.1 they are.
        token_life: seconds from a token's `iat` to its `exp`.
        expires_in: what the token endpoint says of it, true or not; None: the truth.
        refresh_life: seconds that a refresh token is good for.
        dead_token: the status that an expired token gets: 401, 400 or 500; None: 500 in 0.1.1, 401 in 1.1.0.
        polls: how many reads find a process under way before one finds how it ended.
        now: the clock: Unix time in seconds.

    The last six are attributes; what is set holds from the next request on. Any number of threads may use it.
    Stopping keeps the records and the list of requests; starting again takes other ports.

    Raises:
        ValueError: a generation that there is not, a number that cannot be; setting an attribute raises it, too.
        TypeError: another type than what is annotated.
    """

    def __init__(
        self,
        generation: Generation = "1.1.0",
        *,
        nodes: int = 0,
        approved: bool | None = None,
        **settings: Unpack[Options],
    ) -> None:
        super().__init__(generation=generation, **settings)
        expect(nodes, int, "nodes is a whole number")
        if nodes < 0:
            raise ValueError("nodes is a count: 0 or more")
        self._hub = Hub(self, nodes, generation == "0.1.1" if approved is None else approved)
        self._services: dict[ServiceName, Service] = {name: Service(name, self._hub) for name in _SERVICES}
        self._servers: dict[ServiceName, LoopbackServer] = {}
        self._connections = 0

    @property
    def auth_url(self) -> str:
        """Where the auth service is. RuntimeError before the start and after the stop."""
        return self._url("auth")

    @property
    def core_url(self) -> str:
        """Where the core service is. RuntimeError before the start and after the stop."""
        return self._url("core")

    @property
    def storage_url(self) -> str:
        """Where the storage service is. RuntimeError before the start and after the stop."""
        return self._url("storage")

    @property
    def username(self) -> str:
        """The user who is there from the start."""
        return ADMIN[0]

    @property
    def password(self) -> str:
        """That user's password."""
        return ADMIN[1]

    @property
    def client_id(self) -> str:
        """The client that is there from the start."""
        return self._hub.seeds.client[0]

    @property
    def client_secret(self) -> str:
        """That client's secret."""
        return self._hub.seeds.client[1]

    @property
    def robot_id(self) -> str:
        """The robot that is there from the start; empty in 1.1.0, which has none."""
        return self._hub.seeds.robot[0]

    @property
    def robot_secret(self) -> str:
        """That robot's secret; empty in 1.1.0."""
        return self._hub.seeds.robot[1]

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """Every request so far, in the order they came."""
        with self._hub.lock:
            return tuple(self._hub.requests)

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted so far."""
        return self._connections + sum(server.accepted for server in self._servers.values())

    def start(self) -> Self:
        """Listen on free ports; nothing if it does already."""
        if not self._servers:
            for name, service in self._services.items():
                handler = partial(Handler, service.respond, lambda: self.now())  # which may be set while it runs
                self._servers[name] = LoopbackServer("flame-hub-emulator", handler)
                service.url = self._servers[name].url
        return self

    def stop(self) -> None:
        """Close every connection and join every thread; nothing if it was done already."""
        servers, self._servers = self._servers, {}
        self._connections += sum(server.stop() for server in servers.values())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def inject(self, fault: Fault | Reply | int, *, times: int = 1, path: str = "*", method: str | None = None) -> None:
        """The next `times` requests get this instead of their answer.

        An int is an HTTP status, 400 to 599: 502, 503 and 504 are a proxy's HTML page, any other is an error of the
        API. `path` is a pattern, "/nodes/*" say, in which * is anything; with `method` the requests of others are
        left alone. Several faults wait in line. ValueError for any other status, for less than once, and for a
        path or a method that no request has.
        """
        with self._hub.lock:
            self._hub.faults.add(fault, times, at(path, method))

    def plan(self, *, polls: int | None = None, outcome: Outcome = Outcome.SUCCEEDED) -> None:
        """How the next build, distribution, run or sync goes; several plans wait in line.

        `polls` is how many reads find it under way first (None: those of `polls`).
        """
        expect(polls, int | None, "polls is a whole number")
        expect(outcome, Outcome, "outcome is an Outcome, as in Outcome.FAILED")
        if polls is not None and polls < 0:
            raise ValueError(f"polls is a count, 0 or more, not {polls}")
        with self._hub.lock:
            self._hub.processes.plans.append((polls, outcome))

    def expire_tokens(self, *, refresh: bool = False) -> None:
        """The access tokens that were issued so far are dead; with `refresh` the refresh tokens are, too."""
        with self._hub.lock:
            self._hub.tokens.end_all("access_token")
            if refresh:
                self._hub.tokens.end_all("refresh_token")

    def _url(self, name: ServiceName) -> str:
        if name not in self._servers:
            raise RuntimeError("the FLAME Hub emulator has no URLs while it is stopped: start it first")
        return self._servers[name].url
