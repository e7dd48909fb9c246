"""`signature_algorithm="auto"`: which digest a server takes is found out with a command that changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from math import inf

from jackfield import Call, Flights, NetworkError, Proceed, Request, Response, Secret, Stage, Step, Url, hookimpl

from ._answer import payload
from ._errors import CloudStackClientException, CloudStackUnauthorizedError
from ._refusal import refuses_who_asks
from ._signing import Digest, Signing, recipe

_ALGORITHMS: tuple[Digest, ...] = ("sha512", "sha1")  # the better first
_NEITHER = (
    "The server refuses this key with SHA-512 and with SHA-1: are the end point, api_key and api_secret right, and is "
    "the key's user enabled?"
)
_PROBE = (("command", "listApis"), ("name", "listApis"), ("response", "json"))


class AutoSigning:
    """Signs with SHA-512 where the server takes that, else with SHA-1: asked for once, by the first call.

    A user's command is never sent to find out, nor sent twice.

    Args:
        api_key: the key's public half.
        api_secret: its secret half.
        expires: as of `recipe`.
    """

    name = "signing"

    def __init__(self, api_key: str, api_secret: Secret, expires: float | None = None) -> None:
        self._api_key = api_key
        self._signings = {
            algorithm: Signing(recipe(algorithm, expires), api_key, api_secret) for algorithm in _ALGORITHMS
        }
        self._found: Signing | None = None
        self._flights = Flights()

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.SIGN, self._run)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return self._signings["sha512"].jackfield_identity()

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        signing = self._found
        if signing is None:
            signing = self._assumed(call) if call.dry else await self._asked(request.url, call)
        return await signing.run(request, call, proceed)

    def _assumed(self, call: Call) -> Signing:
        if call.notes is not None:
            call.notes.append("signing: the server will be asked first whether it takes sha512 or sha1")
        return self._signings["sha512"]

    async def _asked(self, url: Url, call: Call) -> Signing:
        try:
            return await self._flights.join(
                call.runtime, url, partial(self._find, url, call), call.limit(inf), apart=True
            )
        except TimeoutError as error:
            raise call.overdue() from error
        except NetworkError as error:
            error.sent = False  # the call's own request has not been sent
            raise

    async def _find(self, url: Url, call: Call) -> Signing:
        if self._found is not None:  # by who led before this one asked
            return self._found
        probe = Request("GET", url, query=[*_PROBE, ("apikey", self._api_key)], headers=call.options.headers)
        better, older = self._signings.values()
        signing, response = better, await better.run(probe, call, _fetch)
        if refuses_who_asks(response):
            signing, response = older, await older.run(probe, call, _fetch)
        if refuses_who_asks(response):
            raise _neither(response)
        if response.status not in (401, 432):  # that role may not list commands: but it is known
            payload(response, "listApis")
        self._found = signing
        return signing


async def _fetch(request: Request, call: Call) -> Response:
    return await call.fetch(request, "signature algorithm")


def _neither(response: Response) -> CloudStackClientException:
    try:
        payload(response, "listApis")
    except CloudStackUnauthorizedError as error:
        error.message = _NEITHER
        return error
    except CloudStackClientException as error:  # not CloudStack's 401
        return error
    raise AssertionError("what was refused has no payload")
