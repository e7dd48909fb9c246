"""An entity on its way, over as many requests as that takes: each byte once, in order, and all of one entity."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from jackfield import (
    BodyTooLargeError,
    ByteStream,
    Checksum,
    ConfigurationError,
    ContractError,
    Headers,
    NetworkError,
    PartSource,
    Request,
    Response,
    ServiceError,
    Tap,
    TruncatedBodyError,
)

from ._arrived import Arrived
from ._digests import Digest, digests_of
from ._entity import Entity, is_coded, is_of, names_another
from ._pace import Pace, Resumption
from ._part import Held, Part, length_of, span_of, total_of

_WHOLE = (200, 201, 203)  # not 202, "accepted", nor 204: neither is what was asked for


class Keeper(Protocol):
    """Who gets the bytes.

    Attributes:
        may_begin_again: whether it can do without what it got so far.
    """

    may_begin_again: bool

    async def begin(self, entity: Entity, size: int) -> Held:
        """An entity begins, in place of `size` bytes that came before; gives what there is of it already."""
        ...

    async def recall(self, tap: Tap) -> None:
        """Shows what there is of the entity to the tap."""
        ...


class Transfer:
    """Fetches parts, and holds each against what it must be.

    Args:
        source: where parts come from.
        keeper: who gets them.
        settings: how it goes on after breaks.
        digest: what it must hash to, by the caller's word.
        max_bytes: how long it may be.

    Attributes:
        held: what it is known by.
        size: bytes that there are of it now.
    """

    def __init__(
        self,
        source: PartSource[Part],
        keeper: Keeper,
        settings: Resumption,
        *,
        digest: Digest | None = None,
        max_bytes: int | None = None,
    ) -> None:
        self.held = Held()
        self.size = 0
        self._source = source
        self._keeper = keeper
        self._pace = Pace(settings, source.call)
        self._asserted = frozenset[Digest]() if digest is None else frozenset({digest})
        self._max_bytes = max_bytes
        self._body: ByteStream | None = None
        self._end: int | None = None
        self._begun = self._complete = self._partial = self._repeatable = False
        self._checks: list[Checksum] = []
        self._part_checks: list[Checksum] = []

    def resume(self, held: Held) -> None:
        """Goes on with what there is already."""
        self.held, self.size = held, held.size

    async def advance(self, take: Callable[[ByteStream], Awaitable[int]]) -> bool:
        """Takes what comes next; False at the end, when it is known to be whole and right.

        Args:
            take: takes something from a body, gives `took` each piece, and says how many bytes they were.
        """
        while not self._complete:
            try:
                if self._body is None:
                    await self._open()
                if self._body is not None:
                    if await take(self._body):
                        return True
                    await self._part_ended()
            except NetworkError as error:
                await self._recover(error)
            except BaseException:
                await self.close()
                raise
        return False

    def took(self, piece: bytes | memoryview) -> None:
        """Counts and checks a piece."""
        if not piece:  # to a checksum it would be the end of all
            return
        self.size += len(piece)
        if self._end is not None and self.size > self._end:
            raise ContractError("the service sent more than it said that there is")
        self._check_size(self.size)
        for check in self._checks:
            check(piece)
        for check in self._part_checks:
            check(piece)

    async def close(self) -> None:
        """Gives up what has not come."""
        body, self._body = self._body, None
        if body is not None:
            await body.close()

    async def _open(self) -> None:
        """Has the next part's body, or finds that there is no more."""
        part = Part(self.held._replace(size=self.size), self._source.call.identity)
        response = await self._fetch(part)
        self._body = response.body if not isinstance(response.body, bytes) else Arrived(response.body)
        if (request := part.request) is None:
            raise ConfigurationError(f"{self._source.call.operation} must send `part.of(request)`, not another request")
        self._source.about(request)
        self._repeatable = request.is_idempotent
        self._part_checks = []
        if response.status == 206 and part.start:
            await self._go_on(response.headers)
        elif response.status == 416 and part.start:
            await self._refused(response.headers)
        elif response.status in _WHOLE:
            await self._begin(response.headers, request, part.source)
        elif response.status >= 400:
            raise ServiceError.from_response(await response.settled())
        else:
            raise ContractError(f"the service answered {response.status}, which was not asked for")

    async def _fetch(self, part: Part) -> Response:
        """The answer, where there is one; 416 is one too."""
        try:
            return await self._source.fetch(part)
        except ServiceError as error:
            if error.status == 416 and error.response is not None:
                return error.response
            raise

    async def _begin(self, headers: Headers, request: Request, source: str) -> None:
        """All of an entity comes. If there is some of it already, it is asked for the rest instead."""
        entity = Entity.of(headers, request, source, self._source.call.runtime.now())
        self._check_size(entity.held.total)
        if is_coded(headers) and self._max_bytes is None:  # little on the wire may become very much
            self._max_bytes = self._source.call.options.max_body_size
        self.held = await self._keeper.begin(entity, self.size)
        self.size, self._end = self.held.size, entity.held.total
        self._begun, self._partial = True, False
        await self._expect(entity.digests)
        if self.size:
            await self.close()

    async def _go_on(self, headers: Headers) -> None:
        """The rest of the entity comes, or some of it.

        Raises:
            ContractError: it is not what was asked for.
        """
        span = span_of(headers)
        if is_coded(headers):
            raise ContractError("the service sent a part in a content coding, which was not asked for")
        if span.start != self.size:
            raise ContractError(f"the service sent the part from byte {span.start}, and was asked for {self.size}")
        totals = {total for total in (self.held.total, span.total) if total is not None}
        if len(totals) > 1 or not is_of(headers, self.held.validator):
            raise ContractError("the service sent a part of another entity than the one that was asked for")
        if length_of(headers) not in (None, span.end - span.start):
            raise ContractError("the service sent a part of another length than its Content-Range says")
        self.held = self.held._replace(total=max(totals, default=None))
        self._check_size(self.held.total)
        self._end, self._partial = span.end, True
        self._part_checks = _checksums(digests_of(headers, "content-digest"))
        if not self._begun:  # it was begun by another process
            self._begun = True
            await self._expect(digests_of(headers, "repr-digest"))

    async def _refused(self, headers: Headers) -> None:
        """There is no byte after those that there are: it is whole, or another one has taken its place."""
        await self.close()
        whole = total_of(headers) == self.size and self.held.total in (None, self.size)
        if whole and not names_another(headers, self.held.validator):
            self._check_size(self.size)
            self.held = self.held._replace(total=self.size)
            if not self._begun:
                self._begun = True
                await self._expect(frozenset())
            await self._part_ended()
        else:
            self.held = self.held._replace(validator=None)  # and so it is asked for all of it

    async def _expect(self, digests: frozenset[Digest]) -> None:
        self._checks = _checksums(digests | self._asserted)
        if self.size and self._checks:
            await self._keeper.recall(self._recalled)

    def _recalled(self, piece: bytes) -> None:
        for check in self._checks:
            check(piece)

    async def _part_ended(self) -> None:
        await self.close()
        for check in self._part_checks:
            check(b"")
        # A part that does not say how long the whole is may be followed by others.
        if self._partial if self.held.total is None else self.size < self.held.total:
            raise TruncatedBodyError("the service's answer ended before all of it had come")
        for check in self._checks:
            check(b"")
        self._complete = True

    async def _recover(self, error: NetworkError) -> None:
        """Waits, if it makes sense to go on after this error; else raises it."""
        await self.close()
        lost = self.size > 0 and self.held.validator is None and not self._keeper.may_begin_again
        if error.permanent or lost or not self._repeatable:
            raise error
        await self._pace.rest(error, self.size)

    def _check_size(self, size: int | None) -> None:
        if self._max_bytes is not None and size is not None and size > self._max_bytes:
            raise BodyTooLargeError(f"the answer is longer than max_bytes, {self._max_bytes} bytes")


def _checksums(digests: Iterable[Digest]) -> list[Checksum]:
    return [Checksum(*digest) for digest in digests]
