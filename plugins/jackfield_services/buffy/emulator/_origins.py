"""The table of what there is to download, and what was asked of it; no network."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from jackfield_services._given import expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What was asked of an origin in the table. Names of headers are as they were sent; they stay out of the repr."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(slots=True, kw_only=True)
class Origin:
    """What an address answers, so many times or for ever; after `broken_after` bytes the connection is lost."""

    body: bytes
    status: int
    headers: Mapping[str, str]
    broken_after: int | None
    times: int | None


class Origins:
    """Addresses and what they answer, in their order; an address that nothing is left of is not in the table."""

    def __init__(self) -> None:
        self._table: dict[str, list[Origin]] = {}
        self.fetches: list[Fetch] = []
        self._guard = threading.Lock()  # downloads take from it in threads of their own

    def add(self, url: str, origin: Origin) -> None:
        expect(url, str, "url is a text")
        expect(origin.body, bytes, "the body of an origin is text or bytes")
        expect(origin.status, int, "the status of an origin is a whole number")
        expect(origin.times, int | None, "times is a whole number or None")
        expect(origin.broken_after, int | None, "broken_after is a whole number or None")
        if origin.times is not None and origin.times < 1:
            raise ValueError(f"an origin answers once or more, not {origin.times} times")
        with self._guard:
            line = self._table.setdefault(urldefrag(url).url, [])
            if line and line[-1].times is None:
                line.pop()
            line.append(origin)

    def knows(self, url: str) -> bool:
        return bool(self._line(url))

    def take(self, fetch: Fetch) -> Origin | None:
        """What such an address answers this time; None where it is not in the table."""
        with self._guard:
            line = self._line(fetch.url)
            if not line:
                return None
            self.fetches.append(fetch)
            origin = line[0]
            if origin.times is not None:
                origin.times -= 1
                if not origin.times:
                    line.pop(0)
            return origin

    def _line(self, url: str) -> list[Origin]:
        """With its query, or the address alone."""
        whole = urldefrag(url).url
        return self._table.get(whole) or self._table.get(whole.partition("?")[0]) or []
