"""The answers that go wrong on request: which request gets which, and what each looks like."""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from jackfield_services._given import expect

from ._wire import JSON_HEADERS, Answer, Delivery, Headers, Json, Refused, as_html, as_json, code_of

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
    ARRAY = "array"


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
            return Answer(status=self.status, body=self.body, headers=headers)
        return as_json(self.status, self.body, headers)


_INSTEAD: Mapping[Fault, Answer] = {
    Fault.RESET: Answer(status=0, delivery=Delivery.RESET),
    Fault.CLOSE: Answer(status=0, delivery=Delivery.CLOSE),
    Fault.HTML: as_html(200, "Sign in"),
    Fault.EMPTY: Answer(status=200, headers=JSON_HEADERS),
    Fault.MALFORMED: Answer(status=200, body=b'{"data": [{"id": ', headers=JSON_HEADERS),
    Fault.ARRAY: as_json(500, json.loads('["an error that is no object"]')),
}


def instead(fault: Fault | Reply | int | None) -> Answer | None:
    """What is answered without carrying out the request; None where it is. Refused where it is an error of the API."""
    if isinstance(fault, int):
        if fault in _FROM_A_PROXY:
            return as_html(fault, f"{fault} {code_of(fault).replace('_', ' ').title()}")
        raise Refused(fault, code_of(fault), f"The emulator was told to answer {fault}.")
    if isinstance(fault, Reply):
        return fault.answer()
    return None if fault is None else _INSTEAD.get(fault)


def spoilt(answer: Answer, fault: Fault | Reply | int | None) -> Answer:
    """The answer of a request that was carried out, as it reaches the client."""
    if fault is Fault.LOST:
        return Answer(status=0, delivery=Delivery.CLOSE)
    return replace(answer, delivery=Delivery.TRUNCATED) if fault is Fault.TRUNCATED else answer
