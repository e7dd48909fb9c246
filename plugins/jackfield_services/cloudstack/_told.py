"""What a client with the names of `cs` was told when it was made: attributes, as they are there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ._settings import EXPIRATION, Settings

_LONGEST = 1e9  # seconds that a timedelta may hold


class Told:
    """An argument of the constructor; to be read, and not to be changed: the client would not follow."""

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._name = name

    def __get__(self, client: Any, owner: type[object] | None = None) -> Any:
        return self if client is None else client._told[self._name]

    def __set__(self, client: object, value: object) -> None:
        raise AttributeError(f"{self._name} is told when the client is made: CloudStack(…, {self._name}=…)")


def told(settings: Settings, headers: Mapping[str, str] | None) -> dict[str, Any]:
    """The arguments, as `cs` makes them of strings."""
    seconds = max(-_LONGEST, min(float(settings.text("expiration") or EXPIRATION), _LONGEST))
    return {
        "timeout": settings.seconds("timeout"),
        "method": settings.method(),
        "verify": settings.verify(),
        "cert": settings.cert(),
        "retry": settings.whole("retry"),
        "retry_backoff": settings.seconds("retry_backoff", zero=True),
        "expiration": timedelta(seconds=seconds),
        "trace": settings.flag("trace"),
        "headers": headers or {},
    }
