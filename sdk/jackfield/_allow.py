"""Which addresses may be connected to: somebody's say over each that a name stands for, before it is knocked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from ._errors import ConnectError, UsageError
from ._look_up import Address
from ._url import Origin

IPAddress: TypeAlias = IPv4Address | IPv6Address
Allow: TypeAlias = Callable[[Origin, IPAddress], bool]

_EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))  # NAT64 (RFC 6052), and RFC 4291 §2.5.5.1


def only_allowed(addresses: Iterable[Address], origin: Origin, allow: Allow) -> list[Address]:
    """Those of an origin's addresses that may be connected to.

    Raises:
        ConnectError: none may, and asking again is no use.
        UsageError: `allow` raised something.
    """
    allowed = [address for address in addresses if _may_be_reached(ip_address(address[4][0]), origin, allow)]
    if not allowed:
        error = ConnectError(f"`allow` lets no connection go to {origin}")
        error.permanent = True
        raise error
    return allowed


def _may_be_reached(address: IPAddress, origin: Origin, allow: Allow) -> bool:
    try:
        return all(allow(origin, meaning) is True for meaning in _meanings(address))  # a coroutine, say, is no yes
    except Exception as error:
        raise UsageError(f"`allow` failed, so that no connection goes to {origin}: {error!r}") from error


def _meanings(address: IPAddress) -> Iterator[IPAddress]:
    """The address, and the IPv4 address that packets to it end up at, where it is one in IPv6 clothes."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped  # RFC 4291 §2.5.5.2: the system itself connects to that
        return
    yield address
    if address.sixtofour is not None:
        yield address.sixtofour  # RFC 3056
    if address.teredo is not None:
        yield address.teredo[1]  # RFC 4380
    if any(address in network for network in _EMBEDDING) and not (address.is_loopback or address.is_unspecified):
        yield IPv4Address(address.packed[-4:])
