"""What can be set of the emulator, while it runs too; no state of the Hub."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypedDict

from jackfield_services._given import expect

from ._names import Generation

DeadStatus: TypeAlias = Literal[400, 401, 500]


class Options(TypedDict, total=False):
    """The settings by name; `FlameHubEmulator` says what they mean."""

    token_life: int
    expires_in: int | None
    refresh_life: int
    dead_token: DeadStatus | None
    polls: int
    now: Callable[[], float]


@dataclass(kw_only=True, eq=False, repr=False)
class Settings:
    """The settings and what they are unless somebody says otherwise."""

    generation: Generation
    token_life: int = 3600
    expires_in: int | None = None
    refresh_life: int = 259_200
    dead_token: DeadStatus | None = None
    polls: int = 2
    now: Callable[[], float] = time.time

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("token_life", "refresh_life", "polls"):
            expect(value, int, f"{name} is a whole number")
        if name == "polls" and value < 0:
            raise ValueError("polls is a count: 0 or more")
        if name == "expires_in":
            expect(value, int | None, "expires_in is a whole number or None")
        if name == "generation" and value not in ("0.1.1", "1.1.0"):
            raise ValueError(f'generation is "0.1.1" or "1.1.0", not {value!r}')
        if name == "dead_token" and value not in (None, 400, 401, 500):
            raise ValueError(f"dead_token is 400, 401 or 500, not {value}")
        if name == "now" and not callable(value):
            raise TypeError(f"now is a function, not {value!r}")
        super().__setattr__(name, value)

    @property
    def shown_dead(self) -> DeadStatus:
        """The status that an expired token gets."""
        return self.dead_token or (500 if self.generation == "0.1.1" else 401)
