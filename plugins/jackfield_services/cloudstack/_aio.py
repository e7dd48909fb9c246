"""What users of CloudStackAIO touch besides its commands, by the names that it has there."""

from __future__ import annotations

from typing import Any

from jackfield import JobState, Request, Response, UsageError, job

from ._answer import payload
from ._base import CloudStackBase
from ._jobs import JOBS, started
from ._json import inside
from ._meaning import POLL
from ._parameters import flatten
from ._signing import recipe


class AioMembers(CloudStackBase):
    __doc__ = CloudStackBase.__doc__

    @job(JOBS)
    async def _handle_response(self, response: Any, await_final_result: bool) -> JobState[dict[str, Any]]:
        """What an answer holds, or the result of the job that it tells of.

        Args:
            response: a `Response`, or, in an async client, aiohttp's.
            await_final_result: whether to wait for the job.
        """
        if not isinstance(response, Response):
            response = Response(response.status, body=await response.read())
        return started(payload(response), "" if await_final_result else POLL)

    def _sign(self, url_parameters: dict[str, Any]) -> dict[str, Any]:
        """The same dictionary, with the `signature` of all else that is in it; an empty one stays so."""
        if self.api_secret is None:
            raise UsageError("this client has no api_secret to sign with")
        if url_parameters:
            pairs = flatten(url_parameters, without=frozenset({"signature"}))
            how = recipe("sha512" if self._digest == "sha512" else "sha1")
            mac = how.mac(self.api_secret)
            mac.update(how.canonical(Request("GET", self.url(), query=pairs)))
            url_parameters["signature"] = how.written(mac)
        return url_parameters

    @staticmethod
    def _transform_data(data: Any) -> Any:
        """What the envelope holds: the first value that is an object; all of it where none is."""
        return inside(data)
