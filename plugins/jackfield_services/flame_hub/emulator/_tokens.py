"""Tokens: JSON Web Tokens of three parts (RFC 7519), signed with HS256 (RFC 7515), and what became of them."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from ._fields import Actor
from ._wire import Json, Record


class BadToken(Exception):
    """This is no token of ours."""


class DeadToken(Exception):
    """This was one."""


class Tokens:
    """Issues tokens, and reads them. An access token dies at its `exp`, a refresh token when it was used, too."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._ended: set[str] = set()  # by their jti
        self._issued: dict[str, str] = {}  # kind, by jti

    def issue(self, kind: str, actor: Actor, life: int, now: float, more: Mapping[str, Json]) -> str:
        """A token for somebody; `more` are further claims."""
        claims: Record = {
            "kind": kind,
            "jti": secrets.token_hex(16),
            "sub": actor.id,
            "sub_kind": actor.kind,
            "realm_id": actor.realm_id,
            "scope": "global",
            "name": actor.name,
            "iat": int(now),
            "exp": int(now) + life,
            **more,
        }
        self._issued[claims["jti"]] = kind
        signed = f"{_part({'typ': 'JWT', 'alg': 'HS256'})}.{_part(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str, kind: str, now: float) -> Record:
        """The claims. BadToken where it is no token of this kind, DeadToken where it was one."""
        signed, _, signature = token.rpartition(".")
        if not token.isascii() or not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            raise BadToken
        claims: Record = json.loads(urlsafe_b64decode(signed.partition(".")[2] + "=="))
        if claims["kind"] != kind:
            raise BadToken
        if claims["exp"] <= now or claims["jti"] in self._ended:
            raise DeadToken
        return claims

    def end(self, claims: Mapping[str, Json]) -> None:
        """This one is dead from here on."""
        self._ended.add(claims["jti"])

    def end_all(self, kind: str) -> None:
        """All of a kind that were issued so far are dead."""
        self._ended |= {jti for jti, each in self._issued.items() if each == kind}

    def _signature(self, signed: str) -> str:
        return _base64(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())


def actor_of(claims: Mapping[str, Json]) -> Actor:
    """Whom a token was given to."""
    return Actor(claims["sub"], claims["sub_kind"], claims["name"], claims["realm_id"])


def _part(value: Record) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
