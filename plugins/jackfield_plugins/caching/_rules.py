"""What a cache is, and what it may guess."""

from __future__ import annotations

from typing import NamedTuple


class Rules(NamedTuple):
    """By which rules a cache decides.

    Attributes:
        shared: whether it serves more than one user: then `s-maxage`, `private` and `CDN-Cache-Control` count.
        heuristic: the part of the time since `Last-Modified` for which an answer without a lifetime is fresh (RFC 9111
            §4.2.2); 0 for none.
        heuristic_most: seconds that such an answer is fresh at most.
        key: that digests of what may be secret are made with: the store's salt.
    """

    shared: bool = False
    heuristic: float = 0.1
    heuristic_most: float = 86400.0
    key: bytes = b""
