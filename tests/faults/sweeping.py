"""What the sweeps share: calls that are tampered with, each followed by one that is not, and all that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext, SSLSocket, TLSVersion
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from tests.clients import Asker
from tests.servers import GUARD, Peer
from tests.servers.certificates import Authority

from jackfield import ConnectError, JackfieldError, NetworkError, Request
from jackfield.testing import Relay, Reply, Tamper

BODY = b'{"name": "panel", "sockets": [1, 2, 3], "free": true}'
STALL = 0.05  # seconds of silence that a client bears
AT_ONCE = 32  # stalled at one time
WHOLE = Reply(body=BODY, headers={"connection": "close"})  # after which each call begins with a new connection
RECORD = 22  # bytes that TLS 1.3 adds to what it carries in one piece
FAREWELL = RECORD + 2  # bytes of its close_notify
PATIENT = {"read_timeout": 10.0, "connect_timeout": 10.0}  # of the next call, which waits for a slow machine only

By: TypeAlias = Literal["close", "reset", "half-close", "stall", "flip"]
Way: TypeAlias = Literal["request", "answer"]
Outcome: TypeAlias = bytes | Exception
T = TypeVar("T")


class Right(Protocol):
    """What a call should come to."""

    def fault(self, outcome: Outcome) -> str:
        """What is wrong with an outcome; empty if nothing is."""
        ...


class Gives(NamedTuple):
    """The whole body."""

    body: bytes = BODY

    def fault(self, outcome: Outcome) -> str:
        return "" if outcome == self.body else f"{outcome!r}"


class Fails(NamedTuple):
    """An error that is right.

    Attributes:
        kind: what it is.
        doubt: whether it says that a POST may have been processed.
        attempts: how many it tells of.
        permanent: whether it says that the next attempt would fail, too, as a cut does not; None where it may.
    """

    kind: type[JackfieldError] = NetworkError
    doubt: bool = True
    attempts: int = 1
    permanent: bool | None = False

    def fault(self, outcome: Outcome) -> str:
        if not isinstance(outcome, self.kind):
            return f"{outcome!r}"
        if outcome.call is None:
            return "an error that does not say of which call"
        if outcome.call.attempts != self.attempts:
            return f"{outcome.call.attempts} attempts"
        if outcome.call.may_have_been_processed != self.doubt:
            return f"{outcome!r}, {'but it may' if self.doubt else 'but it cannot'} have been processed"
        if isinstance(outcome, NetworkError) and self.permanent is not None and outcome.permanent != self.permanent:
            return f"{outcome!r}, permanent: {outcome.permanent}"
        return ""


LOST = Fails()


class Swept(Asker):
    """A client under a sweep.

    Attributes:
        wrong: all that was, with the places where it was.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.wrong: list[str] = []

    def outcome(self, method: str = "POST", *, client: Any = None, **parts: Any) -> Outcome:
        """What one call comes to."""
        request = Request(method, self.base.at("panel"), **parts)
        try:
            content: bytes = self._settled(lambda: (client or self.client).ask(request)).content
        except Exception as error:
            return error
        return content

    def judge(self, place: object, outcome: Outcome, right: Right = LOST) -> None:
        """Notes what is wrong with an outcome; and with the call that follows, which must succeed."""
        if fault := right.fault(outcome):
            self.wrong.append(f"{place}: {fault}")
        if fault := Gives().fault(self.outcome(client=self.client.with_options(**PATIENT))):
            self.wrong.append(f"{place}: the next call gave {fault}")


class Line:
    """A client, and a relay on its way: one exchange of a connection after the other is swept."""

    def __init__(self, swept: Swept, relay: Relay) -> None:
        self.swept = swept
        self.relay = relay

    def cut(self, exchange: int, by: By, at: int, right: Right = LOST, way: Way = "answer") -> bool:
        """Cuts an exchange of a new connection there, if it is so long; whether it was."""
        before = self.relay.tampered
        outcome = self._tampered_with(exchange, Tamper(by, at, way))
        was_cut = self.relay.tampered > before
        given_up = by == "stall"  # on a slow machine perhaps before it came so far
        self.swept.judge(f"{exchange} {way} {at}", outcome, right if was_cut or given_up else Gives())
        return was_cut

    def sweep(self, exchange: int, by: By, right: Right = LOST, way: Way = "answer", step: int = 1) -> int:
        """Cuts an exchange at one place after the other; the first at which there was nothing to cut."""
        return next(at for at in count(0, step) if not self.cut(exchange, by, at, right, way))

    def flip(self, exchange: int, at: int, way: Way) -> None:
        """Flips a bit there: of what is not protected if it does no harm; whatever it does, the body is right."""
        outcome = self._tampered_with(exchange, Tamper("flip", at, way))
        kind, doubt = (ConnectError if exchange == 1 else NetworkError), not isinstance(outcome, ConnectError)
        right = Gives() if outcome == BODY else Fails(kind, doubt, permanent=None)
        self.swept.judge(f"{exchange} {way} {at}", outcome, right)

    def _tampered_with(self, exchange: int, tamper: Tamper) -> Outcome:
        number = self.relay.connections + 1
        self.relay.plan(*[None] * (exchange - 1), tamper)
        outcome = self.swept.outcome()
        assert self.relay.peer(number).ended.wait(GUARD)  # by then it is known what came true of the plan
        self.relay._plan.clear()  # where there were fewer exchanges, or the connection did not come so far
        return outcome


class Trusted:
    """A server that proves who it is, and who believes it.

    Attributes:
        trust: for a client.
    """

    def __init__(self, folder: Path) -> None:
        authority = Authority()
        self.trust = authority.client_context()
        self._certificate = authority.issue("127.0.0.1", "service.test").file(folder)

    def context(self, version: TLSVersion = TLSVersion.TLSv1_3, tickets: int = 0) -> SSLContext:
        """For the server."""
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        context.maximum_version = version
        context.num_tickets = tickets
        return context


def farewell(peer: Peer) -> None:
    """Ends TLS as it should be, and then the connection."""
    assert isinstance(peer.socket, SSLSocket)
    peer.socket.unwrap()
    peer.end("close")


def many_at_once(work: Callable[[T], list[str]], places: Iterable[T]) -> list[str]:
    """All that is wrong at places of which each takes its time."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [fault for faults in threads.map(work, places) for fault in faults]
