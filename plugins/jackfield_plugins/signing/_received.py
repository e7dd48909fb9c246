"""What recipes read: a request that goes out, or a message that has come in, of which nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable
from urllib.parse import parse_qsl

from jackfield import Headers, Request, SignatureError, UsageError

from ._checks import BYTES
from ._message import Message, check_message


@runtime_checkable
class HasItems(Protocol):
    """The headers of a web framework's request: Django's, Flask's, Starlette's, aiohttp's, `http.server`'s."""

    def items(self) -> Iterable[tuple[str, str]]: ...


HeaderPairs: TypeAlias = "HasItems | Iterable[tuple[str, str]]"


@dataclass(frozen=True, slots=True)
class Received:
    """A message that has come in: `target` as it stood in the request line, `query` decoded, `body` raw."""

    method: str
    authority: str
    target: str
    query: tuple[tuple[str, str], ...]
    headers: Headers
    body: bytes

    def replace(self, **changes: Any) -> Received:
        """A copy with some fields changed."""
        return replace(self, **changes)


Head: TypeAlias = "Request | Received"
H = TypeVar("H", Request, Received)


def received(message: Message | HeaderPairs, body: bytes) -> Received:
    """What has come in, or its headers alone.

    Raises:
        SignatureError: the query is not UTF-8.
        UsageError: it is neither.
    """
    if not isinstance(message, Message):
        message = Message(headers=_headers(message))
    check_message(message)
    target = message.target or (message.path if message.query is None else f"{message.path}?{message.query}")
    try:
        query = parse_qsl(message.query or "", keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise SignatureError("the query cannot be read: it is not UTF-8") from None
    return Received(message.method, message.authority, target, tuple(query), message.headers, bytes(body))


def check_body(body: object) -> None:
    """Raises UsageError unless it is bytes."""
    if not isinstance(body, BYTES):
        raise UsageError(f"the body is the raw bytes that came, not {type(body).__name__}")


def _headers(given: HeaderPairs) -> Headers:
    try:
        pairs = given.items() if isinstance(given, HasItems) else given
        return Headers.received((str(name), value) for name, value in pairs if isinstance(value, str))
    except (TypeError, ValueError):
        raise UsageError("headers are a mapping, or pairs of name and value, as they came") from None
