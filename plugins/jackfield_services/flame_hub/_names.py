"""Names of fields, as people write them and as a generation has them."""

from __future__ import annotations

import re
from functools import lru_cache

from ._model import OLD, Generation

_humps = re.compile(r"(?<=[a-z0-9])([A-Z])").sub
_gaps = re.compile(r"_+([a-zA-Z0-9])").sub


@lru_cache(maxsize=4096)
def spelled(name: str, generation: Generation) -> str:
    """`project.realm_id` or `project.realmId`, however it was written."""
    if generation == OLD:
        return _humps(lambda found: f"_{found[1].lower()}", name)
    return _gaps(lambda found: found[1].upper(), name)
