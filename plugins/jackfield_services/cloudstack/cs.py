"""For who comes from `cs` 5: its clients, errors and configuration by their names, on the clients of this package.

A call does what it does there: one exchange, unless `fetch_list` or `fetch_result` says more. All that the clients of
this package have besides is there, too: `cs.listing.all(…)`, `cs.job.start(…)`, `cs.request(…, into=VirtualMachine)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from jackfield import (
    ConfigurationError,
    JobTimeoutError,
    Runtime,
    Secret,
    Transport,
    UsageError,
    check_seconds,
    operation,
)

from . import AsyncCloudStack as _AsyncClient
from . import CloudStack as _Client
from . import CloudStackClientException, CloudStackService
from ._arguments import arguments
from ._config import find
from ._cs_errors import CloudStackApiException, CloudStackException, api_message, translated
from ._discovery import Place
from ._settings import EXPIRATION, Setting, Settings
from ._signing import SignatureAlgorithm
from ._told import Told, told

__all__ = ["AIOCloudStack", "CloudStack", "CloudStackApiException", "CloudStackException", "read_config"]

_FOR_EVER = 1e8  # seconds, three years


class _Options(TypedDict, total=False):
    cache: object | None
    transport: Transport | Callable[[], Transport] | None
    runtime: Runtime | None
    max_body_size: int
    signature_algorithm: SignatureAlgorithm
    discovery: Place


class _Facade(CloudStackService):
    """Apache CloudStack's API, with the arguments of `cs`. Times are in seconds; strings are converted.

    Args:
        endpoint: `https://host/client/api`.
        key: the key's public half; without keys this speaks to the integration port.
        secret: its secret half.
        timeout: the longest wait for a connection, and the longest silence.
        method: "get", "post", or "auto": POST for what holds a secret or is long.
        verify: the path of the authorities to believe in, a file or a folder.
        cert: the path of a client certificate; or of both, a certificate and its key.
        cert_key: the path of that key.
        name: what the client is called for people.
        retry: how often what only reads is tried again after a failure that passes.
        retry_backoff: the longest wait before the first of these; it doubles with each.
        job_timeout: the longest wait for a job; None: three years.
        poll_interval: between two polls of a job.
        expiration: that a signed request stays good, 15 minutes at most; negative: for ever.
        trace: print every request and answer on standard error, without what is secret.
        dangerous_no_tls_verify: believe anybody, if there is no `verify`.
        headers: sent with every request.
        session: not supported.
        fetch_result: wait for the jobs that calls start.
        plugins: in place of this client's, or besides.
        options: what the clients of this package take besides.

    Raises:
        ConfigurationError: an argument makes no sense; it says which and why.
    """

    endpoint, key, secret = Told(), Told(), Told()
    timeout, method, verify, cert = Told(), Told(), Told(), Told()
    retry, retry_backoff, expiration, trace, headers = Told(), Told(), Told(), Told(), Told()

    def __init__(
        self,
        endpoint: str,
        key: str | None = None,
        secret: str | Secret | None = None,
        timeout: float | str = 10,
        method: str = "auto",
        verify: bool | str | None = None,
        cert: str | tuple[str, str] | None = None,
        cert_key: str | None = None,
        name: str | None = None,
        retry: int | str = 0,
        retry_backoff: float | str = 0.5,
        job_timeout: float | str | None = None,
        poll_interval: float | str = 2.0,
        expiration: timedelta | float | str = EXPIRATION,
        trace: bool | str | None = False,
        dangerous_no_tls_verify: bool | str = False,
        headers: Mapping[str, str] | None = None,
        session: None = None,
        fetch_result: bool = False,
        plugins: Iterable[object] = (),
        **options: Unpack[_Options],
    ) -> None:
        if session is not None:
            raise ConfigurationError("session is of another library: transport=... and headers=... do what it did")
        if isinstance(cert, tuple):
            cert, cert_key = cert
        if isinstance(expiration, timedelta):
            expiration = expiration.total_seconds()
        written = {"timeout": timeout, "method": method, "verify": verify or None, "cert": cert, "cert_key": cert_key}
        written |= {"retry": retry, "retry_backoff": retry_backoff, "job_timeout": job_timeout or None, "trace": trace}
        written |= {"poll_interval": poll_interval, "expiration": expiration, "key": key}
        written |= {"dangerous_no_tls_verify": dangerous_no_tls_verify}
        texts = {name: Setting(str(value), name) for name, value in written.items() if value not in (None, "")}
        settings = Settings(texts)
        given: dict[str, Any] = {"job_timeout": _FOR_EVER, **arguments(settings), **options}
        given |= {"api_key": key, "api_secret": secret, "headers": headers or {}}
        given["plugins"] = [*given.get("plugins", ()), *plugins]
        super().__init__(endpoint, **given)
        self._told = {"endpoint": self.end_point, "key": self.api_key, "secret": self.api_secret}
        self._told |= told(settings, headers)
        self.name = name
        self.fetch_result = fetch_result

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name or self.endpoint}>"

    @property
    def poll_interval(self) -> float:
        """Seconds between two polls of a job."""
        return self.async_poll_latency

    @poll_interval.setter
    def poll_interval(self, seconds: float) -> None:
        self.async_poll_latency = check_seconds("poll_interval", seconds, zero=True)

    @operation(bounded=False)
    async def _command(
        self,
        /,
        command: str,
        json: bool = True,
        opcode_name: str = "command",
        fetch_list: bool = False,
        headers: Mapping[str, str] | None = None,
        fetch_result: bool | None = None,
        **parameters: Any,
    ) -> Any:
        """A command; `json=False` gives the text of an answer in XML."""
        if opcode_name != "command":
            raise UsageError("opcode_name is 'command': other names are for other services than CloudStack")
        service = self.with_options(headers=headers) if headers else self
        try:
            if not json:
                return await _text(service, command, parameters)
            waits = self.fetch_result if fetch_result is None else fetch_result
            if fetch_list:  # every page, from the first one on
                parameters = {name: value for name, value in parameters.items() if name.lower() != "page"}
            answer = await service.request(command, fetch_list=fetch_list, fetch_result=waits, **parameters)
            return answer["jobresult"] if waits and isinstance(answer, dict) and [*answer] == ["jobresult"] else answer
        except (CloudStackClientException, JobTimeoutError) as error:
            raise translated(error) from error

    if not TYPE_CHECKING:

        def __getattr__(self, command):
            if command.startswith("_") or command == "session":  # of another library
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {command!r}")
            return self.discovery.function(self._command, command)


class CloudStack(_Facade, _Client):
    __doc__ = _Facade.__doc__

    if TYPE_CHECKING:

        def __getattr__(self, command: str) -> Callable[..., Any]: ...


class AIOCloudStack(_Facade, _AsyncClient):
    __doc__ = _Facade.__doc__

    async def close(self) -> None:
        """Ends every connection."""
        await self.aclose()

    if TYPE_CHECKING:

        def __getattr__(self, command: str) -> Callable[..., Awaitable[Any]]: ...  # type: ignore[override]  # as in cs


def read_config(ini_group: str | None = None) -> dict[str, Any]:
    """The arguments that environment and ini files set: `CloudStack(**read_config())`.

    Args:
        ini_group: the section of the files; `CLOUDSTACK_REGION`, or else "cloudstack", if None.

    Raises:
        ConfigurationError: there is nothing, or something that makes no sense; it says where.
    """
    settings, region = find(ini_group)
    arguments(settings)  # says what makes no sense, and where it is written
    verify = settings.verify()
    config: dict[str, Any] = {
        "endpoint": settings.text("endpoint"),
        "key": settings.text("key"),
        "secret": settings.secret(),
        "timeout": settings.seconds("timeout"),
        "method": settings.method(),
        "verify": verify if isinstance(verify, str) else None,
        "cert": settings.text("cert"),
        "cert_key": settings.text("cert_key"),
        "name": region,
        "retry": settings.whole("retry"),
        "retry_backoff": settings.seconds("retry_backoff"),
        "job_timeout": settings.seconds("job_timeout", zero=True) or None,
        "poll_interval": settings.seconds("poll_interval", zero=True),
        "expiration": settings.text("expiration"),
        "trace": settings.flag("trace") or None,
        "dangerous_no_tls_verify": verify is False or None,
        "headers": settings.headers() or None,
    }
    return {key: value for key, value in config.items() if value is not None}


async def _text(service: CloudStackService, command: str, parameters: Mapping[str, Any]) -> str:
    response = await service._sent(command, parameters, response="xml")
    text = response.content.decode("utf-8", "replace")
    if response.status != 200:
        raise CloudStackApiException(api_message(response), error=text, response=response)
    return text
