"""Requests as callers hold them: what the service does with an order, bound to one, in either colour."""

from __future__ import annotations

from typing import Any

from jackfield import AsyncStream, Stream

from ._bound import Doing, Wish
from ._models import ResponseDownloadStats
from ._order import Order
from ._service import BuffyService
from ._strategies import RequestCacheConfiguration

_CHUNK = 65536  # bytes


class Handle:
    """Something that Buffy keeps versions of, as one caller wants it; may be used by several threads or tasks.

    Attributes:
        force_version, force_tag, force_pinned: the version that is served must be so.
        prefer_version, prefer_tag, prefer_pinned: it is so, where there is one; Buffy's client writes `prefere_…`.
        prefere_cached_instead_of_waiting: an older version that is ready goes before a newer one on its way.
        fallback_to_older_version: an older one is served where the newest could not be fetched.
        client: whose it is.
        state: what is known.
    """

    force_version = Wish[str | None]("force_version")
    force_tag = Wish[str | None]("force_tag")
    force_pinned = Wish[bool | None]("force_pinned")
    prefer_version = prefere_version = Wish[str | None]("prefer_version")
    prefer_tag = prefere_tag = Wish[str | None]("prefer_tag")
    prefer_pinned = prefere_pinned = Wish[bool | None]("prefer_pinned")
    prefer_cached = prefere_cached_instead_of_waiting = Wish[bool]("prefer_cached")
    fallback_to_older_version = Wish[bool]("fallback")

    order = Doing(BuffyService.place)
    wait = Doing(BuffyService.completed)
    download_response_content_to = Doing(BuffyService.save)
    list_cached_response_versions = Doing(BuffyService.versions)
    list_cached_versions = Doing(BuffyService.versions)
    get_filename = Doing(BuffyService.file_name)
    configure = Doing(BuffyService.configure)
    get_response_version = Doing(BuffyService.version)
    get_next_version = Doing(BuffyService.newer)
    get_previous_version = Doing(BuffyService.older)
    pin = Doing(BuffyService.pin)
    unpin = Doing(BuffyService.unpin)
    tag = Doing(BuffyService.tag)

    def __init__(self, client: BuffyService, state: Order) -> None:
        self.client = client
        self.state = state

    @property
    def id(self) -> str | None:
        """The server's name for the request; None before it was ordered."""
        return None if self.state.placed is None else self.state.placed.id

    @property
    def is_local(self) -> bool:
        """Whether the origin stands in for the server, which was not reached."""
        return self.state.is_local

    @property
    def download_stats(self) -> ResponseDownloadStats | None:
        """How far the server is with what was waited for, as it said last; asks nobody."""
        return self.state.seen.download_stats if self.state.seen else None

    def fetch_directly(self) -> None:
        """From here on this is fetched from its origin, whatever is forced; `order` goes back to the server."""
        self.state.go_local(is_direct=True)

    def _bound_version(self) -> str | None:
        return None if self.state.bound is None else self.state.bound.version

    def _configuration(self) -> RequestCacheConfiguration | None:
        return (self.state.placed or self.state.asked).cache_configuration

    def __repr__(self) -> str:
        where = "from its origin" if self.is_local else f"id={self.id!r}"
        version = "" if self.state.bound is None else f", version {self.state.bound.version}"
        return f"<{type(self).__name__} of {self.state.asked.shown_url}, {where}{version}>"


class Request(Handle):
    """A request of a sync client; `Handle` says what its attributes are."""

    def download_response_content(self, chunk_size: int = _CHUNK) -> Stream:
        """The content, piece by piece, once; it ends with an error if it is not what was cached.

        Args:
            chunk_size: bytes of each piece but the last.
        """
        stream: Any = self.client.content(self.state, chunk_size)
        return stream  # type: ignore[no-any-return]  # of a sync client

    @property
    def response_version(self) -> str | None:
        """The version that is served, or would be; asks the server where none was waited for."""
        return self.get_response_version()

    @property
    def next_version(self) -> str | None:
        """The next version after the one that is served; asks the server."""
        return self.get_next_version()

    @property
    def previous_version(self) -> str | None:
        """The last version before the one that is served; asks the server."""
        return self.get_previous_version()

    @property
    def cache_configuration(self) -> RequestCacheConfiguration | None:
        """How it is cached: as the server says, where it was asked. Setting it asks the server to (`configure`)."""
        return self._configuration()

    @cache_configuration.setter
    def cache_configuration(self, configuration: RequestCacheConfiguration) -> None:
        self.configure(configuration)


class AsyncRequest(Handle):
    """A request of an async client; `Handle` says what its attributes are. They ask nobody."""

    def download_response_content(self, chunk_size: int = _CHUNK) -> AsyncStream:
        """The content, piece by piece, once; it ends with an error if it is not what was cached.

        Args:
            chunk_size: bytes of each piece but the last.
        """
        return self.client.content(self.state, chunk_size)

    @property
    def response_version(self) -> str | None:
        """The version that is served; None before one was waited for: `get_response_version` asks the server."""
        return self._bound_version()

    @property
    def cache_configuration(self) -> RequestCacheConfiguration | None:
        """How it is cached: as the server says, where it was asked."""
        return self._configuration()
