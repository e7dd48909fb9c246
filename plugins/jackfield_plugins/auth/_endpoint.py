"""Endpoints (RFC 6749 §3): their addresses; and of the token endpoint the requests, and where they go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, quote_plus, urlencode

from msgspec.json import encode

from jackfield import Call, ConfigurationError, Request, Response, Runtime, Secret, ServiceError, Url

from ._answer import read_token, refusal
from ._client_auth import ClientAuth, Credentials
from ._token import Token


class TokenRequest(NamedTuple):
    """A request for a token, and what in it must not be shown."""

    request: Request
    hidden: tuple[Secret, ...]

    def shown_forms(self) -> list[str]:
        """How a service might repeat that: as it is, or as a form has it; the longest first."""
        plain = [secret.reveal() for secret in self.hidden]
        return sorted({*plain, *map(quote_plus, plain)}, key=len, reverse=True)


class Endpoint:
    """Where tokens are asked for. What it is sent goes to its own origin, past every step, and no redirect is followed.

    Args:
        url: `https://host/path`; a query is kept.
        client: how the client proves who it is; None for services that do not ask.
        as_json: the body is JSON, where a service wants that, and no form.
        allow_http: whether the URL may be one of `http:` that leads away from this machine.

    Raises:
        UsageError: the URL is none, or the client no `ClientAuth`.
    """

    def __init__(self, url: str, client: ClientAuth | None, *, as_json: bool = False, allow_http: bool = False) -> None:
        if client is not None and not callable(getattr(client, "credentials", None)):
            raise ConfigurationError(f"client is a ClientSecretBasic(...) or the like, not {type(client).__name__}")
        self.url, self._query = parse_address(url)
        # RFC 6749 §3.2: "the authorization server MUST require the use of TLS"
        if self.url.origin.scheme == "http" and not (allow_http or _is_loopback(self.url.origin.host)):
            raise ConfigurationError(
                f"credentials would go to {self.url.origin} for all to read: use https, or say allow_http=True"
            )
        self.address = url
        self.client = client
        self._as_json = as_json

    def request(self, fields: Mapping[str, str | Secret], runtime: Runtime) -> TokenRequest:
        """A request with these fields, and the client's."""
        credentials = self.client.credentials(runtime) if self.client else Credentials()
        fields = {**fields, **credentials.fields}
        body = encode(_revealed(fields)) if self._as_json else urlencode(_revealed(fields)).encode()
        headers = _revealed(credentials.headers) | {
            "accept": "application/json",
            "content-type": "application/json" if self._as_json else "application/x-www-form-urlencoded",
        }
        return TokenRequest(
            Request("POST", self.url, query=self._query, headers=headers, body=body),
            (*_secrets(fields.values()), *_secrets(credentials.headers.values()), *credentials.hidden),
        )

    async def ask(self, grant: str, fields: Mapping[str, str | Secret], call: Call) -> Token:
        """Asks for a token by the grant of this name, as a request on the side of this call.

        Raises:
            TokenError: the service refused.
            UnavailableError, RateLimitedError: it cannot answer now.
            NetworkError, DecodeError, DeadlineExceededError: it did not answer, or nothing that can be read.
        """
        asked = self.request({"grant_type": grant, **fields}, call.runtime)
        response = await call.fetch(asked.request, "token")
        if response.status >= 300:
            raise self.refusal(response, grant, asked.shown_forms())
        return read_token(response, call.runtime.now())

    def refusal(self, response: Response, grant: str, secrets: Sequence[str]) -> ServiceError:
        """The error that another answer than a token is. To override where a service has errors of its own.

        Args:
            response: as it came: it may repeat what it was sent.
            grant: the name of what was tried.
            secrets: what must not be shown, in the forms that it was sent in; the longest first.
        """
        return refusal(response, grant, secrets)


def parse_address(url: str) -> tuple[Url, list[tuple[str, str]]]:
    """An endpoint's URL, and its query "which MUST be retained" (RFC 6749 §3.1, §3.2).

    Raises:
        UsageError: it is none, or has a fragment.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"an endpoint's URL is a string, not {type(url).__name__}")
    address, _, query = url.partition("?")
    if "#" in query or not query.isascii() or not query.isprintable():
        raise ConfigurationError("the query of an endpoint's URL is printable ASCII, and no '#fragment' follows it")
    return Url.parse(address), parse_qsl(query, keep_blank_values=True)


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _revealed(fields: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}


def _secrets(values: Iterable[str | Secret]) -> list[Secret]:
    return [value for value in values if isinstance(value, Secret)]
