"""Cutting one page out of a list, and refusing what cannot be one: BaseListCmd of CloudStack."""

from collections.abc import Callable, Sequence

from ._parameters import Arguments
from ._settings import UNLIMITED, Count, Settings
from ._wire import INVALID_VALUE, ApiError, JsonObject


def page_of(
    key: str,
    items: Sequence[JsonObject],
    arguments: Arguments,
    settings: Settings,
    *,
    shown: Callable[[JsonObject], JsonObject] | None,
    whole: bool,
) -> JsonObject:
    """`{"count": …, key: […]}`; nothing at all for a count of 0, and no list for a page past the end.

    `shown` is how an item of the page looks; `whole` is a command that takes no notice of paging.
    """
    start, end = (0, None) if whole else _bounds(arguments, settings.page_size_limit)
    page = items[start:end]
    answer: JsonObject = {**_counted(settings.count, len(items), len(page))}
    if page:
        answer[key] = page if shown is None else list(map(shown, page))
    return answer


def _counted(count: Count, total: int, here: int) -> dict[str, int]:
    number = {"total": total, "page": here, "absent": 0}[count]
    return {"count": number} if number else {}


def _bounds(arguments: Arguments, limit: int) -> tuple[int, int | None]:
    """Start and end of the page; without paging, the first `limit` items."""
    page, size = _asked(arguments)
    if limit != UNLIMITED and size is not None and size > limit:
        raise ApiError(431, f"Page size can't exceed max allowed page size value: {limit}", INVALID_VALUE)
    if size == UNLIMITED and arguments.given("page"):
        raise ApiError(431, "Can't specify page parameter when pagesize is -1 (Unlimited)", INVALID_VALUE)
    length = limit if size is None else size
    if length == UNLIMITED:
        return 0, None
    start = length * (max(page or 1, 1) - 1)  # 1-based; 0 or less is the first page
    return start, start + length


def _asked(arguments: Arguments) -> tuple[int | None, int | None]:
    """(page, pagesize): each needs the other, but for pagesize=-1."""
    size = arguments.integer("pagesize")
    if size is not None and size < UNLIMITED:
        raise ApiError(431, f"Invalid value {size} for parameter pagesize", INVALID_VALUE)
    if size not in (None, UNLIMITED) and not arguments.given("page"):
        raise ApiError(431, '"page" parameter is required when "pagesize" is specified')
    if size is None and arguments.given("page"):
        raise ApiError(431, '"pagesize" parameter is required when "page" is specified')
    return (arguments.integer("page") if arguments.text("page") else None), size
