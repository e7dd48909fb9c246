"""Which of the versions that a server has is served. No I/O: the server's own answers to this are wrong or errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ._errors import BuffyCacheEmptyError, BuffyNoMatchError
from ._models import Response

SERVABLE = ("ready", "duplicate")


class Wishes(NamedTuple):
    """Which version is wanted: what is forced all holds; of what is preferred, what can be had.

    Attributes:
        prefer_cached: an older one that is ready at once, rather than a newer one that is still being fetched.
        prefer_pinned, force_pinned: True; False is as good as None.
        fallback: an older one where the newest could not be fetched.
    """

    prefer_cached: bool = True
    prefer_pinned: bool | None = None
    prefer_version: str | None = None
    prefer_tag: str | None = None
    force_pinned: bool | None = None
    force_version: str | None = None
    force_tag: str | None = None
    fallback: bool = True

    @property
    def forced(self) -> str:
        """What is forced, for people."""
        parts = [("pinned", self.force_pinned), ("version", self.force_version), ("tag", self.force_tag)]
        return ", ".join(name if value is True else f"{name} {value!r}" for name, value in parts if value)


def newest_first(responses: Iterable[Response]) -> list[Response]:
    """By their versions, whatever the order that they came in."""
    return sorted(responses, key=lambda response: response.version, reverse=True)


def choose(responses: Sequence[Response], wishes: Wishes, now: datetime) -> Response | None:
    """The version to serve, which may still be on its way; None where there is none yet.

    Args:
        responses: every version that the server has.
        wishes: which is wanted.
        now: to tell what is pinned.

    Raises:
        BuffyNoMatchError: none is as it must be.
        BuffyCacheEmptyError: none could be fetched.
    """
    found = newest_first(responses)
    allowed = [one for one in found if _is_forced(one, wishes, now)]
    if wishes.forced and not allowed:
        raise BuffyNoMatchError(f"no version is as it must be: {wishes.forced}")
    alive = [one for one in allowed if one.status != "failed"]
    if not alive:
        if allowed:
            raise empty(allowed[0])
        return None
    chosen = _preferred(alive, wishes, now)
    if not wishes.fallback and allowed[0].status == "failed" and not _is_named(chosen, wishes):
        raise empty(allowed[0])
    return original(chosen, found)


def original(chosen: Response, responses: Iterable[Response]) -> Response:
    """For a duplicate, the newest version that is ready and has the same content; else itself."""
    if chosen.status != "duplicate" or chosen.content_hash_hex is None:
        return chosen
    ready = (one for one in newest_first(responses) if one.status == "ready")
    return next((one for one in ready if one.content_hash_hex == chosen.content_hash_hex), chosen)


def empty(failed: Response) -> BuffyCacheEmptyError:
    """The error that a version which could not be fetched is, where there is no other."""
    told = failed.download_stats.reason if failed.download_stats else ""
    reason = told or "the server does not say why"
    return BuffyCacheEmptyError(
        f"version {failed.version} could not be fetched, and no other is kept: {reason}", text=reason
    )


def neighbour(responses: Iterable[Response], version: str, *, newer: bool) -> str | None:
    """The version that is ready and next to this one in time."""
    ready = [one.version for one in newest_first(responses) if one.status == "ready"]
    if newer:
        return next((other for other in reversed(ready) if other > version), None)
    return next((other for other in ready if other < version), None)


def _is_forced(one: Response, wishes: Wishes, now: datetime) -> bool:
    return (
        (not wishes.force_version or wishes.force_version == one.version)
        and (not wishes.force_tag or wishes.force_tag in one.tags)
        and (not wishes.force_pinned or one.is_pinned_at(now))
    )


def _is_named(one: Response, wishes: Wishes) -> bool:
    return one.version == wishes.prefer_version or (bool(wishes.prefer_tag) and wishes.prefer_tag in one.tags)


def _preferred(alive: Sequence[Response], wishes: Wishes, now: datetime) -> Response:
    """The newest that meets most: of tag, pin and being ready, what is dropped first is the pin, then the tag."""
    for one in alive:
        if one.version == wishes.prefer_version:
            return one
    tests: list[Callable[[Response], bool]] = []
    if wishes.prefer_pinned:
        tests.append(lambda one: one.is_pinned_at(now))
    if wishes.prefer_tag:
        tests.append(lambda one: wishes.prefer_tag in one.tags)
    if wishes.prefer_cached:
        tests.append(lambda one: one.status in SERVABLE)
    while tests:
        for one in alive:
            if all(test(one) for test in tests):
                return one
        del tests[0]
    return alive[0]
