"""Origins, URLs and query strings (RFC 3986): checked when made, encoded in one way only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ._errors import UsageError

_unreserved = re.compile(r"[A-Za-z0-9\-._~]*").fullmatch  # RFC 3986 §2.3
_label = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"  # RFC 1123 §2.1, and underscores, which are in use
_name = re.compile(rf"(?:{_label}\.)*{_label}\.?").fullmatch
_ends_in_number = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?").fullmatch
_bracketed = re.compile(r"\[[^\[\]]*\](?::[0-9]*)?").fullmatch
_path = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*)*").fullmatch
_PORTS = {"http": 80, "https": 443}
_OCTETS = tuple(chr(octet) if _unreserved(chr(octet)) else f"%{octet:02X}" for octet in range(256))


class Origin(NamedTuple):
    """Scheme, host and port: what a credential is bound to (RFC 9110 §4.3.1)."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port, as they stand in a URL and in `Host` (RFC 9110 §7.2): without the port that goes unsaid."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Url(NamedTuple):
    """An origin and an encoded path. The query belongs to the request."""

    origin: Origin
    path: str

    @classmethod
    def parse(cls, text: str) -> Url:
        """Reads an absolute http or https URL.

        Raises:
            UsageError: no scheme, no host, user info, query, fragment, or a character that has no place there.
        """
        from urllib.parse import urlsplit  # here, so that importing jackfield stays cheap

        # urlsplit would strip these silently; the host that is checked must be the host that is used.
        if not isinstance(text, str):
            raise UsageError(f"a URL is a string, not {type(text).__name__}")
        if not text.isascii() or any(c <= " " or c in '\\"<>^`{|}\x7f' for c in text):
            raise UsageError(
                "a URL is printable ASCII without blanks: percent-encode the path, use punycode for the host"
            )
        # From here on the text is not repeated: it may hold a password.
        if "://" not in text:
            raise UsageError("the URL needs a scheme: write 'https://host/path'")
        try:
            parts = urlsplit(text)
            scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        except ValueError:
            raise UsageError("this is not a URL: its host or its port is malformed") from None
        if scheme not in _PORTS:
            raise UsageError(f"the URL's scheme is {scheme!r}: only 'http' and 'https' are spoken")
        if "@" in parts.netloc:
            raise UsageError("a URL must not hold a user name or password: pass credentials to the client")
        if not (_is_ipv6(host) if _bracketed(parts.netloc) else _is_name_or_ipv4(host)):
            raise UsageError(f"the URL needs a valid host after '{scheme}://'")
        if "?" in text or "#" in text:
            raise UsageError("this URL must end with its path: no '?query' and no '#fragment'")
        return cls(Origin(scheme, host, _PORTS[scheme] if port is None else port), _checked_path(parts.path))

    def at(self, *segments: str) -> Url:
        """This URL with further path segments, each escaped so that it stays one segment."""
        for segment in segments:
            if not isinstance(segment, str):
                raise UsageError(f"a path segment is a string, not {type(segment).__name__}: write str(...)")
            if segment in ("", ".", ".."):
                raise UsageError(f"{segment!r} cannot be a path segment: it would name another resource")
        return Url(self.origin, "/".join([self.path.rstrip("/"), *map(quote, segments)]) if segments else self.path)

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


def check_url(url: Url) -> None:
    """Raises UsageError unless this is a URL as `Url.parse` and `Url.at` make them."""
    if not isinstance(url, Url) or not isinstance(url.path, str) or not _path(url.path) or not url.path:
        raise UsageError("a request's url is a Url with an encoded path, as `self.url(...)` gives it")
    _check_origin(url.origin)


@lru_cache
def _check_origin(origin: Origin) -> None:
    if not isinstance(origin, Origin) or origin.scheme not in _PORTS or Url.parse(str(origin)).origin != origin:
        raise UsageError("a URL's origin has a scheme, a host and a port, as `Url.parse` gives it")


def _is_name_or_ipv4(host: str) -> bool:
    # What ends in a number is an address to the system, be it octal, hexadecimal or short; we take the plain form only.
    return bool(_is_ipv4(host) if _ends_in_number(host) else _name(host))


def _is_ipv4(host: str) -> bool:
    from ipaddress import AddressValueError, IPv4Address

    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address

    try:
        IPv6Address(host)
    except AddressValueError:
        return False
    return "%" not in host  # a zone means something on this machine only


def _checked_path(path: str) -> str:
    if not _path(path):
        raise UsageError("the URL's path holds characters that must be percent-encoded")
    return path or "/"


def quote(text: str, errors: str = "strict") -> str:
    """Percent-encodes all but the unreserved characters of RFC 3986 §2.3."""
    if text.isalnum() and text.isascii():  # as most parts are
        return text
    try:
        return text.encode("utf-8", errors).decode("latin-1").translate(_OCTETS)
    except UnicodeEncodeError:
        raise UsageError("text that is sent must not hold half of a surrogate pair") from None


def shown_text(text: str) -> str:
    """The same for a person to read: of text from a peer, too, which may hold octets that are no UTF-8."""
    return quote(text, "surrogateescape")


_is_query = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*").fullmatch  # RFC 3986 §3.4


def decode_query(query: str) -> tuple[tuple[str, str], ...]:
    """The names and values of an encoded query, as a form has them.

    Raises:
        UsageError: it holds a character that must be percent-encoded.
    """
    if not _is_query(query):
        raise UsageError("the encoded query holds characters that must be percent-encoded: give pairs instead")
    from urllib.parse import parse_qsl

    return tuple(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))


def encode_query(query: Iterable[tuple[str, str]]) -> str:
    """`a=1&b=%20`: names and values percent-encoded, the order kept."""
    return "&".join([f"{quote(name)}={quote(value)}" for name, value in query])
