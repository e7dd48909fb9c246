"""What a client is made with, checked where it is made: so what a token must not go to is found before it goes."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address

from jackfield import ClientOptions, ConfigurationError, Url

from .auth import HubAuth, Nobody

_OPTIONS = ["base_url", "auth", "generation", "allow_http", *ClientOptions.__annotations__]
_OF_TRANSPORT = frozenset({"cert", "proxies", "proxy", "verify"})  # arguments of httpx.Client


def check_options(client: str, given: Mapping[str, object]) -> None:
    """Raises TypeError, which says what may have been meant, if a client takes no such option."""
    for name in given:
        if name in _OF_TRANSPORT:
            raise TypeError(
                f"{client} takes no {name!r}: that is of what carries requests, transport=Urllib3Transport(…)"
            )
        if name not in _OPTIONS:
            meant = [f": did you mean {close!r}?" for close in get_close_matches(name, _OPTIONS, 1)]
            raise TypeError(f"{client} takes no {name!r}{''.join(meant)}")


def check_way(url: Url, who: HubAuth, allow_http: bool) -> None:
    """Raises ConfigurationError if who asks would send a token for all to read."""
    if isinstance(who, Nobody) or allow_http or url.origin.scheme != "http" or _is_loopback(url.origin.host):
        return
    raise ConfigurationError(
        f"the token would go to {url.origin} for all to read: use https, or give the client allow_http=True"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
