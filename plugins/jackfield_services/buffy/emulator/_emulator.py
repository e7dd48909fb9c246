"""The emulator users hold: its start, its deaths, and what may be asked of it while it runs."""

from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Self, Unpack
from urllib.parse import urlsplit

from jackfield_services._given import expect
from jackfield_services._injected import at
from jackfield_services._loopback import LoopbackServer

from ._faults import Fault, Reply
from ._handler import Handler
from ._origins import Fetch, Origin
from ._request import ReceivedRequest
from ._service import Service
from ._settings import FastApi, Options, Settings


class BuffyEmulator(Settings):
    """A Buffy server (DZDBuffy 0.7.3) on loopback, for tests and demos.

    ```python
    with BuffyEmulator(clean_every=5) as buffy:
        buffy.origin("https://example.org/data.csv", "a;b\\n", headers={"content-type": "text/csv"})
        client = BuffyClient(buffy.url)
        buffy.plan(polls=5)                       # the next download is under way for five reads
        buffy.inject(503, path="*/content")       # a proxy has a bad moment
        ...                                       # what the client makes of it
        buffy.kill()                              # and what it makes of nobody being there
        assert buffy.requests[0].path == "/v1/request/"
    ```

    **Origins.** What was given to `origin` is in a table, and no network is asked for it. An address that is not is
    really fetched where it is on loopback, a test's own server say; any other cannot be reached.

    **Time** passes by reads: after each GET that was answered the server's loop goes round once. So the first read
    finds what was ordered not registered, the second finds it in progress, and the one after `polls` of these ready.
    Ages, pins and clean-up go by the clock `now`. Nothing waits.

    **Quirks**: what the real server does otherwise than documented it does, too; `quirks` are those it has.

    Args:
        fastapi: "0.99.1" or "0.78.0", the version it runs on: a pin or a tag is answered with 500, or with null.
        polls: how many reads find a download in progress.
        clean_every: seconds between clean-ups.
        max_downloads: how many run at once.
        max_downloads_per_domain: how many of these from one host.
        quirks: every `Quirk` there is, unless said otherwise; () is a server as it is documented.
        now: the clock: Unix time in seconds.

    All but the first are attributes; what is set holds from the next request on. Any number of threads may use it.
    Stopping keeps what a server keeps in its database and its files, and the list of requests; starting again takes
    the same port.

    Raises:
        ValueError: a version that there is not, a number that cannot be; setting an attribute raises it, too.
        TypeError: another type than what is annotated.
    """

    def __init__(self, fastapi: FastApi = "0.99.1", **settings: Unpack[Options]) -> None:
        super().__init__(fastapi=fastapi, **settings)
        self._service = Service(self)
        self._server: LoopbackServer | None = None
        self._url = ""
        self._connections = 0

    @property
    def url(self) -> str:
        """Where it is, or was before it ended. RuntimeError before the first start."""
        if not self._url:
            raise RuntimeError("the Buffy emulator has no URL before it is started: start it first")
        return self._url

    @property
    def alive(self) -> bool:
        """Whether somebody is there to connect to."""
        return self._server is not None and not self._service.died

    @property
    def died_of(self) -> str:
        """What killed it since it was started, as in "OverflowError: …"; empty where nothing did."""
        return self._service.died

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """Every request so far, in the order they came."""
        with self._service.store.lock:
            return tuple(self._service.requests)

    @property
    def fetches(self) -> tuple[Fetch, ...]:
        """What it asked of the origins in the table, in this order."""
        with self._service.store.lock:
            return tuple(self._service.origins.fetches)

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted so far."""
        return self._connections + (self._server.accepted if self._server is not None else 0)

    def start(self) -> Self:
        """Listen, on a free port the first time; nothing if it does already. OSError where another has the port."""
        if self.alive:
            return self
        self.stop()
        self._service.boot()
        port = urlsplit(self._url).port or 0
        self._server = LoopbackServer("buffy-emulator", partial(Handler, self._service), port)
        self._url = self._server.url
        return self

    def stop(self) -> None:
        """Close every connection and join every thread; nothing if it was done already."""
        server, self._server = self._server, None
        if server is not None:
            self._connections += server.stop()
        self._service.end()

    def kill(self) -> None:
        """End it in the middle of what it does: connections are cut, then refused, until it is started again."""
        self.stop()

    def restart(self) -> None:
        """End it and start it: what was ready stays, what was under way is gone, and what kills it still does."""
        self.stop()
        self.start()

    def flush(self) -> None:
        """Forget every request and response, and so what kills it at each start; whether it runs or not."""
        self._service.flush()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def origin(
        self,
        url: str,
        body: bytes | str = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
        broken_after: int | None = None,
    ) -> None:
        """What an address answers from now on, or the next `times` it is asked; several of these wait in line.

        `url` is with its query, or without for any. After `broken_after` bytes of the body the connection is lost.
        """
        expect(headers, Mapping | None, "the headers of an origin are a mapping")
        data = body.encode() if isinstance(body, str) else body
        origin = Origin(body=data, status=status, headers=headers or {}, broken_after=broken_after, times=times)
        self._service.origins.add(url, origin)

    def plan(self, *, polls: int) -> None:
        """How many reads find the next download that starts in progress; several plans wait in line."""
        expect(polls, int, "polls is a whole number")
        if polls < 0:
            raise ValueError(f"polls is a count, 0 or more, not {polls}")
        with self._service.store.lock:
            self._service.backend.plans.append(polls)

    def inject(self, fault: Fault | Reply | int, *, times: int = 1, path: str = "*", method: str | None = None) -> None:
        """The next `times` requests get this instead of their answer.

        An int is an HTTP status, 400 to 599: 502, 503 and 504 are a proxy's HTML page, any other is an error of the
        API. `path` is a pattern, "*/content" say, in which * is anything; with `method` the requests of others are
        left alone. Several faults wait in line. ValueError for any other status, for less than once, and for a
        path or a method that no request has.
        """
        with self._service.store.lock:
            self._service.faults.add(fault, times, at(path, method))

    def lose_files(self) -> None:
        """Every file that was stored is gone from the disk; the records of it stay."""
        with self._service.store.lock:
            self._service.store.files.clear()
