"""OAuth 1.0a signatures (RFC 5849 §3.4, §3.5.1) as functions of values: base string, key, signature, header."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

from jackfield import Secret

from ._message import Message, normal_authority

Method = Literal["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"]


def base_uri(message: Message) -> str:
    """§3.4.1.2: scheme and host in lower case, no default port, no query."""
    return f"{message.scheme.lower()}://{normal_authority(message)}{message.path}"


def base_string(message: Message, parameters: Mapping[str, str], form: bytes = b"") -> str:
    """§3.4.1: what is signed.

    Args:
        message: the request; of its headers none is signed.
        parameters: the protocol's, as they are meant; not `realm`.
        form: the body, if it is `application/x-www-form-urlencoded`.
    """
    protocol = [(_encoded(name), _encoded(value)) for name, value in parameters.items()]
    pairs = sorted([*_pairs((message.query or "").encode()), *protocol, *_pairs(form)])
    # §3.4.1.3.1: the signature itself "MUST be excluded if present"
    normalised = "&".join(f"{name}={value}" for name, value in pairs if name != "oauth_signature")
    return "&".join(_encoded(part) for part in (message.method.upper(), base_uri(message), normalised))


def signing_key(consumer_secret: Secret, token_secret: Secret | None = None) -> Secret:
    """§3.4.2: both secrets, encoded; the second may be missing, but not the `&`."""
    return Secret("&".join(_encoded(secret.reveal()) if secret else "" for secret in (consumer_secret, token_secret)))


def signature(base: str, key: Secret, method: Method) -> str:
    """The signature of a base string, in standard base64; of PLAINTEXT the key itself (§3.4.4)."""
    if method == "PLAINTEXT":
        return key.reveal()
    digest = "sha1" if method == "HMAC-SHA1" else "sha256"
    return b64encode(hmac.digest(key.reveal().encode(), base.encode(), digest)).decode()


def authorization(parameters: Mapping[str, str], realm: str | None = None) -> str:
    """§3.5.1: the parameters as the Authorization header carries them."""
    fields = [] if realm is None else [f'realm="{realm}"']
    fields += [f'{_encoded(name)}="{_encoded(value)}"' for name, value in parameters.items()]
    return f"OAuth {', '.join(fields)}"


def _pairs(form: bytes) -> list[tuple[str, str]]:
    """The names and values of a form or a query, decoded, and encoded by §3.6."""
    parts = (piece.replace(b"+", b" ").partition(b"=") for piece in form.split(b"&") if piece)
    return [(_encoded(unquote_to_bytes(name)), _encoded(unquote_to_bytes(value))) for name, _, value in parts]


def _encoded(text: str | bytes) -> str:
    """§3.6: all but the unreserved characters of RFC 3986 in percent-encoding, of UTF-8."""
    return quote(text, safe="")
