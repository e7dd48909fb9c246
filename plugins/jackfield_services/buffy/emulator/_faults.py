"""The answers that go wrong on request: which request gets which, and what each looks like."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses

from jackfield_services._given import expect

from ._wire import JSON_HEADERS, Answer, Delivery, Headers, Json, as_html, as_json, detail, failure, of_bytes

_FROM_A_PROXY = frozenset({502, 503, 504})


class Fault(enum.Enum):
    """What happens to a request instead of its answer. With LOST and TRUNCATED it was carried out; else it was not."""

    RESET = "reset"
    CLOSE = "close"
    LOST = "lost"
    TRUNCATED = "truncated"
    HTML = "html"
    EMPTY = "empty"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in your words: bytes go out as they are, all else as JSON."""

    status: int
    body: Json = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        expect(self.status, int, "the status of a Reply is a whole number")
        self.answer()  # so that a body that is no JSON fails here

    def answer(self) -> Answer:
        """It, as it goes out."""
        headers: Headers = tuple(self.headers.items())
        if isinstance(self.body, bytes):
            return of_bytes(self.status, self.body, headers)
        return as_json(self.status, self.body, (*JSON_HEADERS, *headers))


_INSTEAD: Mapping[Fault, Answer] = {
    Fault.RESET: Answer(status=0, delivery=Delivery.RESET),
    Fault.CLOSE: Answer(status=0, delivery=Delivery.CLOSE),
    Fault.HTML: as_html(200, "Sign in"),
    Fault.EMPTY: Answer(status=200, headers=JSON_HEADERS),
    Fault.MALFORMED: of_bytes(200, b'{"id": ', JSON_HEADERS),
}


def instead(fault: Fault | Reply | int | None) -> Answer | None:
    """What is answered without carrying out the request; None where it is."""
    if isinstance(fault, int):
        return _of_status(fault)
    if isinstance(fault, Reply):
        return fault.answer()
    return None if fault is None else _INSTEAD.get(fault)


def _of_status(status: int) -> Answer:
    if status == 500:
        return failure()
    title = responses.get(status, "Error")
    return as_html(status, f"{status} {title}") if status in _FROM_A_PROXY else detail(status, title)


def spoilt(answer: Answer, fault: Fault | Reply | int | None) -> Answer:
    """The answer of a request that was carried out, as it reaches the client."""
    if fault is Fault.LOST:
        return answer.delivered(Delivery.CLOSE)
    return answer.delivered(Delivery.TRUNCATED) if fault is Fault.TRUNCATED else answer
