"""Orders: placed, looked at, and waited for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from jackfield import (
    DeadlineExceededError,
    Done,
    JobState,
    JobTimeoutError,
    NetworkError,
    ServiceError,
    job,
    operation,
)

from ._api import BuffyApi
from ._checks import check_bool
from ._choosing import SERVABLE, Wishes, choose, empty, newest_first, original
from ._errors import BuffyServerError, BuffyValueError
from ._models import RequestOut, Response
from ._order import Order
from ._strategies import differ
from ._waiting import COMPLETION, Tell, too_late, waiting

log = logging.getLogger("jackfield.buffy")

_REGISTERED = 10.0  # seconds until the server has looked at a request; it is a hint, and no more
_LOST = 10  # looks in a row that find nothing, after which it is ordered again
_AWAY = (502, 503, 504)  # said by a proxy: the server is not there


class Ordering(BuffyApi):
    """What one does with an order before there is something to read."""

    wait_timeout: float = 3600
    local_download_fallback: bool = True

    @operation(bounded=False)
    async def place(
        self,
        order: Order,
        prefer_cached: bool | None = None,
        prefer_pinned: bool | None = None,
        prefer_version: str | None = None,
        prefer_tag: str | None = None,
        force_pinned: bool | None = None,
        force_version: str | None = None,
        force_tag: str | None = None,
    ) -> None:
        """Tells the server that this is wanted, which fetches it if the strategy says so.

        Where the server is not reached, and `local_download_fallback` is on, the origin stands in for it: but not where
        something is forced, which an origin cannot tell.

        Args:
            order: the request.
            prefer_cached, prefer_pinned, prefer_version, prefer_tag, force_pinned, force_version, force_tag: which
                version, as `Wishes` has them; None leaves what was said before.

        Raises:
            BuffyServerError: the server does not take it.
            NetworkError: it is not reached, and the origin may not stand in for it.
        """
        check_bool("local_download_fallback", self.local_download_fallback)
        order.wish(
            prefer_cached=prefer_cached,
            prefer_pinned=prefer_pinned,
            prefer_version=prefer_version,
            prefer_tag=prefer_tag,
            force_pinned=force_pinned,
            force_version=force_version,
            force_tag=force_tag,
        )
        if order.asked.http_request_body:
            log.warning("a Buffy server of 0.7.3 does not send http_request_body to the origin")
        try:
            order.placed = await self.put_request(order.asked)
        except (NetworkError, DeadlineExceededError, BuffyServerError) as error:
            is_away = not isinstance(error, BuffyServerError) or error.status in _AWAY
            if not self.local_download_fallback or order.wishes.forced or not is_away:
                raise
            log.warning("Buffy is not reached at %s: what is wanted is fetched from its origin", self.url())
            order.go_local(is_direct=False)
            return
        wanted, given = order.asked.cache_configuration, order.placed.cache_configuration
        if wanted is not None and given is not None and differ(wanted, given):
            log.warning("Buffy knows this request with another cache configuration, which stays: take another group")
        await self._registered(order.placed)

    @job(COMPLETION)
    async def ready(self, order: Order) -> JobState[Response]:
        """Waits until a version can be served, the one that the order wishes for."""
        return await self.look(order)

    @operation
    async def look(self, order: Order) -> JobState[Response]:
        """Asks once which version is to be served, and how it stands."""
        wishes, bound = order.wishes, order.bound
        responses = await self.list_responses(order.known().id)
        if order.is_lost(bool(responses), after=_LOST):  # the server was flushed, or ended while it was at it
            log.warning("Buffy has lost what came of request %s: it is ordered again", order.known().id)
            order.placed = await self.put_request(order.asked)
        order.seen = chosen = self._chosen(bound, wishes, responses)
        if chosen is not None and chosen.status in SERVABLE:
            order.bind(chosen, wishes)
            if (newest := newest_first(responses)[0]).status == "failed":
                log.warning("%s; %s is served", empty(newest).text, chosen.version)
            return Done(chosen)
        return waiting(order, chosen)

    @operation(bounded=False)
    async def completed(self, order: Order, timeout: float | None = None, progress: Tell | None = None) -> Response:
        """The version that is served: the one that was, or the first that is ready.

        Args:
            order: which is placed, where it was not.
            timeout: seconds; None: `wait_timeout`.
            progress: is called with a `JobPolled` after each look at the server.

        Raises:
            BuffyTimeoutError: there is none yet.
        """
        if order.bound is not None:
            return order.bound
        await self._placed(order)
        if order.is_local:
            raise BuffyValueError(
                "this is fetched from its origin: there is no version to wait for; order() asks Buffy"
            )
        started = await self.ready.start(order)
        try:
            return await started.result(timeout, progress=progress)
        except JobTimeoutError as error:
            raise too_late(order, self.wait_timeout if timeout is None else timeout) from error.__cause__

    async def _placed(self, order: Order) -> None:
        """Has it ordered where it was not: once, however many threads or tasks want that."""

        async def place() -> None:
            if order.placed is None and not order.is_local:
                await self.place(order)

        if order.placed is None and not order.is_local:
            await self.runtime.flight(order, place)
        order.check_local()

    async def _registered(self, placed: RequestOut) -> None:
        """Waits until the server has looked at the request: only then there may be a new version."""
        if placed.request_timestamp is None:
            return
        ends, pause = self.runtime.monotonic() + _REGISTERED, 0.1
        while self.runtime.monotonic() < ends:
            try:
                if await self.is_registered(placed.id, placed.request_timestamp):
                    return
            except (NetworkError, DeadlineExceededError, ServiceError):
                return  # who waits for the version will be told
            await self.runtime.sleep(pause)
            pause = min(1.0, pause * 1.5)
        log.warning("Buffy has not looked at request %s for %g s: are its workers gone?", placed.id, _REGISTERED)

    def _chosen(self, bound: Response | None, wishes: Wishes, responses: list[Response]) -> Response | None:
        if bound is not None:
            for one in responses:
                if one.version == bound.version and one.status != "failed":
                    return original(one, responses)
        return choose(responses, wishes, self._now())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.runtime.now(), UTC)
