"""Which generation a Hub is of: told by the names in its answers, and by what is around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from jackfield import ContractError, DecodeError, Response

from ._model import NEW, OLD, Generation
from ._said import OF_TOKENS

# Of its own errors a Hub tells by these statuses, and an old one by these codes: what a gateway says has others.
_STATUSES = frozenset({400, 401, 403, 404})
_CODES = OF_TOKENS | {"BAD_REQUEST", "FORBIDDEN", "NOT_FOUND", "UNAUTHORIZED"}


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

    def doubt(self, refusal: Response) -> None:
        """Forgets what was found out, if the Hub refuses what it was sent as the other generation does: it may have
        been upgraded. The next call that has to know asks."""
        told = generation_of(refusal) if refusal.status == 400 and self._given is None else None
        if told is not None and told != self.generation:
            self.generation = None


def generation_of(response: Response) -> Generation | None:
    """What an answer tells, be it a record, a list or an error; None for nothing."""
    try:
        answer: dict[str, Any] = response.decode(dict[str, Any])
    except DecodeError:
        return None
    if response.status >= 400:
        return _by_refusal(answer) if response.status in _STATUSES else None
    record = _record_in(answer)
    return _by_date(record) or _by_envelope(answer) or _by_names(record)


def _by_refusal(answer: Mapping[str, object]) -> Generation | None:
    """The new one says each time what is wrong, be it nothing; the old one nothing, or with which `children`."""
    code = answer.get("code")
    if "statusCode" not in answer or not isinstance(code, str):
        return None
    if isinstance(answer.get("issues"), list):
        return NEW
    return OLD if code in _CODES or isinstance(answer.get("children"), list) else None


def _record_in(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record that it is, or holds; of several the first."""
    data = answer.get("data")
    if isinstance(data, list):
        data = next(iter(cast("list[object]", data)), None)
    elif not isinstance(answer.get("meta"), dict):
        return answer
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _by_date(record: Mapping[str, object]) -> Generation | None:
    """Most records have one."""
    return NEW if "createdAt" in record else OLD if "created_at" in record else None


def _by_envelope(answer: Mapping[str, Any]) -> Generation | None:
    """The old one has none around records; the new one says by which schema a list is, even where it is empty."""
    data, meta = answer.get("data"), answer.get("meta")
    if not isinstance(meta, dict):
        return None
    if isinstance(data, dict) or "schema" in meta:
        return NEW
    return OLD if data == [] else None


def _by_names(record: Mapping[str, object]) -> Generation | None:
    """By any that has several words."""
    if any("_" in name for name in record):
        return OLD
    return NEW if any(name != name.lower() for name in record) else None
