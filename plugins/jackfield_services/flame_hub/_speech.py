"""Which generation a Hub is of: told by the names in its answers, and by what is around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from jackfield import ContractError, DecodeError, Response

from ._model import NEW, OLD, Generation


class Speech:
    """The generation that one client's Hub is of, as far as it is known.

    Args:
        given: what the user says; None: it is found out.

    Attributes:
        generation: None until something tells.
    """

    def __init__(self, given: Generation | None) -> None:
        self._given = given
        self.generation: Generation | None = given

    def learn(self, response: Response) -> Generation:
        """Takes it from an answer; one that does not tell changes nothing, and is read as the new generation's.

        Raises:
            ContractError: it is another than the user says.
        """
        told = generation_of(response)
        if told is not None and told != self.generation:
            if self._given is not None:
                raise ContractError(
                    f"this Hub answers as one of generation {told}, and the client was made with "
                    f"generation={self._given!r}: give the other, or leave it out"
                )
            self.generation = told
        return self.generation or NEW


def generation_of(response: Response) -> Generation | None:
    """What an answer tells, be it a record, a list or an error; None for nothing."""
    try:
        body: Any = response.decode(object)
    except DecodeError:
        return None
    if not isinstance(body, dict):
        return None
    answer = cast("dict[str, Any]", body)
    if "statusCode" in answer:
        return NEW if "issues" in answer else OLD
    data, meta = answer.get("data"), answer.get("meta")
    if isinstance(meta, dict) and (isinstance(data, dict) or "schema" in meta):
        return NEW
    if not isinstance(data, list):
        return _by_names(answer)
    first = next(iter(cast("list[object]", data)), None)
    return _by_names(cast("dict[str, object]", first)) if isinstance(first, dict) else OLD


def _by_names(record: Mapping[str, object]) -> Generation | None:
    if any("_" in name for name in record):
        return OLD
    return NEW if any(name != name.lower() for name in record) else None
