"""Buffy as a transport: any client's GETs are answered by versions that a Buffy server keeps."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from math import inf
from typing import Any, Generic, Protocol, TypeVar

from jackfield import (
    AsyncClient,
    BodyTooLargeError,
    Call,
    ConfigurationError,
    ContractError,
    DeadlineExceededError,
    JackfieldError,
    Request,
    Response,
    SyncRuntime,
    Transport,
    Urllib3Transport,
    UsageError,
    follow,
)

from ._answering import Body, headers_of, kept, opened, served, whole
from ._asking import asked_for
from ._checks import check_bool, check_text
from ._clients import AsyncBuffyClient, BuffyClient
from ._errors import BuffyValueError
from ._handles import Handle
from ._models import Response as Version
from ._order import Order
from ._recent import Recent
from ._strategies import RequestCacheConfiguration, when_requested
from ._telling import reason_against, told

H_co = TypeVar("H_co", bound=Handle, covariant=True)

log = logging.getLogger("jackfield.buffy")

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Seconds for which nothing is fetched again. A server of 0.7.3 that does so within the second of a version has another
# one in its place, or none where that fails; and where a service never answers, nobody waits for that each time.
_SHARED, _LATE = 1.0, 60.0


class Buffy(Protocol[H_co]):
    """A client of Buffy's, of either colour."""

    @property
    def Request(self) -> type[H_co]: ...


