"""Assertions that are signed JSON Web Tokens (RFC 7523): for the JWT bearer grant, and for `private_key_jwt`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jackfield import ConfigurationError, Runtime, Secret, check_seconds

_OURS = frozenset(("iss", "sub", "aud", "iat", "exp", "jti"))
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1", "ES256K": "secp256k1"}
_NEVER = {"none", "ES521"}  # the latter is PyJWT's other name for ES512; no RFC has it
_EXTRA = '`pip install "jackfield[jwt]"`'


class JwtAssertion:
    """Signs an assertion whenever it is called: `assertion(runtime)`. Needs the extra `jackfield[jwt]`.

    Args:
        key: the private key, in PEM without a password; for HS256 and its kin the shared secret.
        issuer: who asserts; `iss`.
        subject: of whom; `sub`. For `private_key_jwt` both are the client's id.
        audience: to whom; `aud`: the service's issuer identifier, or the URL of its token endpoint.
        algorithm: a name of RFC 7518 §3.1, RFC 8037 or RFC 8812.
        key_id: what the service calls the key; `kid`.
        lifetime: seconds from `iat` to `exp`; at least 1, and what is less than a second is cut off.
        claims: what else is asserted.

    Raises:
        ConfigurationError: the key does not fit the algorithm or is too weak, another argument cannot be asserted, or
            PyJWT is missing.
    """

    def __init__(
        self,
        key: str | Secret,
        *,
        issuer: str,
        subject: str,
        audience: str,
        algorithm: str = "RS256",
        key_id: str | None = None,
        lifetime: float = 300.0,
        claims: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._key = Secret(key)
        self._algorithm = algorithm
        self._header = {} if key_id is None else {"kid": _text("key_id", key_id)}
        self._lifetime = int(check_seconds("lifetime", lifetime))
        if self._lifetime < 1:
            raise ConfigurationError(f"lifetime must be 1 second or more, not {lifetime!r}")
        self._claims = {
            **_plain(claims),
            "iss": _text("issuer", issuer),
            "sub": _text("subject", subject),
            "aud": _text("audience", audience),
        }
        self._check_key()

    def __call__(self, runtime: Runtime) -> str:
        """A new one. Who has it can use it until it ends: show it no more than a password."""
        issued_at = int(runtime.now())
        expires_at = issued_at + self._lifetime
        jti = runtime.token_bytes(16).hex()  # RFC 7519 §4.1.7: a "negligible probability" that two are the same
        return self._sign({**self._claims, "iat": issued_at, "exp": expires_at, "jti": jti})

    def _sign(self, claims: dict[str, Any]) -> str:
        import jwt

        return jwt.encode(claims, self._key.reveal(), self._algorithm, self._header)

    def _check_key(self) -> None:
        algorithm = _algorithm(self._algorithm)
        try:
            fits = _fits(self._algorithm, algorithm.prepare_key(self._key.reveal())) and bool(self._sign({}))
        except Exception:  # it may know the key: ours is raised outside, where this one is not its context
            fits = False
        if not fits:
            raise ConfigurationError(
                f"this key does not sign {self._algorithm}: RS* and PS* want an RSA private key of 2048 bits or more, "
                "ES* an EC one on the curve of that name, EdDSA an Ed25519 or Ed448 one, in PEM without a password; "
                "HS* a secret at least as long as the digest"
            )


def _algorithm(name: object) -> Any:
    try:
        from jwt import PyJWS
    except ImportError as error:
        raise ConfigurationError(f"JwtAssertion needs PyJWT: {_EXTRA}") from error
    library = PyJWS()
    known = set(library.get_algorithms()) - _NEVER
    if isinstance(name, str) and name in known:
        return library.get_algorithm_by_name(name)
    raise ConfigurationError(
        f"algorithm must be one of {', '.join(sorted(known))}, not {name!r}; all there are come with {_EXTRA}"
    )


def _fits(algorithm: str, key: Any) -> bool:
    match algorithm[:2]:
        case "HS":  # RFC 7518 §3.2: "a key of the same size as the hash output … or larger MUST be used"
            return len(key) >= int(algorithm[2:]) // 8
        case "RS" | "PS":  # RFC 7518 §3.3, §3.5: "a key of size 2048 bits or larger MUST be used"
            return int(key.key_size) >= 2048
        case "ES":  # RFC 7518 §3.4, RFC 8812 §3.2: to each its curve
            return bool(key.curve.name == _CURVES[algorithm])
        case _:  # RFC 8037 §3.1: either curve; signing tells whether the key is on one
            return True


def _text(name: str, given: object) -> str:
    if isinstance(given, str) and given:
        return given
    raise ConfigurationError(f"{name} must be a string that is not empty, not {given!r}")


def _plain(claims: Mapping[str, Any]) -> dict[str, Any]:
    from json import dumps, loads

    try:
        plain: dict[str, Any] = loads(dumps(dict(claims), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"claims must be what JSON can say: {error}") from error
    if taken := sorted(_OURS & plain.keys()):
        raise ConfigurationError(f"{', '.join(taken)} cannot be among the claims: JwtAssertion asserts them itself")
    return plain
