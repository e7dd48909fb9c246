"""How a user drops a plugin. A module of its own, so that naming it does not load the plugin machinery."""

from __future__ import annotations

from typing import NamedTuple


class Without(NamedTuple):
    """In `plugins=[...]`: leaves out the plugin of this name."""

    name: str
