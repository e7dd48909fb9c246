"""What a Digest server offers and announces (RFC 7616 §3.3, §3.5): read, judged and chosen from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from jackfield import Headers

from ._challenge import Challenge, parse_challenges

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}  # RFC 7616 §6.1, the weakest first
_STRENGTH = list(_HASHES)
_LONGEST = 4096  # characters of a value that would be sent back


class Offer(NamedTuple):
    """A challenge that can be answered. Its strings are octets, read as latin-1.

    Attributes:
        realm, nonce, opaque: as received.
        algorithm: as received; None stands for MD5.
        qop: `auth`, or `auth-int` if only that is offered; empty for the way of RFC 2069.
        userhash: the user's name goes hashed.
        utf8: name and password are encoded in UTF-8.
        stale: the answer was right but for its nonce.
    """

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str | None
    qop: str
    userhash: bool
    utf8: bool
    stale: bool

    @classmethod
    def of(cls, challenge: Challenge) -> Offer | None:
        """The challenge read; None if there is no right answer to it."""
        params = challenge.params
        if challenge.scheme != "digest" or not {"realm", "nonce"} <= params.keys():
            return None
        offered = {option.strip(" \t").lower() for option in params.get("qop", "").split(",")}
        offer = cls(
            params["realm"],
            params["nonce"],
            params.get("opaque"),
            params.get("algorithm"),
            next((qop for qop in ("auth", "auth-int") if qop in offered), ""),
            params.get("userhash", "").lower() == "true",
            params.get("charset", "").lower() == "utf-8",
            params.get("stale", "").lower() == "true",
        )
        return offer if offer._has_answer(names_qop="qop" in params) else None

    def _has_answer(self, *, names_qop: bool) -> bool:
        # RFC 7616 §3.3: a challenge whose algorithm is not understood is ignored. RFC 2617 §3.2.2: no cnonce, which
        # a session needs, where there is no qop.
        return (
            _HASHES.get(self.hash) in hashlib.algorithms_available
            and (bool(self.qop) or not (names_qop or self.has_session_key))
            and max(map(len, (self.realm, self.nonce, self.opaque or ""))) <= _LONGEST
        )

    @property
    def hash(self) -> str:
        """The hash, by its name in RFC 7616."""
        return "MD5" if self.algorithm is None else self.algorithm.upper().removesuffix("-SESS")

    @property
    def has_session_key(self) -> bool:
        """Whether the nonces of the first answer go into all of them."""
        return (self.algorithm or "").upper().endswith("-SESS")

    def digest(self, *parts: str) -> str:
        """H(a:b:c), in hex."""
        hasher = self.hasher()
        hasher.update(":".join(parts).encode("latin-1"))
        return hasher.hexdigest()

    def hasher(self) -> hashlib._Hash:
        """A new hash of this algorithm; MD5 even where policy keeps it from security, as the server asks for it."""
        return hashlib.new(_HASHES[self.hash], usedforsecurity=False)


def strongest_offer(values: Iterable[str]) -> Offer | None:
    """What to answer, of all that the field lines offer; the first of equals (RFC 7616 §3.7)."""
    offers = [offer for challenge in parse_challenges(values) if (offer := Offer.of(challenge))]
    return max(offers, key=lambda offer: _STRENGTH.index(offer.hash), default=None)


def next_nonce(headers: Headers) -> str | None:
    """What `Authentication-Info` wants used from now on (RFC 7616 §3.5)."""
    if "authentication-info" not in headers:
        return None
    for info in parse_challenges([f"digest {headers['authentication-info']}"]):
        nonce = info.params.get("nextnonce", "")
        return nonce if 0 < len(nonce) <= _LONGEST else None
    return None
