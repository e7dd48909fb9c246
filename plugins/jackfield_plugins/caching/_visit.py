"""One request at the cache, and what was decided about it."""

from __future__ import annotations

from typing import NamedTuple

from jackfield import Call, Proceed, Request

from ._deciding import Decision
from ._keys import Key


class Visit(NamedTuple):
    """A request that has come to the cache.

    Attributes:
        request: as its caller meant it.
        call: its record.
        proceed: the way on to the service.
        key: where answers to it are kept.
        decision: what to do with it.
        puts: how often something had been kept when it was decided.
    """

    request: Request
    call: Call
    proceed: Proceed
    key: Key
    decision: Decision
    puts: int
