"""Settings as texts, of which each knows where it is written, made into values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from jackfield import ConfigurationError, Secret, check_seconds

T = TypeVar("T")

KEYS = frozenset(
    {"cert", "cert_key", "dangerous_no_tls_verify", "endpoint", "expiration", "job_timeout", "key", "method"}
    | {"poll_interval", "retry", "retry_backoff", "secret", "timeout", "trace", "verify"}
)
HEADER = "header_"

EXPIRATION = 600.0  # seconds, as in cs
_LONGEST_EXPIRATION = 900.0  # what servers take that enforce it; each attempt is signed anew
_TRUE, _FALSE = ("y", "yes", "t", "true", "on", "1"), ("n", "no", "f", "false", "off", "0")


def warn_if_close(name: str, where: str) -> None:
    """Says that a name which is no setting looks much like one."""
    if name in KEYS or name.startswith(HEADER):
        return
    from difflib import get_close_matches

    if meant := get_close_matches(name, KEYS, 1, 0.8):
        warnings.warn(f"{where} is no setting: did you mean {meant[0]!r}?", RuntimeWarning, stacklevel=2)


class Setting(NamedTuple):
    """A value as it is written, and where, for a person."""

    value: str
    where: str

    def __repr__(self) -> str:
        return f"<the setting of {self.where}>"  # it may be a secret


class Settings:
    """What is set, by the names that `cs` has for it. Errors say where a value is written."""

    def __init__(self, found: Mapping[str, Setting]) -> None:
        self._found = found

    def text(self, key: str) -> str | None:
        """As it is written."""
        setting = self._found.get(key)
        return setting.value if setting else None

    def secret(self) -> Secret | None:
        """The key's other half."""
        setting = self._found.get("secret")
        return Secret(setting.value) if setting else None

    def seconds(self, key: str, *, zero: bool = False) -> float | None:
        """A finite number, of 0 or more."""
        what = f"a number of seconds, {'0 or more' if zero else 'more than 0'}"
        return self._read(key, lambda value: check_seconds(key, float(value), zero=zero), what)

    def whole(self, key: str) -> int | None:
        """A whole number, of 0 or more."""
        return self._read(key, _whole, "a whole number, 0 or more")

    def flag(self, key: str) -> bool:
        """Whether it is switched on, in one of the usual words."""
        return bool(self._read(key, _flag, "yes or no"))

    def method(self) -> str | None:
        """`auto`, `get` or `post`, in whatever case."""
        words = ("auto", "get", "post")
        return self._read("method", lambda value: words[words.index(value.lower())], " or ".join(words))

    def expiration(self) -> float | None:
        """Seconds that a signed request stays good; None: for ever, which is a negative number."""
        seconds = self._read("expiration", _number, "a number of seconds")
        if seconds is None:
            seconds = EXPIRATION
        return None if seconds < 0 else min(seconds, _LONGEST_EXPIRATION)

    def verify(self) -> bool | str:
        """Whom to believe: the authorities of a file, the system's, or anybody."""
        verify = self.text("verify")
        if verify is None or verify.lower() in _TRUE:
            return verify is not None or not self.flag("dangerous_no_tls_verify")
        if verify.lower() in _FALSE:
            raise ConfigurationError(
                f"{self._found['verify'].where} is the path of a file of authorities, not {verify!r}: if nobody shall "
                "be verified, set dangerous_no_tls_verify to true"
            )
        return verify

    def cert(self) -> str | tuple[str, str] | None:
        """The client's certificate, and its key where that is in another file."""
        cert, key = self.text("cert"), self.text("cert_key")
        if key and not cert:
            raise ConfigurationError(f"{self._found['cert_key'].where} is set, and `cert`, which it belongs to, is not")
        return (cert, key) if cert and key else cert

    def headers(self) -> dict[str, str]:
        """Sent with every request: `header_x-name = value`."""
        return {key[len(HEADER) :]: one.value for key, one in self._found.items() if key.startswith(HEADER)}

    def _read(self, key: str, read: Callable[[str], T], what: str) -> T | None:
        setting = self._found.get(key)
        if setting is None:
            return None
        try:
            return read(setting.value)
        except (ValueError, ConfigurationError):
            raise ConfigurationError(f"{setting.where} must be {what}, not {setting.value!r}") from None


def _number(value: str) -> float:
    number = float(value)
    if number != number:  # NaN
        raise ValueError(value)
    return number


def _whole(value: str) -> int:
    number = int(value)
    if number < 0:
        raise ValueError(value)
    return number


def _flag(value: str) -> bool:
    if value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    raise ValueError(value)
