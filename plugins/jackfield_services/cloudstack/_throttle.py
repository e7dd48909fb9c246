"""CloudStack's rate limit: the wait that its error text asks for, "retry after [N] ms", as HTTP's fields say it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import ceil

from jackfield import Call, Pure, Response, Stage, hookimpl

_told = re.compile(rb"retry after \[([0-9]{1,9})\] ?ms").search


def told_wait(text: bytes) -> float | None:
    """Seconds; None where the text does not say."""
    found = _told(text)
    return int(found[1]) / 1000 if found else None


class Throttle:
    """Stands below RETRY, so that whatever retries, or polls, knows how long to wait."""

    name = "throttle"

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.LIMIT, response=self._read)]

    def _read(self, response: Response, call: Call) -> Response:
        if response.status != 429 or "retry-after" in response.headers or not isinstance(response.body, bytes):
            return response
        wait = told_wait(response.body)
        if wait is None:
            return response
        headers = response.headers.replacing("Retry-After-Ms", f"{wait * 1000:.0f}")
        return response.replace(headers=headers.replacing("Retry-After", str(ceil(wait))))
