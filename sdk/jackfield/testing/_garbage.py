"""Garbage of a simulation: what is freed may wake somebody, so when that happens must not depend on the machine."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

_EVERY = 1000  # steps


class Garbage:
    """Collected after so many steps, not so many allocations."""

    def __init__(self) -> None:
        self._steps = 0

    @contextmanager
    def left_alone(self) -> Generator[None]:
        """Nobody else collects meanwhile."""
        by_itself = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if by_itself:
                gc.enable()

    def step(self) -> None:
        """Counts a step, and collects what is young if it is time to."""
        self._steps += 1
        if not self._steps % _EVERY:
            gc.collect(1)

    def collect(self) -> bool:
        """Collects all there is; whether there was any."""
        return gc.collect() > 0
