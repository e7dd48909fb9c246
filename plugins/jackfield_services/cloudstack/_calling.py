"""Carrying a command out to its end: which pages are fetched, and whether a job is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jackfield import UsageError, check_seconds

from ._json import items_of, whole
from ._naming import pages, reads
from ._paging import Merged
from ._parameters import Parameter

if TYPE_CHECKING:
    from ._service import CloudStackService
    from ._typing import Fields

# As they are misspelt, and as they are.
_OPTIONS = {name.replace("_", ""): name for name in ("fetch_list", "fetch_result", "job_timeout", "poll_interval")}
_ALL = (None, -1, "-1")  # no size of pages


def as_asked(
    service: CloudStackService, job_timeout: float | None, poll_interval: float | None, headers: Fields
) -> CloudStackService:
    """The service with one call's own settings."""
    if job_timeout is None and poll_interval is None and not headers:
        return service
    view = service.with_options(headers=headers)
    if job_timeout is not None:
        view.job_timeout = check_seconds("job_timeout", job_timeout, zero=True)
    if poll_interval is not None:
        view.async_poll_latency = check_seconds("poll_interval", poll_interval, zero=True)
    return view


def check_options(parameters: Mapping[str, Parameter], *, fetch_list: object, fetch_result: object) -> None:
    """Raises UsageError where an option is no option's value, or a parameter is an option that is misspelt."""
    if not isinstance(fetch_list, bool | None):
        raise UsageError(f"fetch_list must be True, False or None, not {fetch_list!r}")
    if not isinstance(fetch_result, bool):
        raise UsageError(f"fetch_result must be True or False, not {fetch_result!r}")
    for name in parameters:
        meant = _OPTIONS.get(name.lower())
        if meant is None and "_" in name:  # the names of CloudStack's parameters have none
            from difflib import get_close_matches

            meant = next(iter(get_close_matches(name.lower(), _OPTIONS.values(), n=1, cutoff=0.85)), None)
        if meant is not None:
            raise UsageError(f"CloudStack has no parameter {name!r} (did you mean {meant!r}?)")


async def carry_out(
    service: CloudStackService,
    command: str,
    parameters: Mapping[str, Parameter],
    *,
    fetch_list: bool | None,
    fetch_result: bool,
) -> Any:
    """The answer of `request`, before it is made into anything."""
    page, size = _asked_page(parameters)
    if fetch_list and page is None and size not in _ALL:
        service, parameters = _with_page_size(service, parameters, size)
        size = None
    if page is None and size is None and (fetch_list or (fetch_list is None and _is_paged(service, command))):
        return await _every_page(service, command, parameters, bare=fetch_list is True)
    answer = await _once(service, command, _whole_page(service, parameters, page, size), fetch_result)
    return items_of(answer) if fetch_list else answer


async def _once(
    service: CloudStackService, command: str, parameters: Mapping[str, Parameter], fetch_result: bool
) -> Any:
    if not fetch_result:
        return await service.execute(command, **parameters)
    job: Any = await service.job.start(command, **parameters)
    try:
        return await job.result()
    except Exception:
        raise
    except BaseException as interrupt:  # Ctrl-C, or a task that is cancelled
        interrupt.add_note(f"the job of {command} goes on: wait for it with job.resume({job.token!r}).result()")
        raise


async def _every_page(
    service: CloudStackService, command: str, parameters: Mapping[str, Parameter], *, bare: bool
) -> Any:
    if bare:
        return [item async for page in service.listing.pages(command, **parameters) for item in page]
    merged = Merged()
    async for page in service.listing.pages(command, **parameters):
        merged.add(page)
    return merged.answer


def _is_paged(service: CloudStackService, command: str) -> bool:
    """By what the server says of it, or else by its name."""
    known = service.discovery.known(command)
    if known is None:
        return pages(command)
    return known.pages and not known.is_async and (pages(command) or reads(command))


def _asked_page(parameters: Mapping[str, Parameter]) -> tuple[Parameter, Parameter]:
    """`page` and `pagesize`, where the caller gives them."""
    named = {name.lower(): value for name, value in parameters.items()}
    return named.get("page"), named.get("pagesize")


def _with_page_size(
    service: CloudStackService, parameters: Mapping[str, Parameter], size: Parameter
) -> tuple[CloudStackService, Mapping[str, Parameter]]:
    """Every page, of the caller's size."""
    number = whole(size)
    if number is None or number < 1:
        raise UsageError(f"pagesize must be a whole number of 1 or more, or -1, not {size!r}")
    view = service.with_options()
    view.max_page_size = number
    return view, {name: value for name, value in parameters.items() if name.lower() != "pagesize"}


def _whole_page(
    service: CloudStackService, parameters: Mapping[str, Parameter], page: Parameter, size: Parameter
) -> Mapping[str, Parameter]:
    """The server answers 431 to `page` without `pagesize`, and to `pagesize`, unless it is -1, without `page`."""
    if page is not None and size is None:
        return {**parameters, "pagesize": service.max_page_size}
    if page is None and size not in _ALL:
        return {**parameters, "page": 1}
    return parameters
