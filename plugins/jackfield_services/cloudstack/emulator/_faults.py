"""The answers that go wrong on request: which request gets which, and what each looks like."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from jackfield_services._given import expect

from ._catalogue import COMMANDS
from ._refusal import Refusal
from ._spelled import spelled
from ._wire import Answer, Delivery, page_of_html, refused

_FROM_A_PROXY = frozenset({502, 503, 504})


class Fault(enum.Enum):
    """What happens to a request instead of its answer; the command itself does not run."""

    RESET = "reset"
    CLOSE = "close"
    HTML = "html"
    TRUNCATED = "truncated"
    NO_ENVELOPE = "no envelope"
    EMPTY = "empty"
    MALFORMED = "malformed"


_ANSWERS: Mapping[Fault, Answer] = {
    Fault.RESET: Answer(status=0, delivery=Delivery.RESET),
    Fault.CLOSE: Answer(status=0, delivery=Delivery.CLOSE),
    Fault.HTML: page_of_html(200, "Sign in"),
    Fault.TRUNCATED: Answer(status=200, body=b'{"listzonesresponse":{"count', delivery=Delivery.TRUNCATED),
    Fault.NO_ENVELOPE: Answer(status=200, body=b'[{"id":"1"},{"id":"2"}]'),
    Fault.EMPTY: Answer(status=200),
    Fault.MALFORMED: Answer(status=200, body=b'{"listzonesresponse":{"count":1,"zone":[{]}}'),
}


@dataclass(slots=True)
class _Injected:
    fault: Fault | Refusal | int
    times: int
    command: str | None


class Faults:
    """The injected faults, first in, first out; each for the requests of its command, or for any."""

    def __init__(self) -> None:
        self._waiting: list[_Injected] = []

    def inject(self, fault: Fault | Refusal | int, times: int, command: str | None) -> None:
        expect(fault, Fault | Refusal | int, "a fault is a Fault, a Refusal or an HTTP status, as in 503")
        expect(times, int, "times is a whole number")
        if isinstance(fault, int) and not 400 <= fault <= 599:
            raise ValueError(f"an injected HTTP status is one of 400 to 599, not {fault}")
        if times < 1:
            raise ValueError(f"a fault is injected once or more, not {times} times")
        self._waiting.append(_Injected(fault, times, None if command is None else spelled(command, COMMANDS).lower()))

    def take(self, parameters: Mapping[str, str]) -> Answer | None:
        """The answer of the first fault that waits for such a request."""
        command = parameters.get("command", "").lower()
        for injected in self._waiting:
            if injected.command in (None, command):
                injected.times -= 1
                if not injected.times:
                    self._waiting.remove(injected)
                return _answer(injected.fault, parameters)
        return None


def _answer(fault: Fault | Refusal | int, parameters: Mapping[str, str]) -> Answer:
    if isinstance(fault, Fault):
        return _ANSWERS[fault]
    if isinstance(fault, int) and fault in _FROM_A_PROXY:
        return page_of_html(fault, HTTPStatus(fault).phrase)
    refusal = Refusal(fault) if isinstance(fault, int) else fault
    command, response_type = parameters.get("command"), parameters.get("response", "xml").lower()
    return refused(refusal.error(), command, known=command in COMMANDS, response_type=response_type)
