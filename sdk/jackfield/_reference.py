"""References that a service gives (RFC 3986 §4.1, §5.2): where they lead, or that they lead nowhere we go."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._errors import ContractError, UsageError
from ._messages import Request
from ._url import Url

_LONGEST = 16 * 1024  # characters
_parts = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?").fullmatch  # §B
_stray = re.compile(r"%(?![0-9A-Fa-f]{2})").sub
_PATH, _QUERY = "/:@!$&'()*+,;=-._~%", "/:@!$&'()*+,;=-._~%?"


class Target(NamedTuple):
    """Where a reference leads: a URL, and its query as it was given, None where there is none."""

    url: Url
    query: str | None

    def on(self, request: Request) -> Request:
        """The request, sent there, with all that it holds: whose origin that is, the caller has to mind."""
        return request.replace(url=self.url, query=() if self.query is None else self.query)


def follow(request: Request, reference: str) -> Request:
    """The request, sent where the service's own answer points to: to the next page, or to a job's state.

    Args:
        request: the one whose answer holds the reference, or another to the same service: references are relative to
            it. Its method, headers and body are kept, its query is not.
        reference: absolute, or relative.

    Raises:
        ContractError: it leads to another origin, which is not to see this request, or nowhere.
    """
    try:
        target = resolve(request, reference)
    except UsageError as error:
        raise ContractError(f"the service's link leads nowhere: {error.message}") from None
    if target.url.origin != request.url.origin:
        raise ContractError(
            f"the service's link leads to {target.url.origin}, which is another origin than {request.url.origin}: it "
            "is not followed, as whoever is there must not see what is meant for the service"
        )
    return target.on(request)


def resolve(base: Request, reference: str) -> Target:
    """Follows a reference from a request: absolute, or relative to it. A fragment is dropped.

    Args:
        base: the request whose answer holds it.
        reference: `Location`, a `next` link, a polling address. What is not ASCII, or must be encoded, is encoded.

    Raises:
        UsageError: it is no reference, leads to another scheme than http and https, or names a user.
    """
    if not isinstance(reference, str) or len(reference) > _LONGEST:
        raise UsageError(f"a reference is a string of at most {_LONGEST} characters")
    text = reference.strip(" \t")
    if any(c < " " or c in "\x7f\\" for c in text) or not (found := _parts(text)):
        raise UsageError("a reference must not hold control characters or backslashes")
    scheme, authority, path, query = found.groups()
    if scheme is not None and scheme.lower() not in ("http", "https"):  # it is not repeated: it may be anything
        raise UsageError("a reference leads to http or https, and this one names another scheme")
    encoded = None if query is None else _encoded(query, _QUERY)
    if scheme is not None or authority is not None:
        root = Url.parse(f"{scheme or base.url.origin.scheme}://{authority or ''}")
        return Target(Url(root.origin, _normal(_encoded(path, _PATH))), encoded)
    if not path:
        same = base.target.partition("?")
        return Target(base.url, encoded if query is not None else same[2] if same[1] else None)
    folder = "" if path.startswith("/") else base.url.path.rpartition("/")[0] + "/"
    return Target(Url(base.url.origin, _normal(folder + _encoded(path, _PATH))), encoded)


def _encoded(text: str, safe: str) -> str:
    from urllib.parse import quote

    try:  # a header is read as latin-1, and may have meant UTF-8
        octets = text.encode("latin-1").decode("utf-8").encode()
    except UnicodeError:
        octets = text.encode("utf-8", "replace")
    return _stray("%25", quote(octets, safe=safe))


def _normal(path: str) -> str:
    """§5.2.4: without `.` and `..`."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments):
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
        if segment in (".", "..") and number == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)
