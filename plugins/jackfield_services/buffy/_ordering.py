"""Orders: placed, looked at, and waited for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self, TypeAlias

from msgspec.structs import replace

from jackfield import (
    DeadlineExceededError,
    Done,
    JobPolled,
    JobState,
    JobTimeoutError,
    NetworkError,
    Pending,
    ServiceError,
    job,
    operation,
)
from jackfield_plugins.polling import Polling

from ._api import BuffyApi
from ._checks import check_count, check_status, checked_configuration
from ._choosing import SERVABLE, Wishes, choose, empty, neighbour, newest_first, original
from ._errors import BuffyNotAppliedError, BuffyServerError, BuffyTimeoutError, BuffyValueError
from ._models import RequestOut, Response, Status
from ._order import Order
from ._strategies import RequestCacheConfiguration

Tell: TypeAlias = Callable[[JobPolled], object]

log = logging.getLogger("jackfield.buffy")

_REGISTERED = 10.0  # seconds until the server has looked at a request; it is a hint, and no more
_LOST = 10  # looks in a row that find nothing, after which it is ordered again
_AWAY = (502, 503, 504)  # said by a proxy: the server is not there


class Waiting(Pending):
    """An order that is waited for."""

    order: Order

    def _replace(self, **changes: Any) -> Waiting:  # pyright: ignore[reportIncompatibleMethodOverride]  # keeps it
        other = super()._replace(**changes)
        other.order = self.order
        return other


async def _poll(service: Ordering, waiting: Pending) -> JobState[Response]:
    if not isinstance(waiting, Waiting):
        raise BuffyValueError("this was begun in another process: create the request here, the server finds it")
    return await service.look(waiting.order)


COMPLETION = Polling(_poll, interval=0.1, growth=1.5, longest=1.0, timeout=lambda service: service.wait_timeout)


class Ordering(BuffyApi):
    """What one does with an order before there is something to read."""

    buffy_server_timeout_sec: float = 5
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

        Where the server is not reached, and `local_download_fallback` is on, the origin stands in for it.

        Args:
            order: the request.
            prefer_cached, prefer_pinned, prefer_version, prefer_tag, force_pinned, force_version, force_tag: which
                version, as `Wishes` has them; None leaves what was said before.

        Raises:
            BuffyServerError: the server does not take it.
            NetworkError: it is not reached, and the origin may not stand in for it.
        """
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
            order.placed = await self._timely().put_request(order.asked)
        except (NetworkError, DeadlineExceededError, BuffyServerError) as error:
            if not self.local_download_fallback or (isinstance(error, BuffyServerError) and error.status not in _AWAY):
                raise
            log.warning("Buffy is not reached at %s: what is wanted is fetched from its origin", self.url())
            order.is_local = True
            return
        wanted, given = order.asked.cache_configuration, order.placed.cache_configuration
        if wanted is not None and given is not None and _differ(wanted, given):
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
        responses = await self._timely().list_responses(order.known().id)
        if order.is_lost(bool(responses), after=_LOST):  # the server was flushed, or ended while it was at it
            log.warning("Buffy has lost what came of request %s: it is ordered again", order.known().id)
            order.placed = await self._timely().put_request(order.asked)
        order.seen = chosen = self._chosen(bound, wishes, responses)
        if chosen is not None and chosen.status in SERVABLE:
            order.bind(chosen, wishes)
            if (newest := newest_first(responses)[0]).status == "failed":
                log.warning("%s; %s is served", empty(newest).text, chosen.version)
            return Done(chosen)
        waiting = Waiting(order.known().id, order.asked.shown_url, state=chosen.status if chosen else "registered")
        waiting.order = order
        return waiting if chosen is None else waiting._replace(progress=_progress(chosen))

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
            raise _too_late(order, self.wait_timeout if timeout is None else timeout) from error.__cause__

    async def _placed(self, order: Order) -> None:
        """Has it ordered where it was not: once, however many threads or tasks want that."""

        async def place() -> None:
            if order.placed is None and not order.is_local:
                await self.place(order)

        if order.placed is None and not order.is_local:
            await self.runtime.flight(order, place)

    @operation(bounded=False)
    async def versions(
        self,
        order: Order,
        status: Status | None = "ready",
        tag: str | None = None,
        skip: int = 0,
        limit: int | None = 10,
    ) -> list[Response]:
        """The versions that the server keeps of an order, the newest first.

        Args:
            order: which is placed.
            status: of those; None: of any.
            tag: with this one.
            skip, limit: how many of them are left out, and how many come at most; None: all.
        """
        check_status(status)
        check_count("skip", skip, least=0)
        check_count("limit", 0 if limit is None else limit, least=0)
        return await self._timely().list_responses(order.known().id, status, tag, skip, limit or 0)

    @operation(bounded=False)
    async def version(self, order: Order) -> str | None:
        """The version that is served, or would be if it were ready; None where there is none so far."""
        if order.bound is None and not order.is_local and order.placed is not None:
            await self.look(order)
            return order.seen.version if order.seen else None
        return None if order.bound is None else order.bound.version

    @operation(bounded=False)
    async def newer(self, order: Order) -> str | None:
        """The next version after the one that is served, of those that are ready."""
        return await self._neighbour(order, newer=True)

    @operation(bounded=False)
    async def older(self, order: Order) -> str | None:
        """The last version before the one that is served, of those that are ready."""
        return await self._neighbour(order, newer=False)

    async def _neighbour(self, order: Order, *, newer: bool) -> str | None:
        version = await self.version(order)
        return None if version is None else neighbour(await self.versions(order, limit=None), version, newer=newer)

    @operation(bounded=False)
    async def configure(self, order: Order, configuration: RequestCacheConfiguration) -> None:
        """How an order is cached; of one that was placed, a server of 0.7.3 changes nothing.

        Raises:
            BuffyNotAppliedError: it says that it does, and holds on to what it had.
        """
        configuration = checked_configuration(configuration)
        if order.placed is None:
            order.asked.cache_configuration = configuration
            return
        holds = await self._timely().put_cache_config(order.placed.id, configuration)
        if _differ(configuration, holds):
            raise BuffyNotAppliedError(
                "Buffy keeps the cache configuration that it has: for another, take another group"
            )
        order.placed.cache_configuration = holds

    async def _registered(self, placed: RequestOut) -> None:
        """Waits until the server has looked at the request: only then there may be a new version."""
        if placed.request_timestamp is None:
            return
        ends, pause = self.runtime.monotonic() + _REGISTERED, 0.1
        while self.runtime.monotonic() < ends:
            try:
                if await self._timely().is_registered(placed.id, placed.request_timestamp):
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

    def _timely(self) -> Self:
        """This, where each call has `buffy_server_timeout_sec`."""
        return self.with_options(timeout=self.buffy_server_timeout_sec)


def _progress(response: Response) -> float | None:
    """The part that the server has, where the origin tells how much there is; coded bodies can be more than that."""
    stats = response.download_stats
    if stats is None or not stats.total_bytes_to_download:
        return None
    return min(1.0, stats.downloaded_bytes / stats.total_bytes_to_download)


def _differ(wanted: RequestCacheConfiguration, given: RequestCacheConfiguration) -> bool:
    return replace(wanted, request_id=given.request_id) != given


def _too_late(order: Order, seconds: float) -> BuffyTimeoutError:
    where = f"request {order.known().id} of {order.asked.shown_url}"
    seen, far = order.seen, ""
    if seen is None:
        return BuffyTimeoutError(f"{where} has no version after {seconds:g} s; Buffy goes on: wait again")
    if seen.download_stats is not None:
        total = seen.download_stats.total_bytes_to_download
        far = f", with {seen.download_stats.downloaded_bytes} of {'?' if total is None else total} bytes"
    return BuffyTimeoutError(
        f"{where}: version {seen.version} is {seen.status} after {seconds:g} s{far}; Buffy goes on: wait again"
    )
