"""Whether an answer may be kept, and how (RFC 9111 §3)."""

from __future__ import annotations

from jackfield import Headers, Request

from ._directives import Control, control_of, listed
from ._fields import dated, fields_to_keep
from ._freshness import HEURISTIC
from ._kept import Kept
from ._selecting import selecting
from ._terms import Rules
from ._validating import has_validator
from ._wishes import wishes_of

# RFC 6585 §3 to §6: "MUST NOT be stored by a cache". 401 and 407 are about a credential that may have changed.
_NEVER = frozenset({206, 304, 401, 407, 428, 429, 431, 511})
# Those whose meaning to a cache is known: §5.2.2.3.
_UNDERSTOOD = HEURISTIC | {302, 303, 307, 400, 403, 409, 451, 500, 502, 503, 504}


def storable(
    request: Request,
    status: int,
    headers: Headers,
    asked_at: float,
    came_at: float,
    rules: Rules,
    *,
    authorized: bool = False,
) -> Kept | str:
    """How an answer would be kept, its body still to come (`_replace(body=...)`); or why it is not kept.

    Args:
        request: as the caller meant it, without conditions.
        status: of the answer.
        headers: of the answer.
        asked_at: when the request was sent, seconds since 1970.
        came_at: when the answer's head had come.
        rules: by which the cache decides.
        authorized: whether it was sent with credentials that the request does not show.
    """
    control = control_of(headers, rules.shared)
    values = selecting(request, headers, rules)
    refusal = _refused(request, status) or _forbidden(status, control)
    if rules.shared:
        refusal = refusal or _private(headers, control, authorized or "authorization" in request.headers)
    if values is None:
        refusal = refusal or "it varies by more than a request tells (Vary: *)"
    if refusal or values is None:
        return refusal or ""
    fields = dated(fields_to_keep(headers, control, rules.shared), came_at)
    entry = Kept(status, tuple(fields.pairs()), b"", asked_at, came_at, values)
    return _useless(entry, control, rules) or entry


def _refused(request: Request, status: int) -> str:
    if request.method != "GET":
        return "only answers to GET are kept"
    if request.body:
        return "the request has a body"
    if wishes_of(request.headers).no_store:
        return "the request says no-store"
    if status < 200 or status in _NEVER:
        return f"answers with {status} are not kept"
    return ""


def _forbidden(status: int, control: Control) -> str:
    """§5.2.2.3: a cache that understands the status "SHOULD ignore the no-store directive" beside must-understand."""
    if "must-understand" in control.directives:
        return "" if status in _UNDERSTOOD else "it says must-understand, and the status is not understood"
    return "it says no-store" if "no-store" in control.directives else ""


def _private(headers: Headers, control: Control, authorized: bool) -> str:
    """What a cache that serves many does not keep: §3 `private`, §3.5 answers to credentials, and cookies."""
    directives = control.directives
    if listed(directives, "private") is None:
        return "it says private, and the cache is shared"
    public = "public" in directives or "s-maxage" in directives
    if authorized and not public and "must-revalidate" not in directives:
        return "it answers credentials, and the cache is shared"
    return "it sets a cookie, and the cache is shared" if "set-cookie" in headers and not public else ""


def _useless(entry: Kept, control: Control, rules: Rules) -> str:
    """§3: "at least one of the following"; and what can neither be given nor validated is not worth its place."""
    told = {"public", "max-age"} | ({"s-maxage"} if rules.shared else {"private"})
    explicit = not told.isdisjoint(control.directives) or ("expires" in entry.fields and not control.targeted)
    if entry.status not in HEURISTIC and not explicit:
        return f"answers with {entry.status} are kept if they say how long they are fresh"
    terms = entry.terms(rules)
    if has_validator(entry.fields):
        return ""
    if terms.asks or terms.lifetime + terms.while_revalidate + terms.if_error <= 0.0:
        return "it is not fresh at any time, and has no validator"
    return ""
