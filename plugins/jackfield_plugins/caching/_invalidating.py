"""What an answer to an unsafe request makes invalid (RFC 9111 §4.4)."""

from __future__ import annotations

from jackfield import ContractError, Headers, Request, follow

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 §9.2.1


def invalidated(request: Request, status: int, headers: Headers) -> list[Request]:
    """GET requests for what is to be forgotten, all of the request's own origin: its URL, and those that it created.

    Args:
        request: of any method; one that is not known to be safe is not.
        status: of the answer: an error changes nothing.
        headers: of the answer.
    """
    if request.method in _SAFE or not 200 <= status < 400:
        return []
    target = request.replace(method="GET", body=b"", idempotent=None)
    places = [target]
    for name in ("location", "content-location"):
        for reference in headers.get_all(name):
            try:
                places.append(follow(target, reference))
            except ContractError:
                pass  # "MUST NOT" for another origin: somebody could empty a cache of what is not theirs
    return places
