"""What installed distributions offer under an entry point group. Nothing is loaded by looking."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, distributions
from logging import getLogger
from threading import Timer

_SLOW = 10.0  # seconds of loading until people are told who it is


@contextmanager
def blamed_if_slow(entry: EntryPoint) -> Generator[None]:
    """Says whose it is what takes so long to load. It cannot be stopped: an import belongs to its thread."""
    told = Timer(_SLOW, getLogger("jackfield").warning, ("%s is still being loaded, and may hang", origin(entry)))
    told.daemon = True
    told.start()
    try:
        yield
    finally:
        told.cancel()


def offers(group: str) -> list[EntryPoint]:
    """The entry points of the group, of every distribution whose metadata can be read; the first on the path counts."""
    found: list[EntryPoint] = []
    seen: set[str] = set()
    for distribution in distributions():
        try:
            name, entries = distribution.name, distribution.entry_points
        except Exception:  # noqa: S112  # broken metadata is that distribution's misfortune, and nobody else's
            continue
        if name not in seen:
            seen.add(name)
            found += entries.select(group=group)
    return found


def origin(entry: EntryPoint) -> str:
    """Who offers it, for a person."""
    return f"the distribution {entry.dist.name!r}" if entry.dist else f"the entry point {entry.value!r}"
