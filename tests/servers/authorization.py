"""An authorization server and the API behind it, as one function from request to response; it keeps its own books."""

from __future__ import annotations

import threading
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from copy import copy
from itertools import count
from urllib.parse import parse_qsl

from msgspec.json import decode, encode

from jackfield import Request, Response

TOKEN_URL = "https://login.example.test/token"
API = "https://api.example.test"


class AuthorizationServer:
    """Gives tokens with one-shot refresh tokens, and takes the good ones.

    Args:
        now: its clock, seconds since 1970.
        lifetime: of the tokens it gives, in seconds.
        refreshes: whether it gives refresh tokens.
        as_jwt: whether the tokens are JWTs with an `exp`.

    Attributes:
        asked: how often each grant came.
        answers: what the next token requests are answered with instead: a response, or an exception to raise.
        reused: refresh tokens that came a second time.
        fields: of every token request, in order.
        refused: how many API requests had no good token.
    """

    def __init__(
        self, now: Callable[[], float], *, lifetime: float = 3600.0, refreshes: bool = True, as_jwt: bool = False
    ) -> None:
        self.now = now
        self.lifetime = lifetime
        self.refreshes = refreshes
        self.as_jwt = as_jwt
        self.asked: Counter[str] = Counter()
        self.answers: list[Response | Exception] = []
        self.reused: list[str] = []
        self.fields: list[dict[str, str]] = []
        self.refused = 0
        self.served = 0
        self._ends: dict[str, float] = {}
        self._spent: dict[str, bool] = {}
        self._number = count(1)
        self._guard = threading.Lock()

    def __call__(self, request: Request) -> Response:
        with self._guard:
            return self._token(request) if str(request.url) == TOKEN_URL else self._api(request)

    def revoke(self) -> None:
        """No token that was given is good any longer; refresh tokens are."""
        self._ends.clear()

    def _token(self, request: Request) -> Response:
        assert isinstance(request.body, bytes)
        as_json = request.headers["content-type"] == "application/json"
        fields = decode(request.body, type=dict[str, str]) if as_json else dict(parse_qsl(request.body.decode()))
        self.fields.append(fields)
        self.asked[fields["grant_type"]] += 1
        refresh = fields.get("refresh_token", "")
        known = self._spent.get(refresh)
        if refresh:
            if known:
                self.reused.append(refresh)
            self._spent[refresh] = True  # whatever comes of it: it has been seen
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise copy(answer)
            return answer
        if refresh and known is not False:
            return Response(400, body=encode({"error": "invalid_grant", "error_description": "not active"}))
        return self._granted()

    def _granted(self) -> Response:
        token, answer = f"access-{next(self._number)}", {}
        if self.as_jwt:
            claims = urlsafe_b64encode(encode({"exp": self.now() + self.lifetime})).rstrip(b"=").decode()
            token = f"e30.{claims}.{token}"
        self._ends[token] = self.now() + self.lifetime
        if self.refreshes:
            answer["refresh_token"] = f"refresh-{next(self._number)}"
            self._spent[answer["refresh_token"]] = False
        said = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}
        return Response(200, {"content-type": "application/json"}, encode(said | answer))

    def _api(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._ends.get(token, 0.0) <= self.now():
            self.refused += 1
            return Response(401, {"www-authenticate": 'Bearer error="invalid_token"'})
        self.served += 1
        return Response(200, body=encode({"token": token}))
