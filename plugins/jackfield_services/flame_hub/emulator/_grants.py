"""The token endpoint: who gets a token for what."""

import hmac
from collections.abc import Callable

from ._fields import Actor
from ._settings import Settings
from ._store import Store
from ._tokens import BadToken, DeadToken, Tokens, actor_of
from ._wire import Answer, Json, Record, Refused, as_json

_COOKIE = "{}={}; Max-Age={}; Domain=127.0.0.1; Path=/"


class Grants:
    """Answers the token requests of the grants there are: password, refresh_token, robots and clients."""

    def __init__(self, store: Store, settings: Settings, tokens: Tokens) -> None:
        self._store = store
        self._settings = settings
        self._tokens = tokens
        self._kinds: dict[str, Callable[[Record], Actor]] = {
            "password": self._user,
            "refresh_token": self._refreshed,
            "client_credentials": self._client,
        }
        if settings.generation == "0.1.1":
            self._kinds["robot_credentials"] = self._robot

    def answer(self, asked: Record, issuer: str) -> Answer:
        """A token, or Refused: 400 whatever is wrong."""
        grant = self._kinds.get(str(asked.get("grant_type")))
        if grant is None:
            raise _refusal("invalid_grant", "The grant type is missing, or none that is supported.")
        return self._granted(grant(asked), issuer)

    def _user(self, asked: Record) -> Actor:
        for user in self._store.where("users", name=asked.get("username"), active=True):
            if _same(user["password"], asked.get("password")):
                return _actor("user", user)
        raise _wrong("user")

    def _robot(self, asked: Record) -> Actor:
        robot = self._store.find("robots", asked.get("id"))
        if robot is None or not robot["active"] or not _same(robot["secret"], asked.get("secret")):
            raise _wrong("robot")
        return _actor("robot", robot)

    def _client(self, asked: Record) -> Actor:
        client = self._store.find("clients", asked.get("client_id"))
        if client is None or not client["active"] or not _same(client["secret"], asked.get("client_secret")):
            raise _wrong("client")
        return _actor("client", client)

    def _refreshed(self, asked: Record) -> Actor:
        """A refresh token is good for once."""
        try:
            claims = self._tokens.read(str(asked.get("refresh_token")), "refresh_token", self._settings.now())
        except BadToken:
            raise _refusal("invalid_token", "The JWT is invalid.") from None
        except DeadToken:
            raise _refusal("inactive_token", "The JWT is not active.") from None
        self._tokens.end(claims)
        return actor_of(claims)

    def _granted(self, actor: Actor, issuer: str) -> Answer:
        settings, now = self._settings, self._settings.now()
        realm = self._store.find("realms", actor.realm_id)
        more = {"iss": f"{issuer}/", "remote_address": "127.0.0.1", "realm_name": realm and realm["name"]}
        access = self._tokens.issue("access_token", actor, settings.token_life, now, more)
        refresh = self._tokens.issue("refresh_token", actor, settings.refresh_life, now, more)
        said = settings.token_life if settings.expires_in is None else settings.expires_in
        answer = {"access_token": access, "expires_in": said, "token_type": "Bearer", "scope": "global"}
        if actor.kind != "robot":
            answer["refresh_token"] = refresh
            if settings.generation == "1.1.0":
                answer["refresh_token_expires_in"] = settings.refresh_life
        cookies = (("access_token", access, said), ("refresh_token", refresh, settings.refresh_life))
        # Max-Age is in seconds (RFC 6265); the service writes milliseconds
        return as_json(
            200, answer, [("set-cookie", _COOKIE.format(name, value, life * 1000)) for name, value, life in cookies]
        )


def _actor(kind: str, record: Record) -> Actor:
    return Actor(record["id"], kind, record["name"], record["realm_id"])


def _same(known: str | None, given: Json) -> bool:
    """In UTF-8, whatever was sent."""
    if known is None or not isinstance(given, str):
        return False
    return hmac.compare_digest(*(text.encode("utf-8", "surrogatepass") for text in (known, given)))


def _wrong(kind: str) -> Refused:
    return _refusal("invalid_credentials", f"The {kind} credentials are invalid.")


def _refusal(code: str, message: str) -> Refused:
    return Refused(400, code, message, oauth=True)
