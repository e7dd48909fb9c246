"""One command to one CloudStack: how a client is made, and how a command is sent; no page, no job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self, Unpack

from jackfield import (
    ClientOptions,
    ConfigurationError,
    Response,
    Secret,
    Service,
    Url,
    UsageError,
    Without,
    check_seconds,
    operation,
)
from jackfield_plugins.retry import Retry

from ._answer import payload
from ._credentials import credentials
from ._discovery import Discovery
from ._naming import reads
from ._parameters import Parameter, check_command, flatten
from ._posting import Method, check_method, request_of, shown
from ._secrecy import masked, secrets_of
from ._signing import SignatureAlgorithm
from ._throttle import Throttle

if TYPE_CHECKING:
    from ._login import Login

_SHOWN = ("command", "response", "page", "pagesize", "jobid")


class CloudStackOptions(ClientOptions, total=False):
    """What the constructors take by name."""

    login: Login | None
    job_timeout: float
    signature_algorithm: SignatureAlgorithm
    expires: float | None
    method: Method
    discovery: str | os.PathLike[str] | bool | None
    verify: bool | str
    cert: str | tuple[str, str] | None


class CloudStackBase(Service):
    """Apache CloudStack's API: signed with a key pair, in a session, or on the integration port.

    Every command is an attribute: `listVirtualMachines(zoneid=…)`. Parameters are strings, numbers, bools, lists of
    them, and maps (`tags=[{"key": …, "value": …}]`); None leaves one out.

    Args:
        end_point: `https://host/client/api`.
        api_key: the key's public half. Without keys and login this speaks to the integration port: nothing is signed.
        api_secret: its secret half; kept as a `Secret`.
        async_poll_latency: seconds between two polls of a job.
        max_page_size: items per page; the server allows 500 unless it is set up otherwise.
        login: a `Login(username, password)`, in place of keys.
        job_timeout: the longest wait for a job, in seconds.
        signature_algorithm: `"sha1"`; `"sha512"` for servers that have SHA-1 switched off; `"auto"` finds out.
        expires: seconds, 1 to 900, that a signed request stays good, by the clocks of both sides; None: for ever, which
            servers that enforce timestamps refuse. Each attempt is signed, and expires, anew.
        method: `"get"`, `"post"`, or `"auto"`: POST for what holds a secret or is long, and else GET.
        discovery: a folder, in which the list of commands is kept for other processes; False: no call is checked by it.
        verify: False to trust any certificate, or the path of those to trust.
        cert: the path of a client certificate, or of it and of its key.
        options: as every client takes them; `timeout` is for one command.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    def __init__(
        self,
        end_point: str,
        api_key: str | None = None,
        api_secret: str | Secret | None = None,
        async_poll_latency: float = 2,
        max_page_size: int = 500,
        *,
        login: Login | None = None,
        job_timeout: float = 1800,
        signature_algorithm: SignatureAlgorithm = "sha1",
        expires: float | None = None,
        method: Method = "auto",
        discovery: str | os.PathLike[str] | bool | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        _check_end_point(end_point)
        _check_page_size(max_page_size)
        check_seconds("async_poll_latency", async_poll_latency, zero=True)
        check_seconds("job_timeout", job_timeout, zero=True)
        borne = credentials(api_key, api_secret, login, signature_algorithm, expires)
        if (verify, cert) != (True, None):
            _set_transport(options, verify, cert)
        self._end_point = end_point
        self._api_key = api_key
        self._api_secret = None if api_secret is None else Secret(api_secret)
        self.async_poll_latency = async_poll_latency
        self.max_page_size = max_page_size
        self.job_timeout = job_timeout
        self.discovery = Discovery(end_point, discovery)
        self._method: Method = check_method(method, posts=borne.posts)
        self._ours, self._unknown = borne.parameters, borne.unknown
        self._digest = signature_algorithm
        self._closed = False
        self._login = login
        defaults = (Without("errors"), Retry(), Throttle(), *borne.plugins)  # errors are CloudStack's own
        super().__init__(end_point, defaults=defaults, visible_query=_SHOWN, **options)
        if login is not None:
            login.opened(self, self.url())

    @property
    def end_point(self) -> str:
        """As it was given."""
        return self._end_point

    @property
    def api_key(self) -> str | None:
        """The key's public half."""
        return self._api_key

    @property
    def api_secret(self) -> Secret | None:
        """The key's secret half."""
        return self._api_secret

    @classmethod
    def from_config(cls, region: str | None = None, **changes: Any) -> Self:
        """A client as environment and ini files say (`read_config`), with these arguments in place of theirs."""
        from ._config import read_config

        return cls(**{**read_config(region), **changes})

    @operation
    async def execute(self, /, command: str, **parameters: Parameter) -> dict[str, Any]:
        """Sends one command as it is, and gives what its envelope holds: one page, or a job's id."""
        job_id = parameters.get("jobid")
        answer = await self._sent(command, parameters)
        return self._payload(answer, command, None if job_id is None else str(job_id))

    @operation
    async def _log_out(self, client: object) -> None:
        if self._login is not None:
            await self._login.closed(client, self.url(), self.call)

    async def _sent(self, command: str, parameters: Mapping[str, Parameter], *, response: str = "json") -> Response:
        """Sends a command, from inside an operation, and gives the answer as it is."""
        self._name(command)
        flat = flatten(parameters)
        known = await self.discovery.checked(self, command, [name for name, _ in flat])
        if known is not None:  # as the server spells it
            command = known.name
            self._name(command)
        secrets = secrets_of(parameters, flat)
        pairs = [*flat, *self._ours, ("command", command), ("response", response)]
        request = request_of(self.url(), pairs, self._method, secret=bool(secrets), idempotent=reads(command))
        if self.call.notes is not None and request.body:
            self.call.notes.append(f"form: {shown(pairs, self.call.options.visible_query)}")
        answer = await self.send(request)
        return answer if answer.status == 200 else masked(answer, secrets)

    def _payload(self, answer: Response, command: str, job_id: str | None = None) -> dict[str, Any]:
        return payload(answer, command, job_id, unknown=self._unknown)

    def _name(self, command: str) -> None:
        """The command is what this call is about."""
        check_command(command)
        self.call.operation = command


def _check_end_point(given: object) -> None:
    if not isinstance(given, str):
        raise ConfigurationError(f"end_point must be a string, 'https://host/client/api', not {type(given).__name__}")
    if given != given.strip():
        raise ConfigurationError("end_point has blanks or a line break around it: was it read from a file?")
    try:
        Url.parse(given)
    except UsageError as error:
        shown = "" if "@" in given else f"={given!r}"
        raise ConfigurationError(f"end_point{shown}: {error}") from None


def _check_page_size(given: object) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(f"max_page_size must be a whole number of 1 or more, not {given!r}")


def _set_transport(options: ClientOptions, verify: bool | str, cert: str | tuple[str, str] | None) -> None:
    """A transport of this client's own, with these TLS settings."""
    if options.get("transport") is not None:
        raise ConfigurationError(
            "verify and cert are for the client's own transport: give them to yours, or leave it out"
        )
    from ._tls import transport_for

    options["transport"] = partial(transport_for, verify, cert)
