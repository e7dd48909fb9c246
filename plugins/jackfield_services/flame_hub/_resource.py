"""Resources: out of what a kind of record is, and where, the operations on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from msgspec import UNSET

from jackfield import Page, PagedDefinition, Request, Url, UsageError, operation

from ._errors import HubNotFoundError, NoMetaError
from ._model import NEW, Body, Record, get_includable_names
from ._paging import HubPages, Looked, PageAt
from ._query import Pairs, asked_pairs, differs, include_pairs, page_of
from ._reading import list_meta, one_meta, read_list, read_nothing, read_one
from ._signatures import FINDING, an, creating, deleting, described, getting, given, taken, updating, words
from ._telling import Bodies, id_of

if TYPE_CHECKING:
    from ._faces import Create, Delete, Find, Get, Update
    from ._service import HubService

N = TypeVar("N", bound=Record)
P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R", bound=Record)
T = TypeVar("T", bound=Record)


class Part(Generic[N, R]):
    """What there is at a record's path, or below it. Each method makes an operation, for the class of a client.

    Args:
        path: of the records' list.
        named: the records, whose ids stand in the path.
        told: what the Hub tells there.
        below: the rest of the path, `registry/credentials` say.
    """

    def __init__(self, path: str, named: type[N], told: type[R], below: str = "") -> None:
        self.path = path
        self._named = named
        self._told = told
        self._below = below.split("/") if below else []
        self._what = words(told.__name__)

    def get(self, parameter: str) -> Get[N, R]:
        """Gets it, or None where it does not exist; `parameter` is what the method calls the record's id."""
        shape = getting(parameter, self._named)

        async def get(hub: HubService, /, *args: Any, **kwargs: Any) -> Any:
            asked = given(shape, hub.call.operation, args, kwargs)
            hub = hub._asked_by(asked.get("auth", UNSET))
            url = self._url(hub, asked[parameter], parameter)
            query = await self._asked(hub, asked)
            try:
                response = await hub.send(Request("GET", url, query=query))
            except HubNotFoundError as error:
                if not error.is_of_record:  # nothing of the Hub is at this path
                    raise
                return None
            record = read_one(response, self._told, hub._speech)
            if not asked.get("meta"):
                return record
            if (meta := one_meta(response)) is None:
                raise NoMetaError(f"{hub.call.operation}: the Hub tells nothing besides the record: leave out meta")
            return record, meta

        doc = f"The {self._what}, or None where there is none: GET {self._shown(parameter)}."
        return operation(described(get, shape, doc))  # type: ignore[return-value]  # of either colour

    @overload
    def update(self, parameter: str, body: Callable[P, Body]) -> Update[N, P, P, R]: ...
    @overload
    def update(self, parameter: str, body: Callable[P, Body], old: Callable[Q, Body]) -> Update[N, P, Q, R]: ...
    def update(self, parameter: str, body: Any, old: Any = None) -> Any:
        """Changes what is given of it, and gives what it is then; `old` is the body for Hubs of 0.1.1."""
        bodies = Bodies(body, old)

        async def update(hub: HubService, /, *args: Any, auth: Any = UNSET, **kwargs: Any) -> Any:
            hub = hub._asked_by(auth)
            id, more = taken(parameter, hub.call.operation, args, kwargs)
            url = self._url(hub, id, parameter)
            told = await bodies.made(hub, more, kwargs)
            return read_one(await hub.send(Request.json("POST", url, told)), self._told, hub._speech)

        doc = f"Changes the {self._what}, in what is given: POST {self._shown(parameter)}."
        return operation(described(update, updating(parameter, self._named, body), doc, old=old))

    def _url(self, hub: HubService, id: object, parameter: str) -> Url:
        return hub.url(self.path, id_of(id, self._named, parameter), *self._below)

    def _shown(self, parameter: str) -> str:
        return "/".join(["", self.path, f"{{{parameter}}}", *self._below])

    async def _asked(self, hub: HubService, asked: Mapping[str, Any]) -> Pairs:
        """The query, as the Hub's generation has it; which is asked for only where that matters."""
        generation = hub.generation
        if generation is None and differs(asked):
            generation = await hub._told_generation()
        return asked_pairs(asked, self._usual, generation or NEW)

    @cached_property
    def _usual(self) -> Pairs:
        """Every record that may be included."""
        return include_pairs(get_includable_names(self._told), NEW)


