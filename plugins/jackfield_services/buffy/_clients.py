"""The clients, in both colours: where the server is, who asks, and the requests that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack
from weakref import ref

from jackfield import AsyncClient, Client, ClientOptions, ConfigurationError, Headers, Secret, Without
from jackfield_plugins.auth import Basic
from jackfield_plugins.retry import Retry

from . import _handles as handles
from ._address import address
from ._asking import asked_for
from ._bound import Making
from ._checks import check_bool, check_text, checked_headers
from ._credentials import HttpAuth, credentials
from ._environment import flag, variable
from ._errors import BuffyValueError
from ._models import HttpMethod
from ._order import Order
from ._redirects import OriginRedirects
from ._service import BuffyService
from ._strategies import RequestCacheConfiguration
from ._trust import TrustingTransport

_SHOWN = ("skip", "limit", "status")
_FIXED = frozenset({"ssl", "host", "port", "base_path", "api_version", "http_auth", "http_headers"})


class BuffyBase(BuffyService):
    """A Buffy server.

    Args:
        url: `http://host:8008/path`; `name:password@` in it is who asks. Without it, and without a host: this machine.
        host, port, base_path, ssl: the same in parts.
        group_name: whose requests these are: groups do not see each other's versions.
        api_version: "v1".
        http_auth: who asks, a proxy before the server: name and password, or an `HTTPBasicAuth` of requests.
        http_headers: sent to the server with every call, and never to an origin.
        local_download_fallback: whether the origin stands in for a server that is not reached.
        options: as every client takes them; `timeout` is for one piece of a download.

    Attributes:
        ssl, host, port, base_path, api_version, http_auth, http_headers: as they were given, or as `url` has them; to
            change one, make another client.
        group_name, local_download_fallback: may be changed, and count from the next request or order on.
        buffy_server_timeout_sec: seconds for one call of the API. Like those below: of a class, or of one client.
        wait_timeout: seconds to wait for a version.
        buffy_server_verify_ssl_request: whether the server's certificate must be good; an origin's must always. A
            transport of your own knows itself.

    Raises:
        BuffyValueError: an argument makes no sense, and why.
    """

    buffy_server_verify_ssl_request: bool = True

    def __init__(
        self,
        url: str | None = None,
        host: str | None = None,
        port: int = 8008,
        base_path: str | None = None,
        group_name: str | None = None,
        api_version: Literal["v1"] = "v1",
        ssl: bool = False,
        http_auth: HttpAuth = None,
        http_headers: Mapping[str, str] | None = None,
        local_download_fallback: bool = True,
        **options: Unpack[ClientOptions],
    ) -> None:
        if api_version != "v1":
            raise BuffyValueError(f"api_version is 'v1', not {api_version!r}")
        check_bool("local_download_fallback", local_download_fallback)
        check_bool("ssl", ssl)
        check_text("group_name", group_name)
        where = address(url, host, port, base_path, ssl=ssl)
        self.ssl, self.host, self.port, self.base_path = where.ssl, where.host, where.port, where.base_path
        self.group_name = group_name
        self.api_version = api_version
        self.http_auth = credentials(http_auth, where)
        self.http_headers = checked_headers("http_headers", http_headers)
        self.local_download_fallback = local_download_fallback
        defaults: list[object] = [Without("errors"), OriginRedirects(), Retry()]
        if self.http_auth is not None:
            defaults.append(_basic(self.http_auth.username, self.http_auth.password or ""))
        options["headers"] = self.http_headers.over(Headers(options.get("headers", ())))
        if options.get("transport") is None:
            myself = ref(self)
            options["transport"] = lambda: TrustingTransport(
                lambda: getattr(myself(), "buffy_server_verify_ssl_request", True)
            )
        self._removals = set[tuple[str, ...]]()
        self._api_url = where.url(api_version)
        super().__init__(self._api_url, defaults=defaults, visible_query=_SHOWN, **options)

    if not TYPE_CHECKING:  # to a checker every name could be set

        def __setattr__(self, name: str, value: Any) -> None:
            if name in _FIXED and name in self.__dict__:
                raise BuffyValueError(f"{name} is that of the client as it was made: make another client")
            super().__setattr__(name, value)

    @property
    def api_url(self) -> str:
        """Where the API is; shows no credentials."""
        return self._api_url

    @classmethod
    def from_env(
        cls,
        fallback_val_group_name: str | None = None,
        fallback_val_url: str = "http://localhost:8008",
        fallback_val_http_auth_name: str | None = None,
        fallback_val_http_auth_password: str | None = None,
        fallback_value_local_download_fallback: bool = True,
        **options: Unpack[ClientOptions],
    ) -> Self:
        """A client as the environment says, and as the arguments do where a variable is empty or not set.

        The variables are `BUFFY_SERVER_URL`, `BUFFY_GROUP_NAME`, `BUFFY_SERVER_HTTP_AUTH_NAME`,
        `BUFFY_SERVER_HTTP_AUTH_PASSWORD`, and `BUFFY_LOCAL_DOWNLOAD_FALLBACK`: 1, 0, true, false, yes, no, on or off.

        Raises:
            BuffyValueError: one of them makes no sense.
        """
        name = variable("BUFFY_SERVER_HTTP_AUTH_NAME", fallback_val_http_auth_name)
        password = variable("BUFFY_SERVER_HTTP_AUTH_PASSWORD", fallback_val_http_auth_password)
        return cls(
            url=variable("BUFFY_SERVER_URL", fallback_val_url),
            group_name=variable("BUFFY_GROUP_NAME", fallback_val_group_name),
            http_auth=(name, password or "") if name else None,
            local_download_fallback=flag("BUFFY_LOCAL_DOWNLOAD_FALLBACK", fallback_value_local_download_fallback),
            **options,
        )

    @Making
    def create_request(
        self,
        url: str,
        http_method: HttpMethod = "get",
        http_query_params: Mapping[str, Any] | None = None,
        http_request_body: Mapping[str, Any] | None = None,
        http_header_fields: Mapping[str, str] | None = None,
        info_description: str | None = None,
        info_link: str | None = None,
        hold_request_order: bool = False,
        cache_configuration: RequestCacheConfiguration | None = None,
        validation_hash_type: str = "md5",
    ) -> tuple[Order, bool]:
        """A request, ordered already.

        Args:
            url: of what is to be fetched.
            http_method: "get", "post" or "put".
            http_query_params: added to the URL's own query: values, or lists of them.
            http_request_body: sent as JSON; a server of 0.7.3 forgets it.
            http_header_fields: for the origin. The server keeps them, and shows them to everybody: send it no secrets.
            info_description, info_link: for people who read the server's list.
            hold_request_order: leave ordering to `order`, or to the first download.
            cache_configuration: when it is fetched again; counts for requests that the server does not know yet.
            validation_hash_type: what the server hashes with, as hashlib calls it.

        Raises:
            BuffyValueError: it makes no sense, and would end a server of 0.7.3; nothing was sent.
            BuffyServerError: the server does not take it.
            NetworkError: it is not reached, and the origin may not stand in for it.
        """
        asked = asked_for(
            url,
            self.group_name,
            http_method,
            http_query_params,
            http_request_body,
            http_header_fields,
            info_description,
            info_link,
            cache_configuration,
            validation_hash_type,
        )
        check_bool("hold_request_order", hold_request_order)
        return Order(asked), hold_request_order


class BuffyClient(BuffyBase, Client):
    """A Buffy server: plain calls. Existing code knows it as `BuffyPyClient`."""

    Request = handles.Request


class AsyncBuffyClient(BuffyBase, AsyncClient):
    """A Buffy server: awaited calls."""

    Request = handles.AsyncRequest


def _basic(name: str, password: str | Secret) -> Basic:
    try:
        return Basic(name, password)
    except ConfigurationError as error:
        raise BuffyValueError(f"http_auth: {error}") from None
