"""What the server keeps of an order: its versions, and how it is cached."""

from __future__ import annotations

from jackfield import operation

from ._checks import check_count, check_status, check_text, checked_configuration
from ._choosing import neighbour
from ._errors import BuffyNotAppliedError
from ._models import Response, Status
from ._order import Order
from ._ordering import Ordering
from ._strategies import RequestCacheConfiguration, differ


class Versions(Ordering):
    """What one asks of an order that is placed."""

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
        check_text("tag", tag)
        check_count("skip", skip, least=0)
        check_count("limit", 0 if limit is None else limit, least=0)
        return await self.list_responses(order.known().id, status, tag, skip, limit or 0)

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
        placed = order.known()
        holds = await self.put_cache_config(placed.id, configuration)
        if differ(configuration, holds):
            raise BuffyNotAppliedError(
                "Buffy keeps the cache configuration that it has: for another, take another group"
            )
        placed.cache_configuration = holds
