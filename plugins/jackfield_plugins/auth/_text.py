"""What the text of a credential may be: no control characters, one form of Unicode (RFC 8265 §3, §4)."""

from __future__ import annotations

import re

from jackfield import ConfigurationError, Secret

_control = re.compile(r"[\x00-\x1f\x7f-\x9f]").search  # C0, DEL, C1
_surrogate = re.compile(r"[\ud800-\udfff]").search


def plain(text: str | Secret, what: str) -> str:
    """The text, if it can be sent.

    Raises:
        ConfigurationError: it is not a string, or holds a control character or half of a surrogate pair.
    """
    revealed = text.reveal() if isinstance(text, Secret) else text
    if not isinstance(revealed, str):
        raise ConfigurationError(f"{what} is a string or a Secret, not {type(text).__name__}")
    if _control(revealed):
        raise ConfigurationError(
            f"{what} holds a control character, a line break say: strip it if it was read from a file"
        )
    if _surrogate(revealed):  # looked for, as an error of `encode` would show the text
        raise ConfigurationError(f"{what} holds half of a surrogate pair: it was decoded wrongly")
    return revealed


def normal(text: str | Secret, what: str) -> str:
    """The same, in the normal form C, which both sides must compare in."""
    revealed = plain(text, what)
    if revealed.isascii():
        return revealed
    from unicodedata import normalize

    return normalize("NFC", revealed)
