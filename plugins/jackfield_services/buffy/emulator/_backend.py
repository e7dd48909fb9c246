"""What the server does in the background, one step after the other; it answers nobody."""

import datetime
from collections import deque
from dataclasses import replace

from ._claims import Claims
from ._downloads import Download, Downloads, domain_of
from ._fetching import Fetching
from ._janitor import Janitor
from ._lethal import die
from ._origins import Origins
from ._quirks import Quirk
from ._records import Attributes, Request, Response, utc
from ._settings import Settings
from ._store import Store
from ._strategies import Strategies
from ._transfer import Transfer

_DUPLICATES_KEPT = datetime.timedelta(seconds=120)


class Backend:
    """`step` is one round of the server's loop. Called under the store's lock."""

    def __init__(self, settings: Settings, store: Store, origins: Origins, claims: Claims) -> None:
        self._settings = settings
        self._store = store
        self._origins = origins
        self._claims = claims
        self._janitor = Janitor(settings, store)
        self._strategies = Strategies(settings, store, origins)
        self._downloads = Downloads()
        self.plans: deque[int] = deque()

    def end(self) -> None:
        """What it remembers itself is gone, and what it did is broken off."""
        self.forget()
        self._strategies.forget()

    def forget(self) -> None:
        """Breaks off what it does."""
        self._downloads.abandon()

    def boot(self) -> None:
        self._janitor.boot()

    def step(self) -> None:
        """Raises Died where the server does."""
        self._claims.apply()
        self._janitor.work()
        for request in reversed(self._store.listed()):
            if self._strategies.wants(request):
                self._begin(request)
            request.waiting.clear()
        for download in self._downloads.due(self._settings.max_downloads, self._settings.max_downloads_per_domain):
            download.polls = self.plans.popleft() if self.plans else self._settings.polls
            download.start(self._origins.knows(download.request.said["url"]))
        self._downloads.advance()
        for download in self._downloads.running():
            self._go_on(download)

    def _begin(self, request: Request) -> None:
        """A new version, and a download of it that waits."""
        version = self._version(request)
        previous = self._strategies.reference(request)
        if previous is not None:
            self._store.put(replace(previous, next_version=version))
        response = Response(
            id=self._store.new_id(),
            request_id=request.id,
            version=version,
            previous_version=None if previous is None else previous.version,
            request_datetime_utc=request.asked_again,
        )
        self._store.put(response)
        self._store.files[request.id, version] = b""
        transfer = Transfer(request, Fetching(self._origins), bytearray(), self._settings)
        domain = self._domain(request)
        self._downloads.all.append(
            Download(request=request, response=response, domain=domain, transfer=transfer, polls=0)
        )

    def _domain(self, request: Request) -> str | None:
        try:
            return domain_of(request.said["url"])
        except ValueError as error:
            die(self._settings, f"ValueError: {error}")
            return None

    def _version(self, request: Request) -> str:
        """The local time; one that is taken is written over."""
        time = datetime.datetime.fromtimestamp(self._settings.now())
        if Quirk.ONE_A_SECOND not in self._settings.quirks:
            taken = [response.version for response in self._store.responses(request.id)]
            while taken and f"{time:%Y%m%d%H%M%S}" <= taken[0]:
                time += datetime.timedelta(seconds=1)
        return f"{time:%Y%m%d%H%M%S}"

    def _go_on(self, download: Download) -> None:
        failed = download.transfer.failed
        if failed is not None and failed.at_once:
            die(self._settings, "pydantic.error_wrappers.ValidationError: 1 validation error for ResponseDownloadStats")
        if download.polls or not download.is_over:
            download.polls = max(download.polls - 1, 0)
            download.seen += 1
            stats = download.shown()
            self._write(download, stats.downloaded_bytes)
            download.response = replace(
                download.response,
                status="in_progress",
                download_stats=stats,
                content_attributes=self._attributes(download.transfer, finished=False),
            )
        else:
            self._finish(download)
        self._store.put(download.response)

    def _finish(self, download: Download) -> None:
        self._downloads.all.remove(download)
        self._write(download, None)
        response, transfer = download.response, download.transfer
        if transfer.failed is not None:
            stats = replace(transfer.stats, error=transfer.failed.trace)
            download.response = replace(response, status="failed", download_stats=stats)
            return
        is_duplicate = self._is_duplicate(response, transfer.digest)
        now = utc(self._settings.now())
        download.response = replace(
            response,
            status="duplicate" if is_duplicate else "ready",
            pinned_until_utc=now + _DUPLICATES_KEPT if is_duplicate else response.pinned_until_utc,
            content_hash_hex=transfer.digest,
            cached_datetime_utc=now,
            download_stats=transfer.stats,
            content_download_path=f"request/{response.request_id}/response/v/{response.version}/content",
            content_attributes=self._attributes(transfer, finished=True),
        )

    def _is_duplicate(self, response: Response, content_hash: str | None) -> bool:
        previous = self._store.response(response.request_id, response.previous_version or "")
        return previous is not None and previous.content_hash_hex == content_hash

    def _write(self, download: Download, size: int | None) -> None:
        key = (download.response.request_id, download.response.version)
        self._store.files[key] = bytes(download.transfer.data[:size])

    def _attributes(self, transfer: Transfer, *, finished: bool) -> Attributes:
        try:
            attributes = transfer.attributes()
        except ValueError as error:
            die(self._settings, f"ValueError: {error}")
            return Attributes()
        return attributes if finished else replace(attributes, content_size_bytes=None)
