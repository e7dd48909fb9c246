"""The emulator users hold: what it is made of, its start and stop, and what may be asked of it while it runs."""

import threading
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self, Unpack

from jackfield_services._given import expect
from jackfield_services._loopback import LoopbackServer

from ._catalogue import COMMANDS
from ._cloud import Cloud
from ._faults import Fault, Faults
from ._handler import Handler
from ._jobs import JobOutcome, Plan
from ._machines import machine_id
from ._refusal import Refusal
from ._request import PATH, Incoming, Port, ReceivedRequest
from ._service import Service
from ._sessions import Session
from ._settings import Options, Settings
from ._spelled import spelled
from ._users import User
from ._wire import Answer

KEYS = ("emulator-api-key", "emulator-api-secret")


class CloudStackEmulator(Settings):
    """A CloudStack API server on loopback, for tests and demos.

    ```python
    with CloudStackEmulator(machines=1200) as cloud:
        client = CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret)
        cloud.inject(503, command="listVirtualMachines")     # a proxy has a bad moment
        cloud.plan_job(polls=2, outcome=JobOutcome.FAILED)   # the next job is pending twice, then fails
        ...                                                  # what the client makes of it
        assert cloud.requests[0].status == 503
    ```

    **What it knows**, `listApis` tells: machines with their jobs, tags and details, lists of what else a cloud
    has, some paged and some not, sessions, the rate limit. A deployment needs a zone of `listZones`; any
    template and any service offering will do.

    **What it checks.** The signature (HMAC, of the one `signature_algorithm`; with `signatureVersion=3` also
    `expires`) or the session, GET or form POST but not both, the role, paging, map parameters, control
    characters, required parameters. It refuses as the server does, with its statuses, texts and envelopes;
    without `response=json` it answers in XML.

    **Time** passes by polls: a job says pending to `job_polls` queries, and happens on the next one. A
    machine that is being deployed is listed once a poll has said so; nothing waits, nothing runs in the
    background. Sessions, `expires` and the rate limit go by the clock `now`.

    **Every run is alike**: machines are vm-0001, vm-0002 …, spread over two zones, every fifth stopped.

    Args:
        machines: how many virtual machines there are.
        hosts: how many hosts.
        users: who may ask; none given: an administrator. The first is `user`, whose keys are `api_key` and
            `api_secret`.
        api_key: the first user's key.
        api_secret: the secret that goes with it.
        integration_port: whether there is one, where nothing needs to be signed: `integration_end_point`.
        count: what `count` means in a list, as it differs between commands and releases: "total" is all there
            are (a page past the end has a count and no list), "page" is those on this page, "absent" there is none.
        page_size_limit: the largest pagesize allowed, and the size of a page unasked for; -1: no limit.
        unpaged: names of commands that take no notice of `page` and `pagesize`.
        job_polls: how many queries say pending before a job ends.
        numbered_jobs: jobs have numbers for ids, as with old servers.
        text_success: `success` is the text "true", as with old servers.
        content_type: of what is JSON; old servers say "text/javascript; charset=UTF-8".
        signature_algorithm: the one digest it takes; "sha512" is a server that has SHA-1 switched off.
        expires_dates: whose forms of `expires` it reads: "new" servers', or "old" ones', which read fewer.
        enforce_post: what changes something has to be a POST, and what is signed has to expire within 15 minutes.
        session_timeout: seconds that a session lasts without a request.
        session_check: where the sessionkey has to be: "CookieAndParameter", "CookieOrParameter", "ParameterOnly".
        throttle: how many calls a user who is no administrator may make in what time; None: any number.
        now: the clock: Unix time in seconds.

    All but the first six are attributes; what is set holds from the next request on, and so does what is
    changed in a `User`. Any number of threads may use it. Stopping keeps the machines and the record of
    requests; starting again takes another port.

    Raises:
        ValueError: a number that cannot be, a name that nobody knows; setting an attribute raises it, too.
        TypeError: another type than what is annotated.
    """

    def __init__(
        self,
        *,
        machines: int = 0,
        hosts: int = 3,
        users: Sequence[User] = (),
        api_key: str | None = None,
        api_secret: str | None = None,
        integration_port: bool = False,
        **settings: Unpack[Options],
    ) -> None:
        super().__init__(**settings)
        for name, count in (("machines", machines), ("hosts", hosts)):
            expect(count, int, f"{name} is a whole number")
        if machines < 0 or hosts < 0:
            raise ValueError("machines and hosts are counts: 0 or more")
        self._cloud = Cloud(machines, hosts, users or [User(api_key=KEYS[0], api_secret=KEYS[1])])
        self.api_key = self.user.api_key if api_key is None else api_key
        self.api_secret = self.user.api_secret if api_secret is None else api_secret
        self._faults = Faults()
        self._service = Service(self._cloud, self, self._faults)
        self._integration_port = integration_port
        self._connections = 0
        self._lock = threading.RLock()
        self._servers: list[LoopbackServer] = []

    @property
    def users(self) -> list[User]:
        """Who may ask; more may be put in."""
        return self._cloud.users

    @property
    def user(self) -> User:
        """The first of the users."""
        return self._cloud.users[0]

    @property
    def api_key(self) -> str:
        """The first user's key."""
        return self.user.api_key

    @api_key.setter
    def api_key(self, value: str) -> None:
        self.user.api_key = value

    @property
    def api_secret(self) -> str:
        """The secret that the first user's requests must be signed with."""
        return self.user.api_secret

    @api_secret.setter
    def api_secret(self, value: str) -> None:
        self.user.api_secret = value

    @property
    def end_point(self) -> str:
        """The URL to give to a client. RuntimeError before the start and after the stop."""
        return self._url(0)

    @property
    def integration_end_point(self) -> str:
        """The URL of the integration port. RuntimeError while it is stopped, and where none was asked for."""
        if not self._integration_port:
            raise RuntimeError("this CloudStack emulator was made without integration_port=True")
        return self._url(1)

    @staticmethod
    def machine_id(number: int) -> str:
        """The ID of the machine of that number: 1 is vm-0001's. It is the same in every run."""
        return machine_id(number)

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """Every request so far, in the order they were answered."""
        with self._lock:
            return tuple(self._service.requests)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The sessions that are open."""
        with self._lock:
            return self._cloud.sessions.all(self.now(), self.session_timeout)

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted so far."""
        return self._connections + sum(server.accepted for server in self._servers)

    def start(self) -> Self:
        """Listen on a free port; nothing if it does already."""
        if not self._servers:
            ports: list[Port] = ["api", "integration"] if self._integration_port else ["api"]
            for port in ports:
                self._servers.append(LoopbackServer("cloudstack-emulator", partial(Handler, self._respond, port)))
        return self

    def stop(self) -> None:
        """Close every connection and join every thread; nothing if it was done already."""
        servers, self._servers = self._servers, []
        self._connections += sum(server.stop() for server in servers)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def end_sessions(self) -> None:
        """No session is known from here on, as after a restart of the server."""
        with self._lock:
            self._cloud.sessions.end_all()

    def purge_jobs(self) -> None:
        """No job is known from here on: a query gets 431."""
        with self._lock:
            self._cloud.jobs.purge()

    def inject(self, fault: Fault | Refusal | int, *, times: int = 1, command: str | None = None) -> None:
        """The next `times` requests get this instead of their answer, and their command does not run.

        An int is an HTTP status, 400 to 599: 429 is the rate limit with its "[N] ms" in the text, 502, 503
        and 504 are a proxy's HTML page, any other is a `Refusal` of that status. With `command` (without case)
        the requests of other commands are left alone. Several faults wait in line. ValueError for any other
        status, for less than once, and for a command that `listApis` does not tell.
        """
        with self._lock:
            self._faults.inject(fault, times, command)

    def plan_job(
        self,
        *,
        polls: int | None = None,
        outcome: JobOutcome = JobOutcome.SUCCEEDED,
        error: Refusal | None = None,
        error_in_result: bool = True,
        result: bool | str = True,
    ) -> None:
        """How the next started job goes; several plans wait in line.

        `polls` is how many queries say pending first (None: `job_polls`). A failed job has jobstatus 2, a
        cancelled one 3 and jobresultcode 0; both hold errorcode and errortext inside jobresult, those of
        `error` if it is given (the job fails then), or, without `error_in_result`, have neither code nor
        result, as with old servers. Without `result` a job succeeds and has none; a text is its result
        instead. A purged one is unknown: 431.
        """
        outcome = outcome if error is None else JobOutcome.FAILED
        plan = Plan(polls=polls, outcome=outcome, error=error, error_in_result=error_in_result, result=result)
        with self._lock:
            self._cloud.jobs.plans.append(plan)

    def _check(self, name: str, value: Any) -> None:
        super()._check(name, value)
        if name == "unpaged":
            for command in value:
                spelled(command, COMMANDS)

    def _respond(self, incoming: Incoming) -> Answer:
        with self._lock:
            return self._service.respond(incoming)

    def _url(self, server: int) -> str:
        if not self._servers:
            raise RuntimeError("the CloudStack emulator has no end point while it is stopped: start it first")
        return f"{self._servers[server].url}{PATH}"
