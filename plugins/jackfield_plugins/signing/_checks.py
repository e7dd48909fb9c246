"""Whether an argument is what it must be, so that a mistake is told where it is made, and what to do instead."""

from __future__ import annotations

from types import UnionType

from jackfield import ConfigurationError

BYTES = bytes | bytearray | memoryview


def check_kind(name: str, given: object, kind: type | UnionType, wanted: str) -> None:
    """Says what is wanted, and never shows what was given: it may be a secret.

    Args:
        name: of the argument.
        given: the argument.
        kind: what it must be an instance of; a class of that kind is none.
        wanted: how to write it.

    Raises:
        ConfigurationError: it is something else.
    """
    if isinstance(given, type):
        raise ConfigurationError(f"{name} is {wanted}, not the class {given.__name__}")
    if not isinstance(given, kind):
        raise ConfigurationError(f"{name} is {wanted}, not {type(given).__name__}")
