"""The way from page to page, for both colours: it ends, and gives no page twice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, NamedTuple, TypeVar

from ._errors import ContractError, JackfieldError, UsageError
from ._messages import Response
from ._page import Page

T = TypeVar("T")

_EMPTY = 10  # so many pages in a row that hold nothing are a service that counts on without end


class Fetched(NamedTuple, Generic[T]):
    """A page, where it was found, and the position after it; None at the end."""

    page: Page[T]
    at: Any
    after: Any


class Walk(Generic[T]):
    """Goes from page to page.

    Args:
        name: of what the user called.
        token: the text that stands for a position.
        fetch: gives the page at a position; at None, that to begin with.
        max_pages: how many pages are fetched at most.
        counted: whether positions are counted on this side, so that a service may ignore them.
    """

    __slots__ = (
        "_at",
        "_before",
        "_busy",
        "_counted",
        "_done",
        "_empty",
        "_fetch",
        "_max_pages",
        "_name",
        "_pages",
        "_seen",
        "_token",
    )

    def __init__(
        self,
        name: str,
        token: Callable[[Any], str],
        fetch: Callable[[Any], Coroutine[Any, Any, Fetched[T]]],
        max_pages: int,
        *,
        counted: bool = True,
    ) -> None:
        self._name = name
        self._token = token
        self._fetch = fetch
        self._max_pages = max_pages
        self._counted = counted
        self._at: Any = None
        self._pages = 0
        self._seen: set[int] = set()  # hashes of tokens: a service may give long ones
        self._empty = 0
        self._before: _Trace | None = None
        self._busy = False
        self._done = False

    async def step(self) -> Page[T] | None:
        """The next page; None after the last. An error leaves it where it was: step again to try again."""
        if self._done:
            return None
        if self._busy:
            raise UsageError(
                f"the pages of {self._name} are asked for by two at once: give each an iterator of its own"
            )
        self._busy = True
        try:
            page, _, after = await self._next()
        except JackfieldError as error:
            error.add_note(f"this was page {self._pages + 1} of this walk through {self._name}")
            raise
        finally:
            self._busy = False
        self._pages += 1
        self._at = after
        self._done |= after is None  # it may have been closed meanwhile
        return page

    def begin_anew(self) -> None:
        """Nobody steps it any more: in a forked child, who did so stayed with the parent."""
        self._busy = False

    def close(self) -> None:
        """Ends it for good."""
        self._done = True

    async def _next(self) -> Fetched[T]:
        if self._pages >= self._max_pages:
            raise ContractError(
                f"there are still more after {self._max_pages} pages of {self._name}: the service may never end"
            )
        fetched = await self._fetch(self._at)
        following = hash(fetched.page.next)
        if not self._pages:
            self._seen.add(hash(self._token(fetched.at)))
        if following in self._seen:
            raise ContractError(f"{self._name} comes to the same page again and would never end")
        if self._counted:
            self._check_is_another(fetched.page)
        self._seen.add(following)
        return fetched

    def _check_is_another(self, page: Page[T]) -> None:
        self._empty = 0 if page or page.next is None else self._empty + 1
        if self._empty >= _EMPTY:
            raise ContractError(
                f"{self._name} gives {self._empty} empty pages one after the other, and says that there are more"
            )
        trace = _Trace.of(page)
        if self._before is not None and trace.is_again(self._before):
            raise ContractError(
                f"{self._name} gives the same page again: the service ignores which page it is asked for"
            )
        self._before = trace


class _Trace(NamedTuple):
    """What is kept of a page, to know it again; where its answer is kept, one item, as that tells most apart."""

    items: list[Any]
    raw: Any

    @classmethod
    def of(cls, page: Page[Any]) -> _Trace:
        return cls(page[:1] if isinstance(page.raw, Response) else page[:], page.raw)

    def is_again(self, before: _Trace) -> bool:
        """Whether a page is the one before again. Numbers and words may well be the same; records are not."""
        if not self.items or isinstance(self.items[0], str | bytes | int | float | None):
            return False
        try:
            # Their type may leave out what tells them apart.
            return bool(self.items == before.items and _records(self.raw) == _records(before.raw))
        except RecursionError:
            return False  # nested too deeply to be compared


def _records(raw: Any) -> Any:
    """An answer without what may count its pages: numbers and words that stand outside of lists."""
    if isinstance(raw, Response):
        try:
            raw = raw.decode(Any)
        except JackfieldError:
            return raw.body
    if raw.__class__ is dict:
        return {name: _records(value) for name, value in raw.items()}
    return raw if raw.__class__ is list else None
