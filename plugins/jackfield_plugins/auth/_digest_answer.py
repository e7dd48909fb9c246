"""Answers to Digest challenges (RFC 7616 §3.4, and as RFC 2069 where a challenge has no qop): values to values."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from ._digest_offer import Offer

_ATTR_CHARS = "!#$&+-.^_`|~"  # RFC 8187 §3.2.1, besides letters and digits


class Session(NamedTuple):
    """An offer that is being answered.

    Attributes:
        offer: what began it.
        cnonce: of its first answer.
        nonce: the server's latest.
    """

    offer: Offer
    cnonce: str
    nonce: str


def answer(
    session: Session, user: str, password: str, *, method: str, uri: str, count: int, cnonce: str, body: str = ""
) -> str:
    """The value of `Authorization` (RFC 7616 §3.4).

    Args:
        session: what is answered.
        user, password: in normal form C.
        method, uri: as in the request line.
        count: how often the nonce was used, with this.
        cnonce: of this answer; in a session with a key of its own that of the session.
        body: the body's hash, for `auth-int`.
    """
    offer = session.offer
    encoding = "utf-8" if offer.utf8 or not _is_latin1(user + password) else "latin-1"
    name, word = (text.encode(encoding).decode("latin-1") for text in (user, password))
    use = [f"{count:08x}", cnonce, offer.qop] if offer.qop else []
    what = offer.digest(method, uri, *([body] if offer.qop == "auth-int" else []))  # §3.4.3
    response = offer.digest(_key(session, name, word), session.nonce, *use, what)  # §3.4.1
    fields = [
        _user_field(offer, user, name, encoding),
        f"realm={_quoted(offer.realm)}",
        f"nonce={_quoted(session.nonce)}",
        f"uri={_quoted(uri)}",
        f"response={_quoted(response)}",
        # RFC 7616 §3.4: algorithm, qop, nc and userhash are not quoted.
        *([f"qop={offer.qop}", f"nc={use[0]}", f"cnonce={_quoted(cnonce)}"] if use else []),
        *_echoed(offer),
    ]
    return f"Digest {', '.join(fields)}"


def _key(session: Session, name: str, word: str) -> str:
    offer = session.offer
    key = offer.digest(name, offer.realm, word)
    # RFC 7616 §3.4.2: made of the nonces of the first answer, and kept for the session.
    return offer.digest(key, offer.nonce, session.cnonce) if offer.has_session_key else key


def _echoed(offer: Offer) -> list[str]:
    algorithm = [f"algorithm={offer.algorithm}"] if offer.algorithm else []
    opaque = [] if offer.opaque is None else [f"opaque={_quoted(offer.opaque)}"]
    return [*algorithm, *opaque, *(["userhash=true"] if offer.userhash else [])]


def _user_field(offer: Offer, user: str, name: str, encoding: str) -> str:
    if offer.userhash:
        return f"username={_quoted(offer.digest(name, offer.realm))}"  # §3.4.4
    if encoding == "latin-1" or user.isascii():
        return f"username={_quoted(user)}"
    return f"username*=UTF-8''{quote(user, safe=_ATTR_CHARS)}"  # RFC 8187 §3.2.1


def _is_latin1(text: str) -> bool:
    return text.isascii() or max(text) <= "\xff"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
