"""The answer that an entry is (RFC 9111 §4, §5.1)."""

from __future__ import annotations

from jackfield import Request, Response

from ._directives import MOST
from ._kept import kept
from ._stored import Stored


def served(entry: Stored, request: Request, age: float) -> Response:
    """The entry as an answer to the request: with its age in whole seconds, and without a body for a HEAD."""
    headers = kept(entry).fields.replacing("Age", str(int(min(age, MOST))))
    return Response(entry.status, headers, b"" if request.method == "HEAD" else entry.body)
