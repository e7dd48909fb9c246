"""Waiting for a version: how often the server is asked, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from jackfield import JobPolled, JobState, Pending
from jackfield_plugins.polling import Polling

from ._errors import BuffyTimeoutError, BuffyValueError
from ._models import Response
from ._order import Order

Tell: TypeAlias = Callable[[JobPolled], object]


class Waiting(Pending):
    """An order that is waited for."""

    order: Order

    def _replace(self, **changes: Any) -> Waiting:  # pyright: ignore[reportIncompatibleMethodOverride]  # keeps it
        other = super()._replace(**changes)
        other.order = self.order
        return other


async def _poll(service: Any, waiting: Pending) -> JobState[Response]:
    if not isinstance(waiting, Waiting):
        raise BuffyValueError("this was begun in another process: create the request here, the server finds it")
    state: JobState[Response] = await service.look(waiting.order)
    return state


COMPLETION = Polling(_poll, interval=0.1, growth=1.5, longest=1.0, timeout=lambda service: service.wait_timeout)


def waiting(order: Order, chosen: Response | None) -> Waiting:
    """How an order stands for which this version was chosen."""
    state = Waiting(order.known().id, order.asked.shown_url, state=chosen.status if chosen else "registered")
    state.order = order
    return state if chosen is None else state._replace(progress=_progress(chosen))


def _progress(response: Response) -> float | None:
    """The part that the server has, where the origin tells how much there is; coded bodies can be more than that."""
    stats = response.download_stats
    if stats is None or not stats.total_bytes_to_download:
        return None
    return min(1.0, stats.downloaded_bytes / stats.total_bytes_to_download)


def too_late(order: Order, seconds: float) -> BuffyTimeoutError:
    """The error that waiting ends with when its time is up."""
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
