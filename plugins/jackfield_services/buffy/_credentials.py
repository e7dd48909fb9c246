"""Who asks a Buffy server, or the proxy before it: a name and a password."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias, cast

from jackfield import Secret

from ._address import Address
from ._errors import BuffyValueError


class BasicAuth(Protocol):
    """An `HTTPBasicAuth` of requests, say."""

    username: str
    password: str


class Credentials(NamedTuple):
    """Who asks. Without a password there is none."""

    username: str
    password: Secret | None


HttpAuth: TypeAlias = tuple[str, str | Secret] | BasicAuth | Credentials | None


def credentials(given: HttpAuth, where: Address) -> Credentials | None:
    """Name and password, those of the URL where no others are given; raises BuffyValueError for what is neither."""
    if given is None:
        return None if where.name is None else Credentials(where.name, where.password)
    name, password = _of(given)
    if not isinstance(name, str) or not isinstance(password, str | Secret | None):
        raise BuffyValueError("http_auth is a name and a password, (name, password), or an HTTPBasicAuth of requests")
    return Credentials(name, Secret(password) if password else None)


def _of(given: object) -> tuple[object, object]:
    if isinstance(given, tuple):
        pair = cast("tuple[object, ...]", given)
        return (pair[0], pair[1]) if len(pair) == 2 else (None, None)
    # What has a name and a password as well, and must not send them so.
    if any(kind.__name__ in ("HTTPDigestAuth", "HTTPProxyAuth") for kind in type(given).__mro__):
        return None, None
    return getattr(given, "username", None), getattr(given, "password", None)
