"""Login on another device (RFC 8628), for programs without a browser: a small service, in both colours."""

from __future__ import annotations

from typing import Any, NamedTuple, Unpack
from urllib.parse import urlsplit

from msgspec import Struct, ValidationError, convert

from jackfield import (
    AsyncClient,
    Client,
    ClientOptions,
    DeadlineExceededError,
    DecodeError,
    NetworkError,
    Response,
    Secret,
    Service,
    ServiceError,
    known,
    operation,
)

from ._answer import TokenError, refusal
from ._client_auth import ClientAuth
from ._endpoint import Endpoint
from ._token import Token

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5.0  # seconds; RFC 8628 §3.5: "the interval MUST be increased by 5 seconds"
_LONGEST = 86400.0  # seconds; no code is waited for any longer
_USUAL, _SHORTEST = 5.0, 1.0  # seconds between two questions; RFC 8628 §3.2: "clients MUST use 5 as the default"
_MOST = 4096  # characters; no user is shown more


class DeviceCode(NamedTuple):
    """A login that has begun: show the user `verification_uri` and `user_code`, then wait for the token.

    Attributes:
        user_code: what the user types there.
        verification_uri: the page that the user opens, on whatever device.
        verification_uri_complete: the page with the code in it, for a QR code; not every service has it.
        device_code: what the token is asked for with.
        expires_at: when it is too late; seconds since 1970.
        interval: seconds between two questions at least.
    """

    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    device_code: Secret
    expires_at: float
    interval: float


class _Begun(Struct):
    device_code: str
    user_code: str
    verification_uri: str
    expires_in: float
    verification_uri_complete: str | None = None
    interval: float | None = None


class DeviceLoginService(Service):
    """Logs a user in by a code that is typed on another device.

    Args:
        device_url: the service's device authorization endpoint.
        token_url: its token endpoint.
        client: how the client proves who it is, `PublicClient(…)` mostly.
        options: as every client takes them.
    """

    def __init__(self, device_url: str, token_url: str, client: ClientAuth, **options: Unpack[ClientOptions]) -> None:
        self._device = Endpoint(device_url, client)
        self._endpoint = Endpoint(token_url, client)
        super().__init__(str(self._device.url), **options)

    @operation
    async def begin(self, scope: str | None = None) -> DeviceCode:
        """Asks for a code to show to the user."""
        asked = self._device.request({"scope": scope} if scope else {}, self.runtime)
        response = await self.call.fetch(asked.request, "device code")
        if response.status >= 300:
            raise refusal(response, "device_code", asked.shown_forms())
        return _begun(response, self.runtime.now())

    @operation(bounded=False)
    async def token(self, code: DeviceCode) -> Token:
        """Waits until the user has agreed, as long as the code is good; then `OAuth2(token_url, token=…)` goes on.

        Raises:
            TokenError: the user or the service refused, or the code has ended.
        """
        fields = {"device_code": code.device_code}
        interval = code.interval
        while self.runtime.now() + interval < code.expires_at:
            await self.runtime.sleep(self.call.limit(interval))
            self.call.limit(interval)  # where this is part of a call with a deadline: nobody asks before the interval
            try:
                return await self._endpoint.ask(_GRANT, fields, self.call)
            except TokenError as error:
                if error.code not in ("authorization_pending", "slow_down"):
                    raise
                interval += _SLOWER if error.code == "slow_down" else 0.0
            except (NetworkError, DeadlineExceededError, ServiceError):
                interval *= 2  # RFC 8628 §3.5: after a timeout ask less often, "such as doubling the polling interval"
        raise TokenError("nobody agreed to the login while its code was good: begin again", code="expired_token")


class DeviceLogin(DeviceLoginService, Client):
    __doc__ = DeviceLoginService.__doc__


class AsyncDeviceLogin(DeviceLoginService, AsyncClient):
    """As `DeviceLogin`, awaited."""


def _begun(response: Response, now: float) -> DeviceCode:
    try:
        told = response.decode(dict[str, Any])
        begun = convert(told, known(_Begun), strict=False)  # some services quote their numbers
    except ValidationError as error:
        raise DecodeError(f"this is no answer to a device authorization request: {error}") from error
    _check_shown(begun)
    interval = _USUAL if begun.interval is None else begun.interval
    return DeviceCode(
        begun.user_code,
        begun.verification_uri,
        begun.verification_uri_complete,
        Secret(begun.device_code),
        now + min(max(0.0, begun.expires_in), _LONGEST),
        min(max(_SHORTEST, interval), _LONGEST),
    )


def _check_shown(begun: _Begun) -> None:
    complete = begun.verification_uri_complete
    shown = begun.user_code + begun.verification_uri + (complete or "")
    is_safe = shown.isprintable() and len(shown) <= _MOST
    pages = [begun.verification_uri] if complete is None else [begun.verification_uri, complete]
    if not (begun.device_code and begun.user_code and is_safe and all(map(_is_page, pages))):
        raise DecodeError("the service's device code is nothing that can be shown to a user")


def _is_page(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc and " " not in uri
