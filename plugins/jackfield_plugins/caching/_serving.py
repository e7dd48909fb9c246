"""The answer that an entry is (RFC 9111 §4, §5.1), and what is told of what the cache did."""

from __future__ import annotations

from jackfield import Headers, Request, Response

from ._deciding import Action, Decision
from ._directives import MOST
from ._kept import kept
from ._stored import Stored

_NAME = "jackfield"
_MEANING = {
    Action.SERVE: "would be answered from the cache, and nothing sent",
    Action.SERVE_AND_REFRESH: "would be answered from the cache, and refreshed in the background",
    Action.VALIDATE: "would ask whether the answer in the cache is still good",
    Action.FETCH: "would be sent, and the answer kept if it may be",
    Action.REFUSE: "would be answered with 504, and nothing sent",
    Action.BYPASS: "would pass the cache by",
}


def served(entry: Stored, request: Request, age: float) -> Response:
    """The entry as an answer to the request: with its age in whole seconds, and without a body for a HEAD."""
    headers = kept(entry).fields.replacing("Age", str(int(min(age, MOST))))
    return Response(entry.status, headers, b"" if request.method == "HEAD" else entry.body)


def told(response: Response, did: str) -> Response:
    """The response, with a Cache-Status (RFC 9211) of what this cache did, "hit; ttl=30" say."""
    headers, member = response.headers, f"{_NAME}; {did}"
    if "cache-status" in headers:  # §2: the last member is the one "closest to the user"
        added = Headers.received([*headers.pairs(), ("Cache-Status", member)])
    else:
        added = headers.replacing("Cache-Status", member)
    return Response(response.status, added, response.body)


def in_words(decision: Decision) -> str:
    """What `explain()` says: what would be done with the request, and why."""
    age = f" (age {decision.age:.0f} s of {decision.lifetime:.0f} s)" if decision.entry is not None else ""
    return f"cache: {_MEANING[decision.action]}: {decision.why}{age}"
