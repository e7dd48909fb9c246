"""The record of one call on its way through the chain: its clock, its limits, what is known of it."""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from ._errors import CallSummary, DeadlineExceededError, JackfieldError
from ._events import Event, emit

if TYPE_CHECKING:
    from ._messages import Request, Response
    from ._wiring import Wiring

_NOTE = "in this call: "


class Call:
    """One call of an operation. Steps read it; the core keeps it.

    Attributes:
        operation: its name, for people.
        runtime: time, chance, locks and blocking work.
        options: the settings in force.
        origin: the service's. Credentials are for it, and for no other.
        deadline: on the runtime's monotonic clock; `inf` for an operation that only awaits others.
        timeout: the seconds that the deadline was set with.
        attempts: how often a request was handed to the transport.
        sends: whether a request has this call as its record.
        stream: whether the answer's body is left to be read piece by piece.
        dry: stop before the transport, with the request that would have been sent.
        notes: of a call that is only to be explained, what steps say about it; else None.
        unanswered: it was sent, at least in part, and no answer has come that tells what became of it. A transport says
            so before its first byte.
        cut: the body of the last answer, an error's or a redirect's, is only what was read of it.
        begun: a request that is not idempotent was answered by a redirect to what came of it.
        fetched: whether anything was sent on the side of this call, at least in part.
        observers: who is told of events; empty costs nothing.
    """

    __slots__ = (
        "_request",
        "_wiring",
        "attempts",
        "begun",
        "cut",
        "deadline",
        "dry",
        "fetched",
        "notes",
        "observers",
        "operation",
        "options",
        "origin",
        "runtime",
        "sends",
        "started",
        "stream",
        "timeout",
        "unanswered",
    )

    def __init__(self, operation: str, wiring: Wiring, *, bounded: bool = True, within: Call | None = None) -> None:
        self._wiring = wiring
        self.operation = operation
        self.runtime = runtime = wiring.runtime
        self.options = options = wiring.options
        self.origin = wiring.base.origin
        self.observers = wiring.plugins.observers
        self.started = runtime.monotonic()
        self.deadline = self.started + options.timeout if bounded else inf
        self.attempts = 0
        self.sends = False
        self.stream = False
        self.dry = False
        self.notes: list[str] | None = None
        self._request: Request | None = None  # the last one handed to the transport: it bears credentials
        self.unanswered = False
        self.cut = False
        self.begun = False
        self.fetched = False
        self.timeout = options.timeout
        if within is not None:  # what an operation awaits ends with it
            if within.deadline < self.deadline:
                self.deadline, self.timeout = within.deadline, within.timeout
            self.dry, self.notes = within.dry, within.notes

    def sends_first(self) -> bool:
        """Whether a request may use this call as its record: it is the first to ask, and the call has a deadline."""
        first, self.sends = not self.sends, True
        return first and self.deadline < inf

    async def fetch(self, request: Request, purpose: str) -> Response:
        """Sends a request of a step's own, for a token say: past every step, and with no header but its own.

        It ends when this call ends, is no attempt of it, and observers are told of it. Whatever the status, it is an
        answer. Redirects are not followed.

        Args:
            request: what to send, to whatever origin.
            purpose: a word that tells people what it is for.

        Raises:
            NetworkError, DeadlineExceededError: as of the transport; they say which request it was.
        """
        own = Call(f"{self.operation} ({purpose})", self._wiring, within=self)
        try:
            response = await self._wiring.chain.end(request, own)
        except BaseException as error:
            self.fetched |= own.unanswered
            own.blame(error)
            raise
        self.fetched = True
        return response

    @property
    def sent(self) -> Request | None:
        """The last request that was handed to the transport. It bears credentials: it is not for logs."""
        return self._request

    @property
    def identity(self) -> bytes:
        """Whose credentials the client's requests bear, known before they do: a digest of 32 bytes, empty for none.

        It is for keeping what one may see from another: answers in a cache. Secrets are in it, so that who knows a name
        and not its password is somebody else; a guess can be held against it: it is not to be stored as it is.
        """
        return self._wiring.identity

    def beside(self) -> Call:
        """A call of its own, with all of the client's time: for work in the background."""
        return Call(self.operation, self._wiring)

    def bounded(self, seconds: float) -> Call:
        """This call with no more time than that: for work of a step that must not use all there is."""
        own = Call(self.operation, self._wiring, within=self)
        if (deadline := self.runtime.monotonic() + seconds) < own.deadline:
            own.deadline, own.timeout = deadline, seconds
        return own

    def remaining(self) -> float:
        """Seconds left until the deadline; not positive once it has passed."""
        return self.deadline - self.runtime.monotonic()

    def limit(self, seconds: float) -> float:
        """The given time, or what is left of the call's if that is less.

        Raises:
            DeadlineExceededError: nothing is left.
        """
        remaining = self.deadline - self.runtime.monotonic()
        if remaining <= 0:
            raise self.overdue()
        return seconds if seconds < remaining else remaining

    def overdue(self) -> DeadlineExceededError:
        """The error to raise when the deadline has passed."""
        return DeadlineExceededError.after(self.timeout)

    def emit(self, event: Event) -> None:
        """Tells the observers."""
        emit(self.observers, event)

    def url(self, request: Request) -> str:
        """The request's URL with nothing in it that may be secret."""
        return request.redacted(self.options.visible_query)

    def blame(self, error: BaseException) -> None:
        """Says on an error that it happened in this call; the innermost call wins."""
        if isinstance(error, JackfieldError):
            error.attach(self.summary())
        elif isinstance(error, Exception) and not any(map(_is_ours, getattr(error, "__notes__", None) or ())):
            with suppress(Exception):  # one that is frozen goes without
                error.add_note(f"{_NOTE}{self.summary()}")

    def summary(self) -> CallSummary:
        """What to tell about this call in an error."""
        request = self._request
        return CallSummary(
            self.operation,
            request.method if request else "",
            self.url(request) if request else "",
            self.attempts,
            self.runtime.monotonic() - self.started,
            self.begun or (request is not None and self.unanswered and not request.is_idempotent),
        )


def _is_ours(note: object) -> bool:
    return isinstance(note, str) and note.startswith(_NOTE)
