"""What one does with an order: place it, wait for it, read it, pin and tag what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from jackfield import NetworkError, UsageError, operation

from ._checks import check_bool, check_duration, check_tag, check_version
from ._errors import BuffyNotAppliedError, BuffyServerError, BuffyUnknownError, BuffyValueError
from ._models import Response
from ._order import Order
from ._reading import Reading

_APPLIED = 5.0  # seconds until a pin or tag has had its effect: the server's workers look about twice a second


class BuffyService(Reading):
    """Buffy: versions of what other servers have."""

    _removals: set[tuple[str, ...]]  # of tags, which a server was told, and which have had no effect so far

    @operation(bounded=False)
    async def pin(
        self, order: Order, value: bool = True, response_version: str | None = None, duration_sec: int | None = None
    ) -> str:
        """Keeps a version from being cleaned up, or lets it go, and says which."""
        check_bool("value", value)
        if duration_sec is not None:
            check_duration(duration_sec)
            if not value:
                raise BuffyValueError("duration_sec is for pins: leave it out to unpin")
        kept = await self._kept(order, _meant(order, response_version))
        name = kept.version
        doubt = await _doubt(self.put_pin(order.known().id, name, value, duration_sec))
        if duration_sec is None:
            await self._applied(order, name, lambda one: one.pinned == value, "pin" if value else "unpin", doubt)
        else:

            def holds(one: Response) -> bool:
                until = one.pinned_until_utc
                return until is not None and until != kept.pinned_until_utc and until > self._now()

            await self._applied(order, name, holds, "pin for a time", doubt)
        return name

    @operation(bounded=False)
    async def unpin(self, order: Order, response_version: str | None = None) -> str:
        """Lets a version go, and says which."""
        return await self.pin(order, value=False, response_version=response_version)

    @operation(bounded=False)
    async def tag(self, order: Order, tag: str, response_version: str | None = None, remove_tag: bool = False) -> str:
        """Puts a tag on a version, or takes it off, and says which."""
        check_bool("remove_tag", remove_tag)
        if remove_tag:
            return await self._untag(order, tag, response_version)
        check_tag(tag)
        kept = await self._kept(order, _meant(order, response_version))
        if tag not in kept.tags:
            doubt = await _doubt(self.put_tag(order.known().id, kept.version, tag))
            await self._applied(order, kept.version, lambda one: tag in one.tags, f"tag {tag!r}", doubt)
        return kept.version

    async def _untag(self, order: Order, tag: str, response_version: str | None) -> str:
        """Takes a tag off: a server of 0.7.3 ends where it is told so twice, or of one that is not there."""
        request, version = order.known().id, _meant(order, response_version)
        key = (str(self.url()), request, version, repr(tag))

        async def work() -> Response:
            found = await self._kept(order, version)
            if tag in found.tags:
                doubt = None
                if key not in self._removals:  # else it was told already, and may be at it
                    self._removals.add(key)
                    doubt = await self._removed(request, version, tag, key)
                what = f"removal of the tag {tag!r}"
                found = await self._applied(order, version, lambda one: tag not in one.tags, what, doubt)
            self._removals.discard(key)
            return found

        order.renew(await self.runtime.flight(("untag", *key), work))
        return version

    async def _removed(self, request: str, version: str, tag: str, key: tuple[str, ...]) -> NetworkError | None:
        try:
            return await _doubt(self._delete_tag(request, version, tag))
        except (UsageError, NetworkError, BuffyServerError) as error:
            if not isinstance(error, BuffyServerError) or (error.status or 500) < 500:
                self._removals.discard(key)  # the server did not take it
            raise

    async def _kept(self, order: Order, version: str) -> Response:
        """The version that is meant, as it is now."""
        request = order.known()
        found = await self.get_response(request.id, version)
        if found is None:
            raise BuffyUnknownError(f"Buffy keeps no version {version} of request {request.id}", status=404)
        return found

    async def _applied(
        self, order: Order, version: str, holds: Callable[[Response], bool], what: str, doubt: NetworkError | None
    ) -> Response:
        """Waits until the server's workers have done what was asked for, and gives the version as it is then."""
        ends, pause = self.runtime.monotonic() + _APPLIED, 0.1
        while True:
            found = await self.get_response(order.known().id, version)
            if found is not None and holds(found):
                order.renew(found)
                return found
            if found is None or self.runtime.monotonic() >= ends:
                raise BuffyNotAppliedError(
                    f"the {what} of version {version} of request {order.known().id} had no effect within {_APPLIED:g} s"
                ) from doubt
            await self.runtime.sleep(pause)
            pause = min(1.0, pause * 1.5)


def _meant(order: Order, version: str | None) -> str:
    """The version that was given, or else the one that is served."""
    order.known()
    if version is not None:
        check_version(version)
        return version
    if order.bound is None:
        raise BuffyValueError("no version is served so far: give response_version, or download first")
    return order.bound.version


async def _doubt(claim: Awaitable[None]) -> NetworkError | None:
    """What became of a claim's answer, where it was lost: whether it was heeded, the version tells."""
    try:
        await claim
    except NetworkError as error:
        if not error.sent:
            raise
        return error
    return None
