"""What the settings of a store must be."""

from __future__ import annotations

from jackfield import ConfigurationError


def check_size(name: str, given: object) -> int:
    """The number of bytes that was given for a setting.

    Raises:
        ConfigurationError: it is no whole number, 1 or more.
    """
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    raise ConfigurationError(f"{name} must be a number of bytes, 1 or more, not {given!r}")
