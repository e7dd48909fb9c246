"""Who asks: the bearer token of a request, and what each service answers where it is none."""

from ._request import Incoming, ServiceName
from ._settings import Settings
from ._tokens import BadToken, DeadToken, Tokens
from ._wire import Headers, Record, Refused, unauthorized

_LIMIT = 1200  # requests in a window
_WINDOW = 60  # seconds


class Gate:
    """Reads tokens as the services do."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def claims(self, incoming: Incoming, service: ServiceName) -> Record | None:
        """What the token says; None where there is none. Refused where it is garbage, or dead."""
        header = incoming.headers.get("authorization")
        if header is None:
            return None
        try:
            return self._tokens.read(header.removeprefix("Bearer "), "access_token", self._settings.now())
        except BadToken:
            raise self._refusal(401 if self._refuses_as_unauthorized else 400, service) from None
        except DeadToken:
            raise self._refusal(self._settings.shown_dead, service) from None

    @property
    def _refuses_as_unauthorized(self) -> bool:
        return self._settings.generation == "1.1.0" and self._settings.shown_dead == 401

    def _refusal(self, status: int, service: ServiceName) -> Refused:
        if status == 500:  # a defect of the services: an expired token is an error of their own
            return Refused(500, "INTERNAL_SERVER_ERROR", "An internal server error occurred.")
        if status == 401:
            return unauthorized()
        if service == "auth":
            return Refused(400, "invalid_token", "The JWT is invalid.", oauth=True)
        return Refused(400, "BAD_REQUEST")


class Limits:
    """The rate limit that the auth service tells of in every answer; it refuses nobody, that is to be injected."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ends = 0.0
        self._left = _LIMIT

    def count(self, *, spent: bool) -> Headers:
        """One request more; with `spent` it was the last one."""
        now = self._settings.now()
        if now >= self._ends:
            self._ends, self._left = now + _WINDOW, _LIMIT
        self._left = 0 if spent else max(self._left - 1, 0)
        return self._headers(now)

    def _headers(self, now: float) -> Headers:
        return (
            ("ratelimit-limit", str(_LIMIT)),
            ("ratelimit-remaining", str(self._left)),
            ("ratelimit-reset", str(round(self._ends - now))),
        )
