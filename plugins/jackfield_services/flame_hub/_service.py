"""What the three clients of a Hub have in common: how they are made, who asks, and what generation the Hub is of."""

from __future__ import annotations

from math import inf
from typing import ClassVar, Self, Unpack

from msgspec import UNSET

from jackfield import (
    ClientOptions,
    ConfigurationError,
    Flights,
    Request,
    Response,
    Service,
    ServiceError,
)
from jackfield_plugins.retry import Retry

from ._checking import check_options, check_way
from ._credentials import address
from ._errors import HubAPIError, HubLoginError, hub_error
from ._model import NEW, OLD, UNSET_T, Generation
from ._reading import no_page
from ._secrecy import masked
from ._speech import Speech, generation_of
from .auth import Nobody, auth_of
from .types import AuthParam

_SHOWN = ("page[limit]", "page[offset]", "sort", "include", "fields")


class HubService(Service):
    """One of a FLAME Hub's services.

    Args:
        base_url: where it is, path included; the Hub of PrivateAIM, if it is left out.
        auth: who asks: a `PasswordAuth(…)` or the like, which several clients may share; a string is an access token.
        client: not used; the transport of flame_hub_client.
        generation: of the Hub, "0.1.1" or "1.1.0"; None: its answers tell.
        allow_http: send tokens to an `http:` address that is not on this machine, for all to read.
        options: as every client takes them.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    _default_base_url: ClassVar[str]
    _collection: ClassVar[str]  # a list that every Hub has

    def __init__(
        self,
        base_url: str | UNSET_T = UNSET,
        auth: AuthParam = None,
        *,
        client: None = None,
        generation: Generation | None = None,
        allow_http: bool = False,
        **options: Unpack[ClientOptions],
    ) -> None:
        if client is not None:
            raise ConfigurationError("client= was an httpx client: give base_url and auth, and timeout= or transport=")
        if generation not in (None, OLD, NEW):
            raise ConfigurationError(f"generation is {OLD!r}, {NEW!r}, or None to find it out, not {generation!r}")
        check_options(type(self).__name__, options)
        self._speech = Speech(generation)  # shared by every view
        self._learning = Flights()
        self._allow_http = allow_http
        self._who = auth_of(auth)
        url = self._default_base_url if base_url is UNSET else base_url
        check_way(address(url), self._who, allow_http)
        super().__init__(url, defaults=(Retry(), self._who), visible_query=_SHOWN, **options)

    @property
    def generation(self) -> Generation | None:
        """The Hub's, as far as its answers have told."""
        return self._speech.generation

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        """Sends a request, from inside an operation; an answer that is no success (2xx) is a `HubAPIError`."""
        call = None
        try:
            response = await super().send(request, stream=stream)
        except ServiceError as error:
            if error.response is None or isinstance(error, HubAPIError):
                raise error.with_traceback(None) from error.__cause__  # the frames of steps tell nobody anything
            call, response = error.call, error.response
        else:
            if 200 <= response.status < 300:
                return response if stream else no_page(response)
            response = await response.settled()
        self._speech.doubt(response)
        told = hub_error(masked(response, request, self._who.secrets()))
        if response.status == 401 and isinstance(self._who, Nobody):
            told.add_note("this was asked by nobody: give auth=")
        if call is not None:
            told.attach(call)
        raise told  # outside, so that what is not masked does not go along as its context

    def _asked_by(self, auth: AuthParam | UNSET_T) -> Self:
        """This client, but with another's credentials; None: with nobody's."""
        if auth is UNSET:
            return self
        who = auth_of(auth)
        check_way(self._wiring.base, who, self._allow_http)
        view = self.with_options(auth=who)
        view._who = who
        return view

    async def _told_generation(self) -> Generation:
        """The Hub's generation, for what has another form in each; asked for where no answer has told it so far."""
        if self._speech.generation is None and not self.call.dry:
            try:
                await self._learning.join(self.runtime, self._who, self._learn, self.call.limit(inf))
            except TimeoutError as error:
                raise self.call.overdue() from error
        return self._speech.generation or NEW

    async def _learn(self) -> None:
        """Asks for one record of a list that every Hub has."""
        asked = Request("GET", self.url(self._collection), query=[("page[limit]", "1")])
        try:
            self._speech.learn(await self.send(asked))
        except HubLoginError:  # the auth service's: it tells nothing of this one
            raise
        except HubAPIError as error:
            if error.response is None or generation_of(error.response) is None:
                raise
            self._speech.learn(error.response)
