"""Requests and responses as values: HTTP-shaped, frozen, checked when made, whatever carries them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias, TypeVar, overload

from ._body import ByteStream, StreamBody
from ._errors import DeadlineExceededError, DecodeError, NetworkError, UsageError
from ._headers import HeaderFields, Headers, as_pairs
from ._shapes import decoder_of
from ._url import Url, check_url, decode_query, encode_query, shown_text

if TYPE_CHECKING:
    from ._runtime import Runtime

T = TypeVar("T")
Query: TypeAlias = "Mapping[str, str] | Iterable[tuple[str, str]] | str"

_is_method = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"})  # RFC 9110 §9.2.2
_NO_HEADERS = Headers()
_JSON = Headers({"content-type": "application/json"})
_BODIES = (bytes, StreamBody)
_set = object.__setattr__


class _Frozen:
    __slots__: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen: use replace({name}=...)")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} is frozen")

    def _arguments(self) -> dict[str, Any]:
        """What it is made of."""
        return {name: getattr(self, name) for name in self.__slots__}

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked as at making."""
        return type(self)(**self._arguments() | changes)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__slots__))

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, (type(self), self._arguments())


def _remake(cls: type[_Frozen], fields: dict[str, Any]) -> _Frozen:
    return cls(**fields)


class Request(_Frozen):
    """One request.

    Args:
        method: as RFC 9110 spells it, `"GET"`.
        url: origin and encoded path, from `Service.url(...)`.
        query: names and values as they are meant, not encoded; or a string that is encoded already, and sent as it is.
        headers: fields of this request; the client's defaults are added on the way.
        body: bytes, or a `StreamBody`.
        idempotent: whether sending it twice does what sending it once does; None: the method tells (RFC 9110 §9.2.2).

    Raises:
        UsageError: a part is not what HTTP allows.
    """

    __slots__ = ("body", "encoded_query", "headers", "idempotent", "method", "query", "url")
    method: str
    url: Url
    query: tuple[tuple[str, str], ...]
    encoded_query: str | None
    headers: Headers
    body: bytes | StreamBody
    idempotent: bool | None

    def __init__(
        self,
        method: str,
        url: Url,
        *,
        query: Query = (),
        headers: HeaderFields = _NO_HEADERS,
        body: bytes | StreamBody = b"",
        idempotent: bool | None = None,
    ) -> None:
        if not isinstance(method, str) or not _is_method(method):
            raise UsageError(f"{method!r} is no HTTP method")
        check_url(url)
        if not isinstance(body, _BODIES):
            raise UsageError(f"a body is bytes or a StreamBody, not {type(body).__name__}")
        _set(self, "method", method)
        _set(self, "url", url)
        _set(self, "encoded_query", query if isinstance(query, str) else None)
        _set(self, "query", _pairs(query) if query else ())
        _set(self, "headers", headers if isinstance(headers, Headers) else Headers(headers))
        _set(self, "body", body)
        _set(self, "idempotent", idempotent)

    @classmethod
    def json(
        cls,
        method: str,
        url: Url,
        value: object,
        *,
        query: Query = (),
        headers: HeaderFields = _NO_HEADERS,
        idempotent: bool | None = None,
    ) -> Self:
        """A request whose body is this value as JSON: a model, or what else msgspec encodes.

        `Content-Type` is `application/json`, unless it is among the headers.

        Raises:
            UsageError: the value has no form in JSON, or a part is not what HTTP allows.
        """
        from msgspec.json import encode

        try:
            body = encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UsageError(f"the body has no form in JSON: {error}") from error
        fields = Headers(headers).over(_JSON)
        return cls(method, url, query=query, headers=fields, body=body, idempotent=idempotent)

    def with_headers(self, headers: Headers) -> Request:
        """A copy with these headers; quicker than `replace`, as nothing else needs checking again."""
        copy = object.__new__(Request)
        _set(copy, "method", self.method)
        _set(copy, "url", self.url)
        _set(copy, "encoded_query", self.encoded_query)
        _set(copy, "query", self.query)
        _set(copy, "headers", headers)
        _set(copy, "body", self.body)
        _set(copy, "idempotent", self.idempotent)
        return copy

    def _arguments(self) -> dict[str, Any]:
        arguments = super()._arguments()
        encoded = arguments.pop("encoded_query")
        return arguments if encoded is None else arguments | {"query": encoded}

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.method in _IDEMPOTENT if self.idempotent is None else self.idempotent

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line (RFC 9112 §3.2.1)."""
        query = self.encoded_query
        if query is None and self.query:
            query = encode_query(self.query)
        return self.url.path if query is None else "?".join((self.url.path, query))

    async def feed(self, sink: Callable[[bytes], object], runtime: Runtime) -> None:
        """Gives the whole body to `sink`, piece by piece: to a digest, say, of what will be sent.

        Raises:
            UsageError: the body is a stream that can be read once only.
        """
        body = self.body
        if isinstance(body, bytes):
            sink(body)
            return
        if not body.replayable:
            raise UsageError(
                "this request's body is digested before it is sent, and can be read once only: give bytes, or a "
                "StreamBody with a function that opens it again"
            )

        pieces = body.pieces()

        def read() -> None:
            with closing(pieces):
                for piece in pieces:
                    sink(piece)

        try:
            await runtime.offload(read)
        except BaseException:
            pieces.abort()  # who was cancelled leaves nobody waiting
            raise

    def redacted(self, shown: frozenset[str] = frozenset()) -> str:
        """The URL for a person: of the query's values only those of the names in `shown`."""
        query = "&".join(f"{shown_text(n)}={shown_text(value) if n in shown else '***'}" for n, value in self.query)
        return f"{self.url}?{query}" if query else str(self.url)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.redacted()}>"


