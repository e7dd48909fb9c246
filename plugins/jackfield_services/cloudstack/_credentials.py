"""Who a client is to CloudStack: keys that sign, a session, or nobody, on the integration port."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jackfield import ConfigurationError, Secret

from ._signing import SignatureAlgorithm, Signing, recipe

if TYPE_CHECKING:  # loaded by those who use them
    from ._login import Login


_NOBODY = (
    "this client has no keys and no login: nothing was signed, which only the integration port takes. Give api_key and "
    "api_secret, or login=Login(…)"
)
_LOGGED_IN = "the session is good: the server knows no such command, or the role of this user may not call it"


class Credentials(NamedTuple):
    """What they bring.

    Attributes:
        parameters: which every request has.
        plugins: which a client has for them.
        posts: whether the end point takes POST; the integration port reads no body.
        unknown: the hint for a 401, if not that of the error's class, which is for keys.
    """

    parameters: tuple[tuple[str, str], ...] = ()
    plugins: tuple[object, ...] = ()
    posts: bool = True
    unknown: str | None = None


def credentials(
    api_key: str | None,
    api_secret: str | Secret | None,
    login: Login | None,
    signature_algorithm: SignatureAlgorithm,
    expires: float | None,
) -> Credentials:
    """What a client needs to show who it is.

    Raises:
        ConfigurationError: these do not go together, or one of them makes no sense.
    """
    signing = recipe("sha1" if signature_algorithm == "auto" else signature_algorithm, expires)
    if login is not None:
        from ._login import Login

        if not isinstance(login, Login):
            raise ConfigurationError(f"login is a Login(username, password), not {type(login).__name__}")
        if api_key is not None or api_secret is not None:
            raise ConfigurationError("give keys or login=…, not both: a session is not signed")
    if api_key is None and api_secret is None:
        if expires is not None:
            raise ConfigurationError("expires is for requests that are signed: it needs api_key and api_secret")
        if login is None:
            return Credentials(posts=False, unknown=_NOBODY)
        return Credentials(plugins=(login,), unknown=_LOGGED_IN)
    key, secret = _checked(api_key, api_secret)
    parameters = (("apikey", key),)
    if signature_algorithm == "auto":
        from ._probing import AutoSigning

        return Credentials(parameters, (AutoSigning(key, secret, expires),))
    return Credentials(parameters, (Signing(signing, key, secret),))


def _checked(api_key: object, api_secret: object) -> tuple[str, Secret]:
    if api_key is not None and not isinstance(api_key, str):
        raise ConfigurationError(f"api_key is a string, not {type(api_key).__name__}; of a login write login=Login(…)")
    for name, given, other in (("api_key", api_key, "api_secret"), ("api_secret", api_secret, "api_key")):
        if given is None:
            raise ConfigurationError(
                f"{name} is missing, and {other} is given: give both; or neither, for login=… or the integration port"
            )
    if not isinstance(api_key, str) or not api_key.isprintable() or not api_key:
        raise ConfigurationError("api_key must be a string of printable characters that is not empty")
    if not isinstance(api_secret, str | Secret) or not api_secret:
        raise ConfigurationError("api_secret must be a string that is not empty")
    if isinstance(api_secret, str) and (api_secret != api_secret.strip() or "\n" in api_secret):
        raise ConfigurationError("api_secret holds a line break, or blanks around it: was it read from a file?")
    return api_key, Secret(api_secret)
