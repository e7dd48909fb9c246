"""The downloads that wait and those that run: each a thread where an origin is really asked, else a step at a time."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ._fetching import is_loopback
from ._records import Request, Response, Stats
from ._transfer import Transfer

_GRACE = 0.05  # seconds for which a step waits for downloads from real origins, so that those that are quick are so


@dataclass(slots=True, kw_only=True, eq=False)
class Download:
    """A response on its way. `response` is the record as this download will write it, whatever was written since."""

    request: Request
    response: Response
    domain: str | None
    transfer: Transfer
    polls: int  # how many more reads find it under way
    seen: int = 0
    steps: Iterator[float] | None = None
    thread: threading.Thread | None = None
    is_over: bool = False

    @property
    def runs(self) -> bool:
        return self.steps is not None or self.thread is not None

    def start(self, in_table: bool) -> None:
        if in_table or not is_loopback(self.domain or ""):
            self.steps = self.transfer.steps()
            self.advance()
        else:
            self.thread = threading.Thread(target=self.transfer.run, name="buffy-emulator-download", daemon=True)
            self.thread.start()

    def advance(self, grace: float = 0) -> None:
        """One step further."""
        if self.thread is not None:
            self.thread.join(grace)
            self.is_over = not self.thread.is_alive()
        elif self.steps is not None and not self.is_over:
            self.is_over = next(self.steps, None) is None

    def shown(self) -> Stats:
        """How far it is, to who asks. One from the table was over at once: its bytes come with the polls."""
        stats = self.transfer.stats
        if self.thread is not None or not self.is_over or self.transfer.failed:
            return stats
        share = stats.downloaded_bytes * self.seen // (self.seen + self.polls + 1)
        return replace(stats, downloaded_bytes=share, state="downloading")


class Downloads:
    """All of them, in the order they were asked for."""

    def __init__(self) -> None:
        self.all: list[Download] = []

    def running(self) -> list[Download]:
        return [each for each in self.all if each.runs]

    def due(self, at_once: int, per_domain: int) -> Iterator[Download]:
        """One for each domain that has not enough of them, as long as there are not too many."""
        for domain in dict.fromkeys(each.domain for each in self.all):
            running = self.running()
            if len(running) >= at_once:
                return
            waiting = [each for each in self.all if each.domain == domain and not each.runs]
            if waiting and sum(each.domain == domain for each in running) < per_domain:
                yield waiting[0]

    def advance(self) -> None:
        """All that run, one step further."""
        deadline = time.monotonic() + _GRACE
        for download in self.running():
            download.advance(max(deadline - time.monotonic(), 0))

    def abandon(self) -> None:
        """Breaks off all of them, and waits for their threads."""
        for download in self.all:
            download.transfer.abandon()
        for download in self.all:
            if download.thread is not None:
                download.thread.join()
        self.all.clear()


def domain_of(url: str) -> str | None:
    """The host that counts for the limit. ValueError for an address that is none, which the server dies of."""
    parts = urlsplit(url)
    _ = parts.port
    return parts.hostname
