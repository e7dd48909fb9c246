"""The base of typed resources (msgspec): unknown fields are tolerated, and the dumps that users know exist."""

from __future__ import annotations

from typing import Any

import msgspec


class Model(msgspec.Struct, kw_only=True):
    """A resource. Fields that the service adds later are ignored until the model names them."""

    def model_dump(self) -> dict[str, Any]:
        """The fields as JSON-able builtins."""
        dumped: dict[str, Any] = msgspec.to_builtins(self)
        return dumped

    def model_dump_json(self) -> str:
        """The fields as JSON text."""
        return msgspec.json.encode(self).decode()
