"""A message as it stands on the wire, which is what signers sign and verifiers verify; nothing is decoded."""

from __future__ import annotations

from typing import NamedTuple

from jackfield import Headers, Request, UsageError

_PORTS = {"http": "80", "https": "443"}


class Message(NamedTuple):
    """The head of a request or a response. Its body goes beside it, as it may be a stream.

    Attributes:
        method: as sent; empty in a response.
        scheme: `http` or `https`.
        authority: host, and port if it was given.
        path: encoded, as sent.
        query: encoded, as sent, without `?`; None where there was no `?`.
        headers: the fields.
        status: of a response.
        target: the request target as sent, where it is no path and query: `*`, say, or a whole URL for a proxy.
    """

    method: str = ""
    scheme: str = "https"
    authority: str = ""
    path: str = "/"
    query: str | None = None
    headers: Headers = Headers()
    status: int | None = None
    target: str | None = None

    @classmethod
    def of(cls, request: Request) -> Message:
        """The request as a transport will send it."""
        path, mark, query = request.target.partition("?")
        origin = request.url.origin
        origin = origin._replace(host=origin.host.removesuffix("."))  # a name's last dot is for DNS, and is not sent
        authority = request.headers.get("host") or str(origin).partition("://")[2]
        return cls(request.method, origin.scheme, authority, path, query if mark else None, request.headers)

    @classmethod
    def received(cls, method: str, url: str, headers: Headers) -> Message:
        """A request that has come in.

        Args:
            method: as received.
            url: the whole of it, as received: `"https://host/path?query"`.
            headers: as received.

        Raises:
            UsageError: the URL is not whole.
        """
        if not isinstance(method, str) or not isinstance(url, str):
            raise UsageError("the method and the URL of a received request are text: 'GET', 'https://host/path?query'")
        scheme, colon, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        if not colon or not authority or "?" in authority or "#" in url:
            raise UsageError("the URL of a received request is whole, without a fragment: 'https://host/path?query'")
        path, mark, query = (slash + path or "/").partition("?")
        return cls(method, scheme.lower(), authority, path, query if mark else None, headers)


def normal_authority(message: Message) -> str:
    """In lower case, without the scheme's own port (RFC 9110 §4.2.3)."""
    authority = message.authority.lower()
    host, colon, port = authority.rpartition(":")
    return host if colon and port in ("", _PORTS.get(message.scheme.lower())) else authority


def check_message(message: object) -> None:
    """Raises UsageError unless it is one, with headers that are `Headers`."""
    if not isinstance(message, Message) or not isinstance(message.headers, Headers):
        raise UsageError(
            "give Message.received(method, url, headers), the headers as Headers.received(pairs) makes them"
        )
