"""The answers that go wrong on request: which request gets which, and what each looks like."""

import enum
from collections.abc import Mapping
from http import HTTPStatus

from jackfield_services._injected import Injected

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


class Faults:
    """The injected faults, each for the requests of its command, or for any."""

    def __init__(self) -> None:
        self._waiting = Injected[Fault | Refusal, str](Fault | Refusal, "a Fault, a Refusal")

    def inject(self, fault: Fault | Refusal | int, times: int, command: str | None) -> None:
        wanted = None if command is None else spelled(command, COMMANDS).lower()
        self._waiting.add(fault, times, lambda asked: wanted in (None, asked))

    def take(self, parameters: Mapping[str, str]) -> Answer | None:
        """The answer of the first fault that waits for such a request."""
        fault = self._waiting.take(parameters.get("command", "").lower())
        return None if fault is None else _answer(fault, parameters)


def _answer(fault: Fault | Refusal | int, parameters: Mapping[str, str]) -> Answer:
    if isinstance(fault, Fault):
        return _ANSWERS[fault]
    if isinstance(fault, int) and fault in _FROM_A_PROXY:
        return page_of_html(fault, HTTPStatus(fault).phrase)
    refusal = Refusal(fault) if isinstance(fault, int) else fault
    command, response_type = parameters.get("command"), parameters.get("response", "xml").lower()
    return refused(refusal.error(), command, known=command in COMMANDS, response_type=response_type)
