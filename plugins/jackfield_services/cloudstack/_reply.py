"""The answer that an error came of: a `Response` that also reads like the dictionary of CloudStackAIO's errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jackfield import DecodeError, Response

from ._json import inside, mapping


class Reply(Response, Mapping[str, Any]):
    """`error.response["errortext"]`, and `error.response.status`."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Reply:
        """One that holds these fields."""
        from msgspec.json import encode  # here, so that importing this stays cheap

        return cls(200, body=encode({"response": fields}))

    def __getitem__(self, name: str) -> Any:
        return self._inside[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._inside)

    def __len__(self) -> int:
        return len(self._inside)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Mapping) and not isinstance(other, Response):
            return self._inside == other
        return Response.__eq__(self, other)

    __hash__ = Response.__hash__

    @property
    def _inside(self) -> dict[str, Any]:
        try:
            return mapping(inside(self.decode(Any))) or {}
        except DecodeError:
            return {}
