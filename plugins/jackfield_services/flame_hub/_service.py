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
    Url,
    UsageError,
)
from jackfield_plugins.retry import Retry

from ._errors import HubAPIError, hub_error
from ._model import NEW, OLD, UNSET_T, Generation
from ._secrecy import masked
from ._speech import Speech, generation_of
from ._who import auth_of
from .types import AuthParam

_SHOWN = ("page[limit]", "page[offset]", "sort", "include", "fields")


class HubService(Service):
    """One of a FLAME Hub's services.

    Args:
        base_url: where it is, path included; None: the Hub of PrivateAIM.
        auth: who asks: a `PasswordAuth(…)` or the like, which several clients may share; a string is an access token.
        client: not used; the transport of flame_hub_client.
        generation: of the Hub, "0.1.1" or "1.1.0"; None: its answers tell.
        options: as every client takes them.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    _default_base_url: ClassVar[str]
    _collection: ClassVar[str]  # a list that every Hub has

    def __init__(
        self,
        base_url: str | None = None,
        auth: AuthParam = None,
        *,
        client: object = None,
        generation: Generation | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        if client is not None:
            raise ConfigurationError("client= was an httpx client: give base_url and auth, and timeout= or transport=")
        if generation not in (None, OLD, NEW):
            raise ConfigurationError(f"generation is {OLD!r}, {NEW!r}, or None to find it out, not {generation!r}")
        self.speech = Speech(generation)  # shared by every view
        self._learning = Flights()
        address = self._default_base_url if base_url is None else base_url
        _check_address(address)
        super().__init__(address, defaults=(Retry(), auth_of(auth)), visible_query=_SHOWN, **options)

    @property
    def generation(self) -> Generation | None:
        """The Hub's, as far as its answers have told."""
        return self.speech.generation

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        """Sends a request, from inside an operation; an answer that says no is a `HubAPIError`."""
        try:
            return await super().send(request, stream=stream)
        except ServiceError as error:
            if error.response is None or isinstance(error, HubAPIError):
                raise
            call, response = error.call, masked(error.response, request)
        told = hub_error(response)  # raised outside, so that what is not masked does not go along as its context
        if call is not None:
            told.attach(call)
        raise told

    def asked_by(self, auth: AuthParam | UNSET_T) -> Self:
        """This client, but with another's credentials; None: with nobody's."""
        return self if auth is UNSET else self.with_options(auth=auth_of(auth))

    async def told_generation(self) -> Generation:
        """The Hub's generation, for what has another form in each; asked for where no answer has told it so far."""
        if self.speech.generation is None and not self.call.dry:
            try:
                await self._learning.join(self.runtime, "generation", self._learn, self.call.limit(inf))
            except TimeoutError as error:
                raise self.call.overdue() from error
        return self.speech.generation or NEW

    async def _learn(self) -> None:
        """Asks for one record of a list that every Hub has."""
        asked = Request("GET", self.url(self._collection), query=[("page[limit]", "1")])
        try:
            self.speech.learn(await self.send(asked))
        except HubAPIError as error:
            if error.response is None or generation_of(error.response) is None:
                raise
            self.speech.learn(error.response)


def _check_address(base_url: object) -> None:
    if not isinstance(base_url, str) or not base_url:
        found = "an empty text" if base_url == "" else type(base_url).__name__
        raise ConfigurationError(
            f"base_url is where the service is, 'https://…', or None for the Hub of PrivateAIM, not {found}: if an "
            "environment variable has it, is that one set?"
        )
    try:
        Url.parse(base_url)
    except UsageError as error:
        raise ConfigurationError(f"base_url: {error}") from None
