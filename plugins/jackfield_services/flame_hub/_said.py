"""What the Hub says of an error, in either generation."""

from __future__ import annotations

from typing import Any, cast

from msgspec import field

from jackfield import DecodeError, Response

from ._model import HIDDEN, HubModel

# Some Hubs answer a token that they do not take with a 400: of Authup with one of these codes, of the others silent.
_OF_TOKENS = frozenset({"expired_token", "inactive_token", "invalid_token", "token_expired", "token_invalid"})
_MOST_ISSUES = 100


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

    def wrong(self) -> list[str]:
        """Each issue in words."""
        return [_in_words(issue) for issue in self.issues[:10]]


def said(response: Response) -> ErrorResponse | None:
    """What the Hub said; None if the answer is nothing of its own."""
    try:
        told: dict[str, Any] = response.decode(dict[str, Any])
    except DecodeError:
        return None
    status = told.pop("statusCode", told.pop("status_code", None))
    issues = told.pop("issues", None) or told.pop("children", None)
    code, message = told.pop("code", ""), told.pop("message", "")
    return ErrorResponse(
        code=code if isinstance(code, str) else str(code),
        status_code=status if isinstance(status, int) else response.status,
        message=message if isinstance(message, str) else "",
        issues=[_masked(issue) for issue in _dicts(issues)],
        model_extra=told,
    )


def is_of_token(told: ErrorResponse) -> bool:
    """Whether a 400 is about the token that the request bore."""
    silent = told.code == "BAD_REQUEST" and not told.message and not told.issues
    return told.code in _OF_TOKENS or silent


def _dicts(issues: object) -> list[dict[str, Any]]:
    found = cast("list[object]", issues) if isinstance(issues, list) else []
    return [cast("dict[str, Any]", issue) for issue in found[:_MOST_ISSUES] if isinstance(issue, dict)]


def _masked(issue: dict[str, Any]) -> dict[str, Any]:
    """Without the secret that it may repeat."""
    return issue | {"received": "***"} if "received" in issue and _place(issue) in HIDDEN else issue


def _place(issue: dict[str, Any]) -> str:
    path: object = issue.get("path", "")
    if isinstance(path, list):
        path = ".".join(map(str, cast("list[object]", path)))
    return str(path)


def _in_words(issue: dict[str, Any]) -> str:
    words = [str(issue[name]) for name in ("message", "code") if issue.get(name)]
    return ": ".join([place, *words[:1]] if (place := _place(issue)) else words[:1] or ["?"])
