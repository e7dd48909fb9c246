"""What Buffy may be told, as it shows it to everybody."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield import Call, Headers, Origin, Request

# What says nothing of who asks. Any other header may be a credential, whatever its name.
_TOLD = frozenset({"accept", "accept-language", "content-type"})
# These are the connection's, or Buffy's own.
_UNTOLD = frozenset({"accept-encoding", "connection", "content-length", "host", "proxy-authorization", "user-agent"})
_HARMLESS = _TOLD | frozenset({"accept-encoding", "user-agent"})


def reason_against(request: Request, call: Call, buffy: Origin, *, credentials: bool) -> str:
    """Why Buffy is not to be told of this, or cannot answer it; empty where it can.

    Args:
        request: what is to be sent.
        call: whose it is.
        buffy: where Buffy is.
        credentials: whether it may see them.
    """
    names = {name.lower() for name in request.headers}
    if request.method != "GET" or request.body or not request.is_idempotent:
        return "it does more than to read"
    if any(name == "range" or name.startswith("if-") for name in names):
        return "it asks for a part, or on a condition"
    if request.url.origin == buffy:
        return "it is for Buffy"
    if credentials:
        return ""
    if call.identity:
        return "the client bears credentials"
    if unknown := sorted(names - _HARMLESS):
        return f"these headers may be credentials: {', '.join(unknown)}"
    return "" if request.url.origin == call.origin else "it is for another origin than the service's"


def told(headers: Mapping[str, str], *, credentials: bool) -> dict[str, str]:
    """Of these header fields, those that go to the origin through Buffy."""
    given = {name.lower(): value for name, value in Headers(headers).items()}
    return {name: value for name, value in given.items() if name in _TOLD or (credentials and name not in _UNTOLD)}
