"""The service itself: any command, its pages and its jobs, written once for both clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack
from warnings import warn

from jackfield import (
    AsyncClient,
    Client,
    ClientOptions,
    ConfigurationError,
    Done,
    JobState,
    Page,
    Pending,
    Request,
    Secret,
    Service,
    UsageError,
    Without,
    check_seconds,
    job,
    operation,
    paged,
)
from jackfield_plugins.polling import Polling
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import HmacSigning

from ._answer import payload
from ._jobs import poll
from ._paging import ListAt, ListPages, Merged
from ._parameters import Parameter, check_command, flatten
from ._signing import SignatureAlgorithm, recipe

_READS = ("list", "get", "query")
_SHOWN = ("command", "response", "page", "pagesize", "jobid")
_PAGES = ListPages()
_JOBS = Polling(
    poll,
    interval=lambda service: service.async_poll_latency,
    timeout=lambda service: service.job_timeout,
    jitter=0,  # the interval is the caller's own word
)


class CloudStackService(Service):
    """Apache CloudStack's API, signed with a key pair.

    Every command is an attribute: `listVirtualMachines(zoneid=…)`. Parameters are strings, numbers, bools, lists of
    them, and maps (`tags=[{"key": …, "value": …}]`); None leaves one out.

    Args:
        end_point: `https://host/client/api`.
        api_key: the key's public half.
        api_secret: its secret half; kept as a `Secret`.
        async_poll_latency: seconds between two polls of a job.
        max_page_size: items per page; the server allows 500 unless it is set up otherwise.
        job_timeout: the longest wait for a job, in seconds.
        signature_algorithm: `"sha1"`, or `"sha512"` for servers that have SHA-1 switched off.
        expires: seconds, 1 to 900, that a signed request stays good, by the clocks of both sides; None: for ever, which
            servers that enforce timestamps refuse. Each attempt is signed, and expires, anew.
        options: as every client takes them; `timeout` is for one command.

    Raises:
        UsageError: an argument makes no sense; it says which and why.
    """

    def __init__(
        self,
        end_point: str,
        api_key: str,
        api_secret: str | Secret,
        async_poll_latency: float = 2,
        max_page_size: int = 500,
        *,
        job_timeout: float = 1800,
        signature_algorithm: SignatureAlgorithm = "sha1",
        expires: float | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        _check(api_key, api_secret, max_page_size, async_poll_latency=async_poll_latency, job_timeout=job_timeout)
        self.end_point = end_point
        self.api_key = api_key
        self.api_secret = Secret(api_secret)
        self.async_poll_latency = async_poll_latency
        self.max_page_size = max_page_size
        self.job_timeout = job_timeout
        signing = HmacSigning(recipe(signature_algorithm, expires), self.api_secret)
        defaults = (Without("errors"), Retry(), signing)  # errors are CloudStack's own
        super().__init__(end_point, defaults=defaults, visible_query=_SHOWN, **options)

    @operation
    async def execute(self, /, command: str, **parameters: Parameter) -> dict[str, Any]:
        """Sends one command as it is, and gives what its envelope holds: one page, or a job's id."""
        check_command(command)
        self.call.operation = command
        ours = [("apikey", self.api_key), ("command", command), ("response", "json")]
        reads = command.lower().startswith(_READS)
        request = Request("GET", self.url(), query=[*flatten(parameters), *ours], idempotent=reads)
        return payload(await self.send(request))

    @paged(_PAGES)
    async def listing(self, at: ListAt, /, command: str, **parameters: Parameter) -> Page[dict[str, Any]]:
        """One page of a list command; `.all(…)` gives every item, `.pages(…)` every page."""
        if _names_page(parameters):
            raise UsageError("listing pages by itself: leave out page and pagesize, or use execute")
        return _PAGES.page(at, await self.execute(command, **parameters, page=at.number, pagesize=at.size))

    @job(_JOBS)
    async def job(self, /, command: str, **parameters: Parameter) -> JobState[dict[str, Any]]:
        """Sends a command and waits for its job, if it starts one; `.start(…)` gives a handle instead."""
        answer = await self.execute(command, **parameters)
        if "jobid" in answer and command.lower() != "queryasyncjobresult":
            return Pending(str(answer["jobid"]), command)
        return Done(answer)

    @operation(bounded=False)
    async def request(self, /, command: str, **parameters: Parameter) -> dict[str, Any]:
        """Carries out a command to its end: every page of a list, the result of a job.

        A list is paged unless `page` or `pagesize` is given. Its `count` is that of all items.
        """
        check_command(command)
        if not _lists(command) or _names_page(parameters):
            return await self.job(command, **parameters)
        merged = Merged()
        async for page in self.listing.pages(command, **parameters):
            merged.add(page)
        return merged.answer

    if not TYPE_CHECKING:  # each client says of itself what its commands give

        def __getattr__(self, command):
            if command.startswith("_") or command in ("close", "aclose"):  # the other colour's, and no command
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {command!r}")
            return partial(self.request, command)


def _check(api_key: object, api_secret: object, max_page_size: object, **seconds: object) -> None:
    if not isinstance(api_key, str) or not api_key.isprintable() or not api_key:
        raise ConfigurationError("api_key must be a string of printable characters that is not empty")
    if not isinstance(api_secret, str | Secret) or not api_secret:
        raise ConfigurationError("api_secret must be a string that is not empty")
    if isinstance(api_secret, str) and (api_secret != api_secret.strip() or "\n" in api_secret):
        raise ConfigurationError("api_secret holds a line break, or blanks around it: was it read from a file?")
    if isinstance(max_page_size, bool) or not isinstance(max_page_size, int) or max_page_size < 1:
        raise ConfigurationError(f"max_page_size must be a whole number of 1 or more, not {max_page_size!r}")
    for name, given in seconds.items():
        check_seconds(name, given, zero=True)


def _lists(command: str) -> bool:
    name = command.lower()  # createNetworkACLList and its like start jobs
    return "list" in name and not name.startswith(("create", "delete", "update", "replace"))


def _names_page(parameters: dict[str, Parameter]) -> bool:
    return any(name.lower() in ("page", "pagesize") for name in parameters)


class CloudStack(CloudStackService, Client):
    __doc__ = CloudStackService.__doc__

    if TYPE_CHECKING:

        def __getattr__(self, command: str) -> Callable[..., dict[str, Any]]: ...


class AsyncCloudStack(CloudStackService, AsyncClient):
    """Apache CloudStack's API, as `CloudStack` describes it, with awaitable commands.

    Args:
        event_loop: not used, and deprecated: the client runs on the loop that calls it.
    """

    def __init__(
        self,
        end_point: str,
        api_key: str,
        api_secret: str | Secret,
        event_loop: object = None,
        async_poll_latency: float = 2,
        max_page_size: int = 500,
        *,
        job_timeout: float = 1800,
        signature_algorithm: SignatureAlgorithm = "sha1",
        expires: float | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        if event_loop is not None:
            warn("event_loop is ignored: leave it out", DeprecationWarning, stacklevel=2)
        super().__init__(
            end_point,
            api_key,
            api_secret,
            async_poll_latency,
            max_page_size,
            job_timeout=job_timeout,
            signature_algorithm=signature_algorithm,
            expires=expires,
            **options,
        )

    if TYPE_CHECKING:

        def __getattr__(self, command: str) -> Callable[..., Awaitable[dict[str, Any]]]: ...
