"""Proxies (RFC 9110 §3.7, §7.3.2): which origin is reached through which, and with what credentials."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple, Self

from ._errors import ConfigurationError, UsageError
from ._secrets import Secret
from ._url import Origin, Url

if TYPE_CHECKING:
    from ssl import SSLContext


class ProxyServer(NamedTuple):
    """Where a proxy is, and what it wants in `Proxy-Authorization`."""

    origin: Origin
    authorization: Secret | None
    ssl_context: SSLContext | None


class Proxy:
    """A proxy for http and https, and who is reached without it. Nothing of it comes from the environment unasked.

    Args:
        url: `"http://proxy:3128"`, or `"https://…"` where the proxy itself speaks TLS, and proves who it is.
        auth: user name and password, for Basic (RFC 7617). They go to the proxy and nowhere else.
        no_proxy: hosts that are reached directly: `"host"` and `".domain"`, both with all below them, `"10.0.0.0/8"`,
            `"::1"`, each perhaps with `":port"` behind a name or IPv4 address; or `"*"`.
        ssl_context: how a proxy of https is verified; the system's authorities if None.

    Raises:
        ConfigurationError: a part is malformed, the proxy is of another kind (SOCKS, say), or `ssl_context` does not
            verify.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: tuple[str, str | Secret] | None = None,
        no_proxy: Iterable[str] = (),
        ssl_context: SSLContext | None = None,
    ) -> None:
        if ssl_context is not None:
            from ._tls import check_context

            check_context(ssl_context)
        server = ProxyServer(_proxy_origin(url), None if auth is None else _basic(*auth), ssl_context)
        self._servers = {"http": server, "https": server}
        self._exceptions = _exceptions(no_proxy)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """What HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say, in lower or upper case; None if they name no proxy.

        In a CGI program (REQUEST_METHOD is set) HTTP_PROXY is passed over: there a client's header makes it up.
        """
        servers: dict[str, ProxyServer] = {}
        for scheme in ("http", "https"):
            own = "" if scheme == "http" and "REQUEST_METHOD" in environment else _value(environment, f"{scheme}_proxy")
            if text := own or _value(environment, "all_proxy"):
                servers[scheme] = _server(text)
        if not servers:
            return None
        proxy = cls.__new__(cls)
        proxy._servers = servers
        proxy._exceptions = _exceptions(_value(environment, "no_proxy").split(","))
        return proxy

    def server_for(self, origin: Origin) -> ProxyServer | None:
        """The proxy on the way to the origin; None if it is reached directly."""
        server = self._servers.get(origin.scheme)
        return None if server is None or any(one.covers(origin) for one in self._exceptions) else server

    def __repr__(self) -> str:
        return f"<Proxy {', '.join(sorted({str(server.origin) for server in self._servers.values()}))}>"


class _Exception(NamedTuple):
    name: str
    network: IPv4Network | IPv6Network | None
    port: int | None

    def covers(self, origin: Origin) -> bool:
        if self.port not in (None, origin.port):
            return False
        host = origin.host.rstrip(".").lower()
        if self.network is not None:
            address = _address(host)
            return address is not None and address in self.network
        return self.name in ("*", host) or (_address(host) is None and host.endswith(f".{self.name}"))


def _exceptions(texts: Iterable[str]) -> tuple[_Exception, ...]:
    if isinstance(texts, str):
        raise ConfigurationError("no_proxy is a list of hosts, not one string")
    return tuple(_exception(text.strip().lower()) for text in texts if text.strip())


def _exception(text: str) -> _Exception:
    host, port = text, None
    if text.count(":") == 1:
        host, _, number = text.partition(":")
        if not (number.isascii() and number.isdigit()):
            raise ConfigurationError(f"{text!r} in no_proxy has no port behind its colon")
        port = int(number)
    host = host.strip("[]") if "/" in host or ":" in host else host.removeprefix("*.").strip(".")
    try:
        return _Exception("", ip_network(host, strict=False), port)
    except ValueError:
        if not host or "/" in host or ":" in host:
            raise ConfigurationError(f"{text!r} in no_proxy is neither a host nor a network") from None
    return _Exception(host, None, port)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _value(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _server(text: str) -> ProxyServer:
    from urllib.parse import unquote

    scheme, _, rest = text.rpartition("://")
    userinfo, at, place = rest.rpartition("@")
    user, _, password = userinfo.partition(":")
    authorization = _basic(unquote(user), unquote(password)) if at else None
    return ProxyServer(_proxy_origin(f"{scheme or 'http'}://{place}"), authorization, None)


def _proxy_origin(url: str) -> Origin:
    try:
        parsed = Url.parse(url)
    except UsageError as error:
        raise ConfigurationError(f"the proxy: {error.message}") from None
    if parsed.path != "/":
        raise ConfigurationError("a proxy's URL ends with its host and port")
    return parsed.origin


def _basic(user: str, password: str | Secret) -> Secret:
    from base64 import b64encode

    if not isinstance(user, str) or ":" in user:  # RFC 7617 §2
        raise ConfigurationError("a proxy's user name is a string without a colon")
    revealed = password.reveal() if isinstance(password, Secret) else password
    try:
        return Secret("Basic " + b64encode(f"{user}:{revealed}".encode()).decode())
    except UnicodeEncodeError:
        raise ConfigurationError("a proxy's user name or password holds half of a surrogate pair") from None
