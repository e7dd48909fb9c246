"""Where a Buffy server is, out of a URL or of its parts."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from jackfield import Secret, Url, UsageError

from ._errors import BuffyValueError

_PORT = 8008
_ADVICE = "url is 'http://host:8008/path', or give host, port, base_path and ssl in its place"


class Address(NamedTuple):
    """Where the server is; and who asks, where a URL tells."""

    ssl: bool
    host: str
    port: int
    base_path: str | None
    name: str | None = None
    password: Secret | None = None

    def url(self, api_version: str) -> str:
        """The API's base; shows nothing of who asks."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = f"{self.base_path}/{api_version}" if self.base_path else api_version
        return f"http{'s' if self.ssl else ''}://{host}:{self.port}/{path}"


def address(url: str | None, host: str | None, port: int, base_path: str | None, *, ssl: bool) -> Address:
    """Where that is.

    Raises:
        BuffyValueError: it is nowhere, or said twice.
    """
    if url is None:
        return _checked(Address(ssl, "localhost" if host is None else host, port, base_path))
    if (host, port, base_path, ssl) != (None, _PORT, None, False):
        raise BuffyValueError("give url, or host, port, base_path and ssl: not both")
    return _checked(_parsed(url))


def _parsed(url: object) -> Address:
    # urlsplit would strip blanks and controls silently.
    if not isinstance(url, str) or not url.isprintable() or url != url.strip():
        raise BuffyValueError(_ADVICE)
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
        name, password = [unquote(part or "", errors="strict") for part in (parts.username, parts.password)]
    except ValueError:
        raise BuffyValueError(f"url: its host, its port or its password is malformed: {_ADVICE}") from None
    if scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise BuffyValueError(_ADVICE)
    ssl = scheme == "https"
    port = (443 if ssl else 80) if port is None else port
    found = Address(ssl, host, port, parts.path)
    return found._replace(name=name, password=Secret(password) if password else None) if name or password else found


def _checked(found: Address) -> Address:
    """The same, in the one form that each part has."""
    if not isinstance(found.host, str) or not isinstance(found.base_path, str | None):
        raise BuffyValueError("host and base_path are strings")
    if isinstance(found.port, bool) or not isinstance(found.port, int) or not 0 < found.port < 65536:
        raise BuffyValueError("port is a whole number from 1 to 65535")
    host = found.host[1:-1] if found.host.startswith("[") and found.host.endswith("]") else found.host
    whole = found._replace(ssl=bool(found.ssl), host=host, base_path=(found.base_path or "").strip("/") or None)
    try:
        origin = Url.parse(whole.url("v1")).origin
    except UsageError as error:
        raise BuffyValueError(f"{error}: {_ADVICE}") from None
    if (origin.host, origin.port) != (host.lower(), whole.port):  # part of the host was taken for another
        raise BuffyValueError(f"host is a name or an address, without a path: {_ADVICE}")
    return whole
