"""What the environment says of a Buffy server. A variable that is empty says nothing."""

from __future__ import annotations

import os

from ._errors import BuffyValueError

_TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def variable(name: str, fallback: str | None) -> str | None:
    """A variable's text, or the fallback; None where that is empty, too."""
    return os.environ.get(name) or fallback or None


def flag(name: str, fallback: bool) -> bool:
    """Whether a variable says yes.

    Raises:
        BuffyValueError: it says neither yes nor no.
    """
    text = variable(name, None)
    if text is None:
        return fallback
    if text.strip().lower() not in _TRUTH:
        raise BuffyValueError(f"{name} is one of {', '.join(_TRUTH)}, not {text!r}")
    return _TRUTH[text.strip().lower()]
