"""The emulator users hold: its settings, its record of requests, and the start and stop of its server."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self

from ._cloud import Cloud
from ._command import Settings
from ._faults import Fault, Faults
from ._jobs import JobOutcome, Plan
from ._paging import UNLIMITED
from ._server import Server
from ._service import PATH, ReceivedRequest, answer, parameters_of
from ._signature import Digest
from ._wire import Answer

KEYS = ("emulator-api-key", "emulator-api-secret")


class CloudStackEmulator:
    """A CloudStack API server on loopback, for tests and demos.

    ```python
    with CloudStackEmulator(machines=1200) as cloud:
        client = CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret)
        cloud.inject(503, command="listVirtualMachines")     # a proxy has a bad moment
        cloud.plan_job(polls=2, outcome=JobOutcome.FAILED)   # the next job is pending twice, then fails
        ...                                                  # what the client makes of it
        assert cloud.requests[0].status == 503
    ```

    **What it knows.** Paged lists: listVirtualMachines (filters id, ids, name, zoneid, keyword), listZones,
    listUsers, listAsyncJobs. Not paged: listHypervisors, listCapabilities, listApis, getApiLimit. Jobs:
    deployVirtualMachine, startVirtualMachine, stopVirtualMachine, destroyVirtualMachine, createTags.
    Answered at once: createSSHKeyPair, queryAsyncJobResult. `listApis` tells their parameters. A deployment
    needs a zone of `listZones`; any template and any service offering will do.

    **What it checks.** The signature (HMAC, of the one `signature_algorithm`; with `signatureVersion=3` also
    `expires`, by the clock `now`), GET or form POST but not both, paging, map parameters, control
    characters, required parameters. It refuses as the server does, with its statuses, texts and envelopes;
    without `response=json` it answers in XML.

    **Time** passes by polls: a job says pending to `job_polls` queries, and happens on the next one. A
    machine that is being deployed is listed once a poll has said so; nothing waits, nothing runs in the
    background.

    **Every run is alike**: machines are vm-0001, vm-0002 …, spread over two zones, every fifth stopped,
    with ids made from their names.

    Args:
        machines: how many virtual machines there are.
        count: what `count` means in a list, as it differs between commands and releases: "total" is all there
            are (a page past the end has a count and no list), "page" is those on this page.
        page_size_limit: the largest pagesize allowed, and the size of a page unasked for; -1: no limit.
        job_polls: how many queries say pending before a job ends.
        api_key: the key that requests must name.
        api_secret: the secret they must be signed with.
        signature_algorithm: the one digest it takes; "sha512" is a server that has SHA-1 switched off.
        now: the clock that `expires` is held against: Unix time in seconds.

    `api_key`, `api_secret`, `signature_algorithm`, `count` and `job_polls` are attributes; what is set holds
    from the next request on. Any number of threads may use it. Stopping keeps the machines and the record of
    requests; starting again takes another port.
    """

    def __init__(
        self,
        *,
        machines: int = 0,
        count: Literal["total", "page"] = "total",
        page_size_limit: int = 500,
        job_polls: int = 3,
        api_key: str = KEYS[0],
        api_secret: str = KEYS[1],
        signature_algorithm: Digest = "sha1",
        now: Callable[[], float] = time.time,
    ) -> None:
        if machines < 0 or job_polls < 0:
            raise ValueError("machines and job_polls are counts: 0 or more")
        if page_size_limit != UNLIMITED and page_size_limit < 1:
            raise ValueError("page_size_limit is 1 or more, or -1 for no limit")
        self.api_key = api_key
        self.api_secret = api_secret
        self.signature_algorithm: Digest = signature_algorithm
        self.count: Literal["total", "page"] = count
        self.job_polls = job_polls
        self._page_size_limit = page_size_limit
        self._now = now
        self._cloud = Cloud(machines)
        self._faults = Faults()
        self._requests: list[ReceivedRequest] = []
        self._connections = 0
        self._lock = threading.RLock()
        self._server: Server | None = None

    @property
    def end_point(self) -> str:
        """The URL to give to a client. RuntimeError before the start and after the stop."""
        if self._server is None:
            raise RuntimeError("the CloudStack emulator has no end point while it is stopped: start it first")
        return f"http://127.0.0.1:{self._server.port}{PATH}"

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """Every request so far, in the order they were answered."""
        with self._lock:
            return tuple(self._requests)

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted so far."""
        return self._connections + (self._server.accepted if self._server else 0)

    def start(self) -> Self:
        """Listen on a free port; nothing if it does already."""
        if self._server is None:
            self._server = Server(self._respond)
        return self

    def stop(self) -> None:
        """Close every connection and join every thread; nothing if it was done already."""
        server, self._server = self._server, None
        if server is not None:
            self._connections += server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def inject(self, fault: Fault | int, *, times: int = 1, command: str | None = None) -> None:
        """The next `times` requests get this instead of their answer, and their command does not run.

        An int is an HTTP status, 400 to 599: 429 is the rate limit with its "[N] ms" in the text, 502, 503
        and 504 are a proxy's HTML page, any other is an error of the API. With `command` (without case) the
        requests of other commands are left alone. Several faults wait in line. ValueError for any other
        status, and for less than once.
        """
        with self._lock:
            self._faults.inject(fault, times, command)

    def plan_job(
        self,
        *,
        polls: int | None = None,
        outcome: JobOutcome = JobOutcome.SUCCEEDED,
        error_in_result: bool = True,
    ) -> None:
        """How the next started job goes; several plans wait in line.

        `polls` is how many queries say pending first (None: `job_polls`). A failed job has jobstatus 2, a
        cancelled one 3 and jobresultcode 0; both hold errorcode and errortext inside jobresult, or, without
        `error_in_result`, have neither code nor result, as with old servers.
        """
        if polls is not None and polls < 0:
            raise ValueError(f"polls is a count, 0 or more, not {polls}")
        with self._lock:
            self._cloud.jobs.plans.append(Plan(polls=polls, outcome=outcome, error_in_result=error_in_result))

    def _respond(self, method: str, target: str, form: bytes) -> Answer:
        with self._lock:
            parameters, refusal = parameters_of(method, target, form)
            given = self._faults.take(parameters) or refusal
            given = given or answer(parameters, self._cloud, self._settings())
            received = ReceivedRequest(
                http_method=method,
                command=parameters.get("command", ""),
                parameters=parameters,
                status=given.status,
            )
            self._requests.append(received)
            return given

    def _settings(self) -> Settings:
        return Settings(
            api_key=self.api_key,
            api_secret=self.api_secret,
            signature_algorithm=self.signature_algorithm,
            count=self.count,
            page_size_limit=self._page_size_limit,
            job_polls=self.job_polls,
            now=self._now(),
        )
