"""What installed distributions offer under an entry point group. Nothing is loaded by looking."""

from __future__ import annotations

from importlib.metadata import EntryPoint, distributions


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
