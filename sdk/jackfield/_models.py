"""The base of typed resources (msgspec): unknown fields are tolerated, and the dumps that users know exist."""

from __future__ import annotations

from typing import Any, dataclass_transform

import msgspec


class _ModelMeta(msgspec.StructMeta):
    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        config.setdefault("kw_only", True)  # msgspec does not hand it on to subclasses
        return super().__new__(mcls, name, bases, namespace, **config)


@dataclass_transform(kw_only_default=True, field_specifiers=(msgspec.field,))
class Model(msgspec.Struct, metaclass=_ModelMeta):
    """A resource; its fields are given by name. What the service adds later is ignored until the model names it."""

    def model_dump(self) -> dict[str, Any]:
        """The fields as JSON-able builtins."""
        dumped: dict[str, Any] = msgspec.to_builtins(self)
        return dumped

    def model_dump_json(self) -> str:
        """The fields as JSON text."""
        return msgspec.json.encode(self).decode()
