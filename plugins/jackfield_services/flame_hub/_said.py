"""What the Hub says of an error, in either generation."""

from __future__ import annotations

from typing import Any, cast

from msgspec import field

from jackfield import DecodeError, Response

from ._model import HubModel

# Some Hubs answer a token that they do not take with a 400: of Authup with one of these codes, of the others silent.
OF_TOKENS = frozenset({"expired_token", "inactive_token", "invalid_token", "token_expired", "token_invalid"})
_MOST_ISSUES = 100
_MOST_TOLD = 10  # of them in a note
_LONGEST = 200  # characters of each


class ErrorResponse(HubModel):
    """What the Hub said of an error.

    Attributes:
        status_code: of the answer.
        code: the Hub's own.
        message: in words.
        issues: what is wrong with what, where it says so: of 0.1.1 its `children`.
        model_extra: whatever else it said.
    """

    code: str = ""
    status_code: int | None = None
    message: str = ""
    issues: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    model_extra: dict[str, Any] = field(default_factory=dict[str, Any])

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """By attribute, as flame_hub_client has them; whatever else the Hub said stands beside them."""
        options["by_alias"] = False
        dumped = HubModel.model_dump(self, **options)
        extra: dict[str, Any] = dumped.pop("model_extra", {})
        return dumped | extra

    def wrong(self) -> list[str]:
        """Each issue in words."""
        return [_in_words(issue) for issue in self.issues[:_MOST_TOLD]]


def said(response: Response) -> ErrorResponse | None:
    """What the Hub said; None if the answer is nothing of its own."""
    try:
        told: dict[str, Any] = response.decode(dict[str, Any])
    except DecodeError:
        return None
    status = _number(told.pop("statusCode", None)) or _number(told.pop("status_code", None))
    issues = told.pop("issues", None) or told.pop("children", None)
    return ErrorResponse(
        code=_word(told.pop("code", None)),
        status_code=response.status if status is None else status,
        message=_word(told.pop("message", None)),
        issues=_issues(issues),
        model_extra=told,
    )


def says_none(response: Response) -> bool:
    """Whether the Hub itself says that there is no such record: gateways have other words for a path they know not."""
    try:
        told: dict[str, Any] = response.decode(dict[str, Any])
    except DecodeError:
        return False
    return response.status == 404 and told.get("statusCode") == 404 and told.get("code") == "NOT_FOUND"


def shown(words: str) -> str:
    """What is safe in a terminal, and on one line of a log."""
    return words if words.isprintable() else "".join(c if c.isprintable() else " " for c in words)


def is_of_token(told: ErrorResponse) -> bool:
    """Whether a 400 is about the token that the request bore."""
    silent = told.code == "BAD_REQUEST" and not told.message and not told.issues
    return told.code in OF_TOKENS or silent


def _number(told: object) -> int | None:
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) <= 3:
        return int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _word(told: object) -> str:
    if isinstance(told, str):
        return told
    return str(told) if isinstance(told, int) and not isinstance(told, bool) else ""


def _issues(told: object) -> list[dict[str, Any]]:
    found = cast("list[object]", told) if isinstance(told, list) else []
    return [cast("dict[str, Any]", issue) for issue in found[:_MOST_ISSUES] if isinstance(issue, dict)]


def _in_words(issue: dict[str, Any]) -> str:
    """Where, and what: `name: The attribute name is invalid.`"""
    path: object = issue.get("path")
    steps = cast("list[object]", path) if isinstance(path, list) else [path]
    place = ".".join(filter(None, map(_word, steps)))
    what = _word(issue.get("message")) or _word(issue.get("code"))
    return " ".join(": ".join(filter(None, [place, what])).split())[:_LONGEST] or "?"