def _pairs(query: Query) -> tuple[tuple[str, str], ...]:
    if isinstance(query, str):
        return decode_query(query)
    pairs = as_pairs(query, "query")
    parts = [*chain.from_iterable(pairs)]
    if {*map(type, parts)} == {str} and "".join(parts).isascii():  # as almost all are
        return tuple([(name, value) for name, value in pairs])
    for name, value in pairs:
        if not isinstance(name, str) or not isinstance(value, str):
            raise UsageError(f"the query parameter {name!r} must be a string, not {type(value).__name__}")
        try:
            (name + value).encode()
        except UnicodeEncodeError:
            raise UsageError(f"the query parameter {name!a} holds half of a surrogate pair") from None
    return tuple([(str.__str__(name), str.__str__(value)) for name, value in pairs])  # of an Enum its value


class Response(_Frozen):
    """One answer.

    Attributes:
        body: bytes, unless the call asked for a stream.
        redirects: the statuses of the redirects that were followed to it, in order.
    """

    __slots__ = ("body", "headers", "redirects", "status")
    status: int
    headers: Headers
    body: bytes | ByteStream
    redirects: tuple[int, ...]

    def __init__(
        self,
        status: int,
        headers: HeaderFields = _NO_HEADERS,
        body: bytes | ByteStream = b"",
        *,
        redirects: Iterable[int] = (),
    ) -> None:
        _set(self, "status", status)
        _set(self, "headers", headers if isinstance(headers, Headers) else Headers(headers))
        _set(self, "body", body)
        _set(self, "redirects", tuple(redirects))

    @property
    def content(self) -> bytes:
        """The whole body."""
        if isinstance(self.body, bytes):
            return self.body
        raise UsageError("this response is a stream: read it from `response.body`")

    async def settled(self, limit: int = 64 * 1024) -> Response:
        """This, with the first `limit` bytes of a body that was still arriving; its connection is given up."""
        if isinstance(self.body, bytes):
            return self
        pieces = b""
        try:
            while len(pieces) < limit and (piece := await self.body.read()):
                pieces += piece
        except (NetworkError, DeadlineExceededError):
            pass  # what did arrive is all there is to tell
        finally:
            await self.body.close()
        return self.replace(body=pieces[:limit])

    @overload
    def decode(self, into: type[T]) -> T: ...
    @overload
    def decode(self, into: Any) -> Any: ...
    def decode(self, into: Any) -> Any:
        """The JSON body (RFC 8259) as a value of the type.

        Raises:
            DecodeError: it is not JSON, or not of this shape.
        """
        try:
            return decoder_of(into).decode(self.content)
        except UnicodeDecodeError:
            pass  # it holds the string that could not be read, a token perhaps
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise DecodeError(f"the answer ({self.status}) is not the JSON expected: {error}") from error
        raise DecodeError(f"the answer ({self.status}) is not the JSON expected: it is not UTF-8")

    def __repr__(self) -> str:
        size = f"{len(self.body)} bytes" if isinstance(self.body, bytes) else "a stream"
        return f"<Response {self.status}, {size}>"
