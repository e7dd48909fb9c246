"""Tokens on requests (RFC 6750 §2.1): put on each, and replaced once where the service does not take one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jackfield import (
    Call,
    ConfigurationError,
    ContractError,
    NetworkError,
    Proceed,
    Request,
    Response,
    Secret,
    Stage,
    Step,
    StreamBody,
    hookimpl,
)

from ._answer import printable
from ._manager import TokenManager
from ._token import Token

_NOT_FETCHED = Token(Secret("not-fetched"))


def unauthorized(response: Response) -> bool:
    """Whether this is a 401: what a service answers to a token that it does not take."""
    return response.status == 401


class TokenAuth:
    """Sends a manager's tokens to the service, and to no other origin.

    A token that is rejected is replaced, and the request sent once more, if its body can be. A request that has an
    `Authorization` header of its own is left alone.

    Args:
        manager: where tokens come from; one may serve several clients.
        scheme: the word before the token, which is also the `token_type` that the service must give.
        rejected: what the service answers to a token that has ended, if not 401. From status 400 on its body has been
            read; below, that of a streamed answer has not. Where the answer alone does not tell there is `is_rejected`.

    Raises:
        ConfigurationError: the manager is none.
    """

    name = "auth"

    def __init__(
        self, manager: TokenManager, *, scheme: str = "Bearer", rejected: Callable[[Response], bool] = unauthorized
    ) -> None:
        if not isinstance(manager, TokenManager):
            raise ConfigurationError(f"manager is a TokenManager(source), not {type(manager).__name__}")
        self._manager = manager
        self._scheme = scheme
        self._rejected = rejected

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, Stage.AUTH, self._run)]

    @hookimpl
    def jackfield_identity(self) -> bytes:
        return self._manager.identity

    async def is_rejected(self, request: Request, response: Response, call: Call) -> bool:
        """Whether the service did not take the token. To override where the answer alone does not tell.

        Only what was certainly not processed is rejected: the request is sent again, whatever it does. What is asked of
        the service to find that out is asked by `call.fetch`.

        Args:
            request: as it was sent, with the token.
            response: of a status from 400 on; its body has been read. Below, `rejected` alone is asked.
            call: the call that this is of.
        """
        return self._rejected(response)

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        if "authorization" in request.headers:
            return await proceed(request, call)
        ready = None if call.dry else self._manager.ready(call.runtime.now())
        token = await self._token(call) if ready is None else self._checked(ready)
        response, rejected = await self._sent(request, token, call, proceed)
        if not rejected:
            self._manager.accept(token)
            return response
        again = self._manager.reject(token, call.runtime.now())
        if not again or (isinstance(request.body, StreamBody) and not request.body.replayable):
            return response
        if not isinstance(response.body, bytes):
            await response.body.close()
        token = await self._token(call)
        response, rejected = await self._sent(request, token, call, proceed)
        if not rejected:
            self._manager.accept(token)
        return response

    async def _sent(self, request: Request, token: Token, call: Call, proceed: Proceed) -> tuple[Response, bool]:
        """The answer, and whether it rejects the token."""
        value = f"{self._scheme} {token.access_token.reveal()}"
        request = request.with_headers(request.headers.replacing("authorization", value))
        response = await proceed(request, call)
        if response.status < 400:
            return response, self._rejected(response)
        response = await response.settled()
        return response, await self.is_rejected(request, response, call)

    async def _token(self, call: Call) -> Token:
        if call.dry:  # nothing is sent, so no token is asked for
            return self._manager.current or _NOT_FETCHED
        try:
            token = await self._manager.token(call)
        except NetworkError as error:
            error.sent = False  # whatever became of the token request: the call's own has not been sent
            raise
        return self._checked(token)

    def _checked(self, token: Token) -> Token:
        if token.token_type.lower() != self._scheme.lower():  # RFC 6749 §7.1: not "if it does not understand the type"
            raise ContractError(
                f"the service gave a token of type {printable(token.token_type)!r}, and {self._scheme!r} is expected: "
                "pass scheme=... if requests are to carry that word"
            )
        return token
