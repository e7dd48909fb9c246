"""Cancelling by a request to the URL of the job's state."""

from __future__ import annotations

from typing import Any

from jackfield import Pending, Request, Url, follow


class CancelRequest:
    """A `cancel` for jobs whose id is the URL of their state.

    Args:
        method: of the request.
        suffix: added to the URL's path: `/cancel`, or `:cancel`.
    """

    def __init__(self, method: str = "DELETE", suffix: str = "") -> None:
        self._method = method
        self._suffix = suffix

    async def __call__(self, service: Any, job: Pending) -> None:
        there = follow(Request(self._method, service.url(), idempotent=True), job.id)
        await service.send(there.replace(url=Url(there.url.origin, there.url.path + self._suffix)))
