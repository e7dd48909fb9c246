"""What the Hub is told in secret, and its answers without that: in an error it repeats what it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from json import dumps
from typing import Any, cast

from msgspec.json import decode, encode

from jackfield import DecodeError, Request, Response

from ._model import HIDDEN, OLD
from ._names import spelled

_SHORTEST = 4  # characters of a secret that is looked for inside of words
_USUAL = HIDDEN | {"children", "code", "issues", "message", "path", "pathAbsolute", "received", "statusCode"}
_TOKEN = b"eyJ"  # what a JWT begins with, and little else
_hide_tokens = re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?").sub


def masked(response: Response, request: Request, tokens: Iterable[str] = ()) -> Response:
    """The answer without the secrets of the request's body, and without tokens: these, or whatever else is a JWT."""
    secrets = [*_secrets_in(request), *tokens]
    if not secrets and _TOKEN not in response.content:
        return response
    try:
        told = response.decode(Any)
    except DecodeError:
        return response.replace(body=without(response.content.decode(errors="replace"), secrets).encode())
    try:
        shown = _value(told, secrets)
    except RecursionError:
        return response.replace(body=b"")
    return response if shown == told else response.replace(body=encode(shown))


def _secrets_in(request: Request) -> list[str]:
    """The values of a JSON body that bear the name of a secret."""
    if not isinstance(request.body, bytes):
        return []
    try:
        told = decode(request.body, type=dict[str, Any])
    except (ValueError, RecursionError):
        return []
    found = [value for name, value in told.items() if spelled(name, OLD) in HIDDEN]
    return [value for value in found if isinstance(value, str) and value]


def _value(told: Any, secrets: Sequence[str]) -> Any:
    if isinstance(told, dict):
        pairs = cast("dict[str, Any]", told).items()
        return {_name(name, secrets): _value(value, secrets) for name, value in pairs}
    if isinstance(told, list):
        return [_value(value, secrets) for value in cast("list[object]", told)]
    if isinstance(told, str):
        return "***" if told in secrets else without(told, secrets)
    return told


def _name(name: str, secrets: Sequence[str]) -> str:
    """A field's name is a word of the Hub's, which a secret may be a part of by chance, or even be."""
    if not name.isidentifier():
        return without(name, secrets)
    return "***" if name in secrets and name not in _USUAL and len(name) >= _SHORTEST else name


def without(words: str, secrets: Iterable[str]) -> str:
    """The words without the secrets, be they as they are or as JSON has them."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of another
        if len(secret) >= _SHORTEST:  # a shorter one is in every other word
            for form in (secret, dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1]):
                words = words.replace(form, "***")
    return _hide_tokens("***", words)
