"""What came of an order: read, verified, and put into files."""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from jackfield import (
    BodyTooLargeError,
    Meter,
    ProgressCallback,
    Request,
    ServiceError,
    operation,
    streamed,
)
from jackfield import Response as HttpResponse
from jackfield_plugins.streaming import Download, Part, in_pieces

from ._checks import check_count, told_hash
from ._content import Expected, verified
from ._errors import BuffyIntegrityError, BuffyServerError, BuffyValueError
from ._local import attributes_of, origin_request
from ._models import Response, ResponseContentAttributes
from ._names import name_of
from ._order import Order
from ._sink import checked_file, checked_folder, write
from ._versions import Versions


class Reading(Versions):
    """What one does with what came of an order."""

    @streamed(Download())
    async def content(self, part: Part, order: Order, chunk_size: int | None = None) -> HttpResponse:
        """What was ordered: of the server, and verified, or of its origin.

        Args:
            part: which part.
            order: the request.
            chunk_size: bytes of each piece but the last; None: as they come.
        """
        if chunk_size is not None:
            check_count("chunk_size", chunk_size, least=1)
        await self._placed(order)
        if order.is_local:
            answer = await _good(await self.send(part.of(origin_request(order.asked)), stream=True))
        else:
            answer = await self._kept_content(part, order)
        return answer if chunk_size is None else in_pieces(answer, chunk_size, self.runtime)

    async def _kept_content(self, part: Part, order: Order) -> HttpResponse:
        version = _verifiable(await self.completed(order))
        answer = await self._content_of(part, order, version)
        if answer.status in (404, 500):  # it was there a moment ago: cleaned up, or the server was started again
            await answer.settled()
            order.change()
            version = _verifiable(await self.completed(order))
            answer = await self._content_of(part, order, version)
        if answer.status != 200:
            raise BuffyServerError.of(await answer.settled())
        kind = told_hash(order.known().validation_hash_type)
        ask = partial(self._hash_now, order, version)
        return verified(answer, Expected(version.version, kind, version.content_hash_hex or "", ask), self.runtime)

    async def _hash_now(self, order: Order, version: Response) -> str | None:
        """What a version hashes to now; where that is something else, what is served is chosen anew."""
        found = await self.get_response(order.known().id, version.version)
        now = None if found is None else found.content_hash_hex
        if now != version.content_hash_hex:
            order.change()
        return now

    async def _content_of(self, part: Part, order: Order, version: Response) -> HttpResponse:
        url = self.url("request", order.known().id, "response", "v", version.version, "content")
        return await self.send(part.of(Request("GET", url)), stream=True)

    @operation(bounded=False)
    async def file_name(self, order: Order, fallback_filename: str | None = "download") -> str | None:
        """What the download is to be called: by its origin, made harmless; the fallback where it does not say."""
        await self._placed(order)
        told = await (self._told_by_origin(order) if order.is_local else self._told(order))
        return name_of(told, order.asked.url, fallback_filename)

    async def _told(self, order: Order) -> ResponseContentAttributes | None:
        return (await self.completed(order)).content_attributes

    async def _told_by_origin(self, order: Order) -> ResponseContentAttributes | None:
        """Asked for what it would send; not by what may change something there."""
        if order.asked.http_method != "get":
            return None
        answer = await _good(await self.send(origin_request(order.asked), stream=True))
        if not isinstance(answer.body, bytes):
            await answer.body.close()
        return attributes_of(answer.headers)

    @operation(bounded=False)
    async def save(
        self,
        order: Order,
        target: str | PathLike[str] | BinaryIO | None = None,
        dir: str | PathLike[str] | None = None,
        *,
        max_bytes: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> Any:
        """Puts the content into a file: what is there stays until the new one is whole, and what was cached.

        Args:
            order: the request.
            target: a path; or an open binary file, which is left open, and may hold a part of it after an error.
            dir: a folder, in place of a target: the origin names the file, as `get_filename` says.
            max_bytes: more is refused.
            progress: is told the bytes so far, the bytes in all or None, and bytes per second.

        Returns:
            The path; or the file that was given.

        Raises:
            BuffyValueError: there is not one of the two.
            BuffyIntegrityError: it is not what was cached.
            UsageError: the path, or the file, cannot be written to.
        """
        if (target is None) == (dir is None):
            raise BuffyValueError("give target, or dir" if dir is None else "Use target or dir as filesink not both")
        if dir is not None:
            folder = await self.runtime.offload(partial(checked_folder, dir))
            target = Path(folder, await self.file_name(order) or "download")
        if isinstance(target, str | PathLike):
            return await self.content(order).to(target, overwrite=True, max_bytes=max_bytes, progress=progress)
        return await self._pour(order, checked_file(target), max_bytes, progress)

    async def _pour(
        self, order: Order, file: BinaryIO, max_bytes: int | None, progress: ProgressCallback | None
    ) -> BinaryIO:
        """Into a file that is the caller's."""
        meter = Meter(progress or _nobody)
        async with self.content(order).tap(meter) as stream:
            async for piece in stream:
                if max_bytes is not None and meter.received > max_bytes:
                    raise BodyTooLargeError(f"the content is longer than max_bytes, {max_bytes}")
                await self.runtime.offload(partial(write, file, piece))
        return file


def _verifiable(version: Response) -> Response:
    """The same; raises BuffyIntegrityError where the server does not say what its content hashes to."""
    if not version.content_hash_hex:
        raise BuffyIntegrityError(f"version {version.version} cannot be verified: the server tells no hash")
    return version


def _nobody(received: int, total: int | None, rate: float) -> None:
    """Told by who has nobody to tell."""


async def _good(answer: HttpResponse) -> HttpResponse:
    """The origin's answer; raises ServiceError where it says no."""
    if answer.status < 400:
        return answer
    raise ServiceError.from_response(await answer.settled())
