"""The service itself: any command, its pages and its jobs, written once for both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jackfield import Done, JobState, Page, UsageError, job, operation, paged

from ._aio import AioMembers
from ._calling import as_asked, carry_out, check_options
from ._jobs import JOBS, job_of_no_list, started
from ._paging import ListAt, ListPages
from ._parameters import Parameter, flatten
from ._secrecy import secrets_of

if TYPE_CHECKING:
    from ._commands import Commands
    from ._typing import AsyncRequest, ByColour, Fields, SyncRequest
    from ._typing_lists import AsyncListing, SyncListing

_PAGES = ListPages()


def _typed_request(definition: Any) -> ByColour[SyncRequest, AsyncRequest]:
    return cast("ByColour[SyncRequest, AsyncRequest]", definition)


def _typed_listing(definition: Any) -> ByColour[SyncListing, AsyncListing]:
    return cast("ByColour[SyncListing, AsyncListing]", definition)


class CloudStackService(AioMembers):
    __doc__ = AioMembers.__doc__

    @_typed_listing
    @paged(_PAGES)
    async def listing(
        self, at: ListAt, /, command: str, *, into: type[Any] | None = None, **parameters: Parameter
    ) -> Page[Any]:
        """One page of a list command; `.all(…)` gives every item, `.pages(…)` every page; `into` is the items' type."""
        parameters = {name: value for name, value in parameters.items() if value is not None}
        if {"page", "pagesize"}.intersection(map(str.lower, parameters)):
            raise UsageError("listing pages by itself: leave out page and pagesize, or use execute")
        self._name(command)
        known = self.discovery.known(command)
        if known is not None and known.is_async:
            raise UsageError(f"{command} starts a job, and is no list: leave out fetch_list, or use job")
        response = await self._sent(command, {**parameters, "page": at.number, "pagesize": at.size})
        answer = self._payload(response, command)
        page = _PAGES.page(at, answer)
        if not page and answer.get("jobid"):
            raise job_of_no_list(answer, command)
        if into is not None:
            from ._convert import convert_items

            page[:] = convert_items(page, into)
        return page

    @job(JOBS)
    async def job(self, /, command: str, **parameters: Parameter) -> JobState[dict[str, Any]]:
        """Sends a command and waits for its job, if it starts one; `.start(…)` gives a handle instead."""
        self._name(command)
        answer = await self.execute(command, **parameters)
        known = self.discovery.known(command)
        if known is not None and not known.is_async:
            return Done(answer)
        return started(answer, command, secrets_of(parameters, flatten(parameters)))

    @_typed_request
    @operation(bounded=False)
    async def request(
        self,
        /,
        command: str,
        *,
        into: type[Any] | None = None,
        fetch_list: bool | None = None,
        fetch_result: bool = True,
        job_timeout: float | None = None,
        poll_interval: float | None = None,
        headers: Fields = (),
        **parameters: Parameter,
    ) -> Any:
        """Carries out a command to its end: every page of a list, the result of a job.

        Args:
            command: its name.
            into: the type to make of it: of the resource in the answer, or `list[…]` of a list's; None: a dictionary.
            fetch_list: True for a bare list of every page's items, whatever the command; False for one page as it is.
                None pages lists, unless `page` or `pagesize` is given, and joins the pages: `count` is that of all.
            fetch_result: False gives the answer that a job starts with, and does not wait.
            job_timeout: the longest wait for the job, in seconds.
            poll_interval: seconds between two polls of it.
            headers: sent along with each request of this call.
            parameters: the command's own.
        """
        self._name(command)
        check_options(parameters, fetch_list=fetch_list, fetch_result=fetch_result)
        service = as_asked(self, job_timeout, poll_interval, headers)
        answer = await carry_out(service, command, parameters, fetch_list=fetch_list, fetch_result=fetch_result)
        if into is None:
            return answer
        from ._convert import convert_into, convert_items

        return convert_items(answer, into) if fetch_list else convert_into(answer, into)

    @operation
    async def commands(self, *, refresh: bool = False) -> Commands:
        """What `listApis` tells of every command that these credentials may use; from then on calls are checked by it.

        Args:
            refresh: ask the server, though it is known.
        """
        return await self.discovery.commands(self, refresh=refresh)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.discovery.names()]

    if not TYPE_CHECKING:  # each client says of itself what its commands give

        def __getattr__(self, command):
            if command.startswith("_") or command in ("close", "aclose"):  # the other colour's, and no command
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {command!r}")
            return self.discovery.function(self.request, command)
