"""What is kept of an answer."""

from __future__ import annotations

from typing import NamedTuple

Fields = tuple[tuple[str, str], ...]


class Stored(NamedTuple):
    """An answer as it is kept.

    Attributes:
        status: of the answer.
        headers: its fields as they came and in their order, without those that are not kept (RFC 9111 §3.1).
        body: whole, decoded as the transport gave it.
        asked_at: when its request was sent, seconds since 1970 by this client's clock.
        came_at: when its head had come, by the same clock.
        selecting: the request's fields that its `Vary` names, in lower case, sorted, and normalised; None for one that
            the request did not have.
    """

    status: int
    headers: Fields
    body: bytes
    asked_at: float
    came_at: float
    selecting: tuple[tuple[str, str | None], ...] = ()
