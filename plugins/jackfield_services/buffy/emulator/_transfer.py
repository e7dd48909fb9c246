"""One download, as stubbornly as the server does it: attempts, waits and resumption; what was stored is in `data`."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime

from ._fetching import Fetching
from ._filenames import guessed, proper
from ._origins import Fetch
from ._outgoing import Unreachable, outgoing
from ._quirks import Quirk
from ._records import Attributes, Marks, Request, Stats
from ._settings import Settings

_ATTEMPTS = 6
_WAIT = 2  # seconds, where an origin that is asked too often says 0


class Failed(Exception):
    """Why a download ended, in the server's words; `at_once`: before it was seen to run, which the server dies of."""

    def __init__(self, kind: str, message: str, *, at_once: bool = False) -> None:
        super().__init__(message)
        self.at_once = at_once
        trace = 'Traceback (most recent call last):\n  File "buffy/tools/stuborn_downloader.py", in download\n'
        self.trace = f"{trace}{kind}: {message}\n"


class Transfer:
    """Fetches what a request asks for into `data`.

    Attributes:
        stats: how far it is.
        headers: of the answer, once there is one.
        digest: of the content, at the end.
        failed: why it ended without.
    """

    def __init__(self, request: Request, fetching: Fetching, data: bytearray, settings: Settings) -> None:
        self._said = request.said
        self._fetching = fetching
        self._settings = settings
        self.data = data
        self.stats = Stats()
        self.headers: Mapping[str, str] = {}
        self.digest: str | None = None
        self.failed: Failed | None = None
        self._ranges = False
        self._ended = threading.Event()

    def run(self) -> None:
        """All of it, with the waits."""
        for seconds in self.steps():
            self._ended.wait(seconds)

    def steps(self) -> Iterator[float]:
        """All of it, with the seconds to wait in between."""
        try:
            yield from self._stubbornly()
        except Failed as error:
            self.failed = error
            if self.stats.state != "failed":  # it ended before anybody looked
                self.stats, self.headers = Stats(), {}
        finally:
            self._fetching.close()

    def abandon(self) -> None:
        """Ends `run`, soon, from another thread."""
        self._ended.set()
        self._fetching.abandon()

    def attributes(self) -> Attributes:
        """What is known of the content. ValueError for a date that is none, which the server dies of."""
        if not self.headers:
            return Attributes()
        modified = self.headers.get("last-modified")
        kind = self.headers.get("content-type", "").split(";")[0]
        name = guessed if Quirk.BAD_FILENAMES in self._settings.quirks else proper
        return Attributes(
            media_type=kind or None,
            etag=self.headers.get("etag"),
            content_size_bytes=self.stats.downloaded_bytes if self.stats.state == "finished" else None,
            last_modified_datetime_utc=None if modified is None else parsedate_to_datetime(modified),
            filename=name(self.headers, self._said["url"]),
            content_disposition=self.headers.get("content-disposition"),
        )

    def look(self) -> Marks | None:
        """What the origin says of the content, without getting it; None where it says nothing."""
        try:
            got = self._fetching.get(replace(self.fetch(), method="HEAD", body=b""))
        finally:
            self._fetching.close()
        self.headers = got.headers
        known = self.attributes()
        length = got.headers.get("content-length", "")
        marks = (known.etag, known.last_modified_datetime_utc, int(length) if length.isdigit() else None)
        return marks if any(marks) and got.status < 400 else None

    def _stubbornly(self) -> Iterator[float]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                yield from self._attempt()
            except Unreachable as error:
                if attempt == _ATTEMPTS:
                    self.stats = replace(self.stats, state="failed")
                    raise Failed(f"requests.exceptions.{error.kind}", str(error)) from error
            else:
                self.stats = replace(self.stats, state="finished")
                return

    def _attempt(self) -> Iterator[float]:
        name = self._said["validation_hash_type"]
        if name is None:
            what = "'StubornDownloader' object has no attribute '_hash_func'"
            raise Failed("AttributeError", what, at_once=True)
        digest = hashlib.new(name, usedforsecurity=False)
        resumed = self.stats.downloaded_bytes if self._ranges and Quirk.BAD_RESUME in self._settings.quirks else 0
        if Quirk.BAD_RESUME not in self._settings.quirks:
            self.stats = replace(self.stats, downloaded_bytes=0)
        yield from self._ask(resumed)
        if not resumed:
            self.data.clear()
        for piece in self._pieces:
            self.data += piece
            digest.update(piece)
            self._count(len(piece))
        try:
            self.digest = digest.hexdigest()
        except TypeError as error:  # shake_128 has no length of its own
            raise Failed("TypeError", str(error)) from error

    def _ask(self, resumed: int) -> Iterator[float]:
        """Gets an answer that is neither a refusal nor to be waited for."""
        ranges: dict[str, str] = {}
        while True:
            got = self._fetching.get(self.fetch(ranges))
            self._ranges = got.headers.get("accept-ranges") == "bytes"
            if got.status == 429:
                yield _seconds(got.headers.get("retry-after"))
            elif not self._ranges and resumed:
                raise Failed("ValueError", "'Accept-Ranges' is false but 'start_at_byte' required by caller.")
            elif resumed and not ranges:
                ranges = {"Range": f"bytes={resumed}"}  # which is none, and so an origin sends all of it
            else:
                break
        if got.status >= 400:
            side = "Client" if got.status < 500 else "Server"
            raise Unreachable("HTTPError", f"{got.status} {side} Error: {got.reason} for url: {self.fetch().url}")
        self.headers = got.headers
        self._pieces = got.pieces
        self._begin(got.headers.get("content-length"))

    def fetch(self, more: Mapping[str, str] | None = None) -> Fetch:
        """What the origin is asked. Unreachable where it cannot be asked at all."""
        fetch = outgoing(self._said, with_body=Quirk.NO_BODY not in self._settings.quirks)
        return replace(fetch, headers={**fetch.headers, **(more or {})})

    def _begin(self, length: str | None) -> None:
        if length is not None and not length.isdigit():
            raise Failed("pydantic.error_wrappers.ValidationError", "total_bytes_to_download is no valid integer")
        self.stats = Stats(
            downloaded_bytes=self.stats.downloaded_bytes,
            avg_bytes_per_sec=0,
            download_running_duration_sec=0,
            download_start_time_unix_ts=self._settings.now(),
            total_bytes_to_download=None if length is None else int(length),
            state="downloading",
        )

    def _count(self, more: int) -> None:
        took = max(self._settings.now() - (self.stats.download_start_time_unix_ts or 0), 1e-6)
        got = self.stats.downloaded_bytes + more
        self.stats = replace(
            self.stats, downloaded_bytes=got, avg_bytes_per_sec=int(got / took), download_running_duration_sec=took
        )


def _seconds(retry_after: str | None) -> int:
    if retry_after is None:
        what = "int() argument must be a string, a bytes-like object or a real number, not 'NoneType'"
        raise Failed("TypeError", what)
    try:
        return int(retry_after) or _WAIT
    except ValueError as error:
        raise Failed("ValueError", str(error)) from error
