"""Redirects (RFC 9110 §15.4): follows the service to where it points, and takes no credential to another origin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from ._body import StreamBody
from ._call import Call
from ._errors import ConfigurationError, JackfieldError, RedirectError, UsageError
from ._headers import Headers
from ._hooks import hookimpl
from ._messages import Request, Response
from ._reference import resolve
from ._steps import Proceed, Stage, Step

_FOLLOWED = frozenset({301, 302, 303, 307, 308})
# What another origin may see. Any other header may be a credential, whatever its name.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "if-range", "range", "user-agent"})
# §15.4: "If the request method has been changed to GET or HEAD, remove content-specific header fields"; and what
# asked for the first method (§13.1, §10.1.1), or described its body's end (§6.6.2).
_OF_CONTENT = ("content-", "if-")
_OF_METHOD = frozenset({"digest", "expect", "last-modified", "repr-digest", "trailer", "transfer-encoding"})
_DRAINED = 16 * 1024  # bytes of a redirect's own body that are read, so that its connection can be used again


class Redirects:
    """Follows 301, 302, 303, 307 and 308; 300 and 304 are answers like others.

    To another origin than the one that redirects go neither the body nor any header that may be a credential. From
    there no way leads back to the service; from https none leads to http.

    Args:
        max_hops: how many redirects of one request are followed.

    Raises:
        RedirectError: from the call: a redirect that is not followed, and why.
    """

    name = "redirect"

    def __init__(self, *, max_hops: int = 20) -> None:
        if isinstance(max_hops, bool) or not isinstance(max_hops, int) or max_hops < 1:
            raise ConfigurationError(
                f"max_hops must be a whole number of 1 or more, not {max_hops!r}: to follow none, drop 'redirect'"
            )
        self._max_hops = max_hops

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.REDIRECT, self._run)]

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        response = await proceed(request, call)
        if response.status not in _FOLLOWED:
            return response
        seen, followed = [request], list[int]()
        while response.status in _FOLLOWED:
            if not isinstance(response.body, bytes):
                await response.settled(_DRAINED)
            try:
                if len(seen) > self._max_hops:
                    raise UsageError(f"it is redirect number {len(seen)}, and max_hops is {self._max_hops}")
                seen.append(_next(seen[-1], response, call))
            except UsageError as error:
                raise _refusal(seen, response, call, error) from None
            followed.append(response.status)
            call.limit(inf)  # one deadline for all of them, whatever the transport makes of it
            try:
                response = await proceed(seen[-1], call)
            except JackfieldError as error:
                error.add_note(f"this is where the service's redirect led, from {call.url(seen[-2])}")
                raise
        return response.replace(redirects=followed)


def _next(request: Request, response: Response, call: Call) -> Request:
    """The request that follows the redirect.

    Raises:
        UsageError: none does, and why.
    """
    places = set(response.headers.get_all("location"))
    if len(places) != 1:
        raise UsageError(f"it has {len(places)} Locations, not one" if places else "it has no Location")
    changed = _changed(request, response.status)
    call.begun |= changed is not request and not request.is_idempotent
    following = resolve(request, places.pop()).on(changed)
    if following.url.origin != request.url.origin:
        return _abroad(request, following, call)
    if isinstance(following.body, StreamBody) and not following.body.replayable:
        raise UsageError("its body can be sent once only: give bytes, or a StreamBody with a function to open it again")
    return following


def _changed(request: Request, status: int) -> Request:
    """The request in the method that the status asks for, and without what belonged to another."""
    # §15.4.4: 303 is followed by "a retrieval request (a GET or HEAD request if using HTTP)"; §15.4.2 and §15.4.3: "a
    # user agent MAY change the request method from POST to GET", as all of them do.
    if status != 303 and (status in (307, 308) or request.method != "POST"):
        return request
    method = "HEAD" if request.method == "HEAD" else "GET"
    kept = _only(request.headers, lambda name: not name.startswith(_OF_CONTENT) and name not in _OF_METHOD)
    return request.replace(method=method, body=b"", headers=kept, idempotent=None)


def _abroad(request: Request, following: Request, call: Call) -> Request:
    """The request as another origin may see it."""
    place = call.url(following)
    if request.url.origin.scheme == "https" and following.url.origin.scheme == "http":
        raise UsageError(f"it leads from https to http, {place}, where anybody may read and change what is said")
    if following.url.origin == call.origin:  # what another origin makes us ask must not bear our credentials
        raise UsageError(f"it leads from another origin back to the service, {place}")
    if following.body:
        raise UsageError(f"it asks to send the body to another origin, {place}: if you trust that, send it there")
    return following.with_headers(_only(following.headers, _HARMLESS.__contains__))


def _only(headers: Headers, wanted: Callable[[str], bool]) -> Headers:
    return Headers([(name, value) for name, value in headers.pairs() if wanted(name.lower())])


def _refusal(seen: list[Request], response: Response, call: Call, error: UsageError) -> RedirectError:
    chain = tuple(call.url(request) for request in seen)
    return RedirectError(
        f"the redirect ({response.status}) from {chain[-1]} is not followed: {error.message}; ask for what is wanted "
        "where it is now, or go without the plugin 'redirect' to see this answer",
        chain=chain,
    )
