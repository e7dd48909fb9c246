"""What an origin says: one in the table, or one that is on loopback; nothing else is ever asked."""

import http.client
import ipaddress
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import responses
from urllib.parse import urljoin, urlsplit

from ._origins import Fetch, Origin, Origins
from ._outgoing import Unreachable, addressed
from ._pieces import complete, decoded, read

_TIMEOUT = 60  # seconds for a read
_REDIRECTS = 30
_SENT = {
    "User-Agent": "python-requests/2.34.2",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """An answer; names of headers are in lower case, `pieces` raise Unreachable where it breaks off."""

    status: int
    reason: str
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Fetching:
    """Asks one origin after the other, for one download; `abandon` ends it from another thread."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins
        self._connection: http.client.HTTPConnection | None = None
        self._abandoned = False

    def abandon(self) -> None:
        """Breaks off what is under way."""
        self._abandoned = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The answer was read, or need not be."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def get(self, fetch: Fetch) -> Got:
        """The answer, redirects followed; the one before is over. Unreachable where there is none."""
        for _ in range(_REDIRECTS + 1):
            got = self._once(fetch)
            location = got.headers.get("location")
            if got.status not in (301, 302, 303, 307, 308) or location is None:
                return got
            method = fetch.method if got.status in (307, 308) or fetch.method == "HEAD" else "GET"
            url = addressed(urljoin(fetch.url, location), None)
            fetch = Fetch(method=method, url=url, headers=fetch.headers, body=b"" if method == "GET" else fetch.body)
        raise Unreachable("TooManyRedirects", f"Exceeded {_REDIRECTS} redirects.")

    def _once(self, fetch: Fetch) -> Got:
        origin = self._origins.take(fetch)
        return self._from_loopback(fetch) if origin is None else _from_table(origin, fetch.method)

    def _from_loopback(self, fetch: Fetch) -> Got:
        parts = urlsplit(fetch.url)
        host = parts.hostname or ""
        if not is_loopback(host) or self._abandoned:
            raise Unreachable("ConnectionError", f"{host} is neither in the emulator's table nor on loopback")
        self.close()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(host, parts.port, timeout=_TIMEOUT)
        try:
            self._connection.connect()
            if self._abandoned:  # before there was a socket to shut down
                raise Unreachable("ConnectionError", "The server ended.")
            self._connection.request(
                fetch.method,
                parts._replace(scheme="", netloc="", fragment="").geturl(),
                fetch.body or None,
                _merged(fetch.headers, fetch.method, fetch.body),
            )
            answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a header it cannot send
            raise Unreachable("ConnectionError", f"{error} for url: {fetch.url}") from error
        headers = _in_lower_case(answer.getheaders())
        length = None if "transfer-encoding" in headers or fetch.method == "HEAD" else headers.get("content-length")
        pieces = complete(read(answer), int(length) if length is not None and length.isdigit() else None)
        return Got(status=answer.status, reason=answer.reason, headers=headers, pieces=decoded(pieces, headers))


def _from_table(origin: Origin, method: str) -> Got:
    headers = _in_lower_case(origin.headers.items())
    headers.setdefault("content-length", str(len(origin.body)))
    body = b"" if method == "HEAD" else origin.body[: origin.broken_after]
    length = None if method == "HEAD" else len(origin.body)
    return Got(
        status=origin.status,
        reason=responses.get(origin.status, ""),
        headers=headers,
        pieces=decoded(complete(iter([body]), length), headers),
    )


def _in_lower_case(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        low = name.lower()
        headers[low] = f"{headers[low]}, {value}" if low in headers else value
    return headers


def _merged(headers: Mapping[str, str], method: str, body: bytes) -> dict[str, str]:
    given = {name.lower() for name in headers}
    merged = {name: value for name, value in _SENT.items() if name.lower() not in given} | dict(headers)
    return merged | ({"Content-Length": str(len(body))} if method in ("POST", "PUT") else {})


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