class Resource(Part[R, R]):
    """A kind of record, and its list at a path. Each method makes an operation, for the class of a client."""

    def __init__(self, path: str, record: type[R]) -> None:
        super().__init__(path, record, record)

    def part(self, below: str, told: type[T]) -> Part[R, T]:
        """What there is below each record's path."""
        return Part(self.path, self._named, told, below)

    def find(self) -> Find[R]:
        """Finds them: a page, or by `.all` every one."""

        async def find(hub: HubService, at: PageAt, /, *args: Any, **kwargs: Any) -> Page[R]:
            asked = given(FINDING, hub.call.operation, args, kwargs)
            hub = hub._asked_by(asked.get("auth", UNSET))
            limit, offset = page_of(asked.get("page"))
            offset = offset if at.offset is None else at.offset
            page = [("page[limit]", str(limit)), ("page[offset]", str(offset))]
            query = page + await self._asked(hub, asked)
            response = await hub.send(Request("GET", hub.url(self.path), query=query))
            records, counts = read_list(response, self._told, hub._speech)
            looked = Looked(offset, min(limit, counts.limit or 0))
            return Page(records, total=counts.total, raw=response, hint=looked)

        doc = f"Every {self._what} that is asked for, 50 at most; `.all(…)` goes on: GET /{self.path}."
        return _Finding(described(find, FINDING, doc, hidden=("self", "at")), HubPages())  # type: ignore[return-value]

    @overload
    def create(self, body: Callable[P, Body]) -> Create[P, P, R]: ...
    @overload
    def create(self, body: Callable[P, Body], old: Callable[Q, Body]) -> Create[P, Q, R]: ...
    def create(self, body: Any, old: Any = None) -> Any:
        """Makes one, and gives it; `old` is the body for Hubs of 0.1.1."""
        bodies = Bodies(body, old)

        async def create(hub: HubService, /, *args: Any, auth: Any = UNSET, **kwargs: Any) -> Any:
            hub = hub._asked_by(auth)
            told = await bodies.made(hub, args, kwargs)
            return read_one(await hub.send(Request.json("POST", hub.url(self.path), told)), self._told, hub._speech)

        doc = f"Makes {an(self._what)}: POST /{self.path}."
        return operation(described(create, creating(body), doc, old=old))

    def delete(self, parameter: str) -> Delete[R]:
        """Deletes one."""
        shape = deleting(parameter, self._named)

        async def delete(hub: HubService, /, *args: Any, **kwargs: Any) -> None:
            asked = given(shape, hub.call.operation, args, kwargs)
            hub = hub._asked_by(asked.get("auth", UNSET))
            # Tried again after an answer that was lost, it would find nothing, and say that there was nothing.
            deletion = Request("DELETE", self._url(hub, asked[parameter], parameter), idempotent=False)
            read_nothing(await hub.send(deletion))

        doc = f"Deletes the {self._what}: DELETE {self._shown(parameter)}."
        return operation(described(delete, shape, doc))  # type: ignore[return-value]  # of either colour


class _Finding(PagedDefinition[..., Any]):
    """With `meta=True`, what the Hub says of the list goes along."""

    async def run(self, client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        page = await super().run(client, args, kwargs)
        return (page, list_meta(page.raw)) if kwargs.get("meta") else page

    def walk(self, client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if kwargs.get("meta"):
            raise UsageError(f"{self.name}: meta is of one page: leave it out; a page's `total` and `raw` have it, too")
        return super().walk(client, args, kwargs)
