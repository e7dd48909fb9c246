"""What one does with an order: place it, wait for it, read it, pin and tag what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from jackfield import NetworkError, operation

from ._checks import check_duration, check_tag
from ._errors import BuffyNotAppliedError, BuffyUnknownError, BuffyValueError
from ._models import Response
from ._order import Order
from ._reading import Reading

_APPLIED = 5.0  # seconds until a pin or tag has had its effect: the server's workers look about twice a second


class BuffyService(Reading):
    """Buffy: versions of what other servers have."""

    @operation(bounded=False)
    async def pin(
        self, order: Order, value: bool = True, response_version: str | None = None, duration_sec: int | None = None
    ) -> str:
        """Keeps a version from being cleaned up, or lets it go, and says which."""
        if duration_sec is not None:
            check_duration(duration_sec)
            if not value:
                raise BuffyValueError("duration_sec is for pins: leave it out to unpin")
        name = (await self._kept(order, response_version)).version
        doubt = await _doubt(self._timely().put_pin(order.known().id, name, value, duration_sec))
        if duration_sec is None:
            await self._applied(order, name, lambda one: one.pinned == value, "pin" if value else "unpin", doubt)
        else:
            await self._applied(order, name, self._is_pinned, "pin for a time", doubt)
        return name

    @operation(bounded=False)
    async def unpin(self, order: Order, response_version: str | None = None) -> str:
        """Lets a version go, and says which."""
        return await self.pin(order, value=False, response_version=response_version)

    @operation(bounded=False)
    async def tag(self, order: Order, tag: str, response_version: str | None = None, remove_tag: bool = False) -> str:
        """Puts a tag on a version, or takes it off, and says which."""
        if not remove_tag:
            check_tag(tag)
        kept = await self._kept(order, response_version)
        if (tag in kept.tags) != remove_tag:
            return kept.version  # taking off what is not there would end the server
        doubt = await _doubt(self._timely().put_tag(order.known().id, kept.version, tag, remove_tag))
        what = "tag" if not remove_tag else "removal of the tag"
        await self._applied(order, kept.version, lambda one: (tag in one.tags) != remove_tag, f"{what} {tag!r}", doubt)
        return kept.version

    async def _kept(self, order: Order, version: str | None) -> Response:
        """The version that is meant, as it is now."""
        request = order.known()
        if version is None:
            if order.bound is None:
                raise BuffyValueError("no version is served so far: give response_version, or download first")
            version = order.bound.version
        found = await self._timely().get_response(request.id, version)
        if found is None:
            raise BuffyUnknownError(f"Buffy keeps no version {version} of request {request.id}", status=404)
        return found

    async def _applied(
        self, order: Order, version: str, holds: Callable[[Response], bool], what: str, doubt: NetworkError | None
    ) -> None:
        """Waits until the server's workers have done what was asked for."""
        ends, pause = self.runtime.monotonic() + _APPLIED, 0.1
        while True:
            found = await self._timely().get_response(order.known().id, version)
            if found is not None and holds(found):
                if order.bound is not None and order.bound.version == version:
                    order.bound = found
                return
            if found is None or self.runtime.monotonic() >= ends:
                raise BuffyNotAppliedError(
                    f"the {what} of version {version} of request {order.known().id} had no effect within {_APPLIED:g} s"
                ) from doubt
            await self.runtime.sleep(pause)
            pause = min(1.0, pause * 1.5)

    def _is_pinned(self, one: Response) -> bool:
        return one.is_pinned_at(self._now())


async def _doubt(claim: Awaitable[None]) -> NetworkError | None:
    """What became of a claim's answer, where it was lost: whether it was heeded, the version tells."""
    try:
        await claim
    except NetworkError as error:
        if not error.sent:
            raise
        return error
    return None