class BuffyTransport(Generic[H_co]):
    """Answers GETs with versions that a Buffy server keeps, so that a service may change, or go away.

    Calls for the same within a second share a version; within a minute, where a newer one took too long.

    All else is sent as it stands: other methods, calls that are not idempotent, parts, conditions, other origins than
    the service's, where a redirect led, and whatever a client with credentials asks for, as Buffy shows everybody what
    it was told. Where Buffy has nothing in half of the time that there is, or is not reached, the service itself is
    asked.

    Args:
        buffy: a `BuffyClient` for sync clients, an `AsyncBuffyClient` for async ones. It is left open by `close`.
        fallback: carries what Buffy does not; urllib3's own if None, which is closed with this. Where it has no
            `identity`, it may bear credentials, and nothing goes to Buffy.
        credentials: send Buffy what bears credentials, too: headers and queries as they are.
        prefer_cached: an older version that is ready goes before a newer one on its way.
        prefer_tag: the version with this tag goes before others.
        cache_configuration: when Buffy fetches again; with every request if None.

    Raises:
        ConfigurationError: `buffy` is no client of Buffy.
        BuffyValueError: another argument makes no sense.
    """

    def __init__(
        self,
        buffy: Buffy[H_co],
        fallback: Transport | None = None,
        *,
        credentials: bool = False,
        prefer_cached: bool = False,
        prefer_tag: str | None = None,
        cache_configuration: RequestCacheConfiguration | None = None,
    ) -> None:
        given: object = buffy
        if not isinstance(given, BuffyClient | AsyncBuffyClient):
            raise ConfigurationError(f"buffy is a BuffyClient or an AsyncBuffyClient, not {type(given).__name__}")
        check_bool("credentials", credentials)
        check_bool("prefer_cached", prefer_cached)
        check_text("prefer_tag", prefer_tag)
        self._buffy: Any = given
        self._owns = fallback is None
        self._fallback: Transport = Urllib3Transport() if fallback is None else fallback
        self._credentials = credentials
        self._wishes = {"prefer_cached": prefer_cached, "prefer_tag": prefer_tag}
        self._configuration = cache_configuration or RequestCacheConfiguration(recaching_strategy=when_requested())
        # Who uses this tries again, and each attempt has two ways to go already.
        self._without = {"retry": None} if any(part.plugin == "retry" for part in given.chain.parts) else {}
        self._answered = Recent[Order]()
        self._chosen = Recent[tuple[Order, float]]()
        self._led_to = Recent[bool]()
        self._closed = False
        self.identity: bytes | None = getattr(self._fallback, "identity", None)
        self._order("http://host/", {})  # whether the rest makes sense

    def request(self, url: str, headers: Mapping[str, str] | None = None) -> H_co:
        """Buffy's request for this URL: to pin and tag the version that was the answer last, or to list others.

        Args:
            url: with its query, as it is sent.
            headers: what else was asked with, `accept` say; None: what was last.

        Raises:
            BuffyValueError: Buffy cannot be asked for this.
        """
        known = self._answered.get(url) if headers is None else None
        order = self._order(url, headers or {}) if known is None else Order(known.asked)
        if known is not None:  # what is done to it is no matter of calls that share a version
            order.wishes, order.placed, order.bound = known.wishes, known.placed, known.bound
        handle: H_co = self._buffy.Request(self._buffy, order)
        return handle

    async def send(self, request: Request, call: Call) -> Response:
        """One attempt: Buffy's answer, or the service's own."""
        if isinstance(self._buffy, AsyncClient) == isinstance(call.runtime, SyncRuntime):
            raise ConfigurationError("a sync client takes a BuffyClient here, an async one an AsyncBuffyClient")
        if self._closed:
            raise UsageError("this transport is closed")
        if request.method not in _SAFE:
            self._chosen.clear()  # what comes next may be what it changed
        if past := self._past(request, call):
            log.debug("past Buffy goes %s: %s", call.url(request), past)
            return await self._direct(request, call)
        try:
            response = await self._kept(request, call)
        except JackfieldError as error:
            if isinstance(error, UsageError) and not isinstance(error, BuffyValueError):
                raise
            log.warning("Buffy has no answer for %s, and the service is asked: %s", call.url(request), error.message)
            return await self._instead(request, call, error)
        if response is None:
            raise BodyTooLargeError(f"the body is longer than max_body_size, {call.options.max_body_size} bytes")
        return response

    async def close(self) -> None:
        """Ends what is this transport's own, and answers that are being read. May be called again."""
        self._closed = True
        if self._owns:
            await self._fallback.close()

    def _past(self, request: Request, call: Call) -> str:
        """Why this goes past Buffy; empty where it does not."""
        buffy = self._buffy.url().origin
        reason = reason_against(request, call, buffy, credentials=self._credentials)
        return reason or ("a redirect led there" if self._led_to.get(_url(request)) else "")

    async def _kept(self, request: Request, call: Call) -> Response | None:
        """Buffy's answer; None where it is too long."""
        order = self._order(_url(request), {name: request.headers[name] for name in request.headers})
        call.unanswered = True
        order, version = await self._shared(order, call)
        buffy = self._view(call, call.limit(inf))
        if call.stream:
            body = Body(await opened.run(buffy, (order,), {}), call, lambda: self._closed)
            try:
                await body.begin()
            except BaseException:
                await body.close()
                raise
            response = Response(200, headers_of(order.bound or version), body)
        else:
            content: bytes | None = await whole.run(buffy, (order, call.options.max_body_size), {})
            if content is None:
                return None
            call.unanswered = False
            response = Response(200, headers_of(order.bound or version), content)
        self._answered.put(_url(request), order)
        return response

    async def _shared(self, order: Order, call: Call) -> tuple[Order, Version]:
        """An order for the same, and its version: the one of a moment ago, that of another who asks now, or this."""
        runtime, asked = self._buffy.runtime, order.asked
        key = repr((asked.group_name, asked.url, asked.http_header_fields))

        async def choose() -> tuple[Order, Version]:
            known, until = self._chosen.get(key) or (order, 0.0)
            if known.bound is not None and runtime.monotonic() < until:
                return known, known.bound
            version, is_late = await self._version(order, call)
            self._chosen.put(key, (order, runtime.monotonic() + (_LATE if is_late else _SHARED)))
            return order, version

        try:
            shared: tuple[Order, Version] = await runtime.flight((self, key), choose, call.limit(inf) / 2)
        except TimeoutError as error:
            raise DeadlineExceededError("another call for the same had no version in time") from error
        return shared

    async def _version(self, order: Order, call: Call) -> tuple[Version, bool]:
        """The one to serve; one that is ready where a newer one takes too long (True), as an origin may be down."""
        try:
            return await served.run(self._view(call, call.limit(inf) / 2), (order,), {}), False
        except DeadlineExceededError:
            if order.placed is None:
                raise
            found: Version | None = await kept.run(self._view(call, call.limit(inf)), (order,), {})
            if found is None:
                raise
            return found, True

    def _view(self, call: Call, seconds: float) -> Any:
        """The client of Buffy, with the call's limits, and without what stands in for a server that is not reached."""
        view = self._buffy.with_options(
            timeout=seconds,
            connect_timeout=call.options.connect_timeout,
            read_timeout=call.options.read_timeout,
            **self._without,
        )
        view.local_download_fallback = False
        return view

    async def _direct(self, request: Request, call: Call) -> Response:
        """The service's own answer."""
        response = await self._fallback.send(request, call)
        if 300 <= response.status < 400 and (place := response.headers.get("location")):
            try:
                self._led_to.put(_url(follow(request, place)), True)  # it may have been told us alone
            except ContractError:
                pass  # to another origin, say, which does not go to Buffy anyway
        return response

    async def _instead(self, request: Request, call: Call, first: JackfieldError) -> Response:
        """The service's own answer, where Buffy has none; an error tells of both."""
        try:
            return await self._direct(request, call)
        except JackfieldError as error:
            error.message = f"{error.message}; nor has Buffy an answer, at {self._buffy.api_url}: {first.message}"
            raise

    def _order(self, url: str, headers: Mapping[str, str]) -> Order:
        fields = told(headers, credentials=self._credentials)
        asked = asked_for(
            url, self._buffy.group_name, http_header_fields=fields, cache_configuration=self._configuration
        )
        order = Order(asked)
        order.wish(**self._wishes)
        return order


def _url(request: Request) -> str:
    return f"{request.url.origin}{request.target}"
