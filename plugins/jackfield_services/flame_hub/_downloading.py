"""What the Hub streams: no page for people, under a name of its own, as long as the Hub has said, in pieces."""

from __future__ import annotations

from urllib.parse import quote

from jackfield import Response, Runtime, UsageError
from jackfield_plugins.streaming import in_pieces

from ._reading import is_page, no_page


async def checked(response: Response) -> Response:
    """The answer; raises DecodeError if it is a page for people: a Hub calls no file that."""
    return no_page(await response.settled()) if is_page(response) else response


def named(response: Response, name: str) -> Response:
    """The answer with the name that its file is to have in a folder: the Hub itself gives it none."""
    if "content-disposition" in response.headers:
        return response
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return response.replace(headers=response.headers.replacing("content-disposition", disposition))


def measured(response: Response, size: int | None) -> Response:
    """The answer with the length that the file's record tells, which it is held against: the Hub itself gives none."""
    if size is None or response.status != 200 or "content-length" in response.headers:
        return response
    return response.replace(headers=response.headers.replacing("content-length", str(size)))


def chunked(response: Response, size: int | None, runtime: Runtime) -> Response:
    """The answer with its body in pieces of that many bytes, but the last; None: as they arrive."""
    return response if size is None else in_pieces(response, size, runtime)


def check_chunk_size(size: int | None) -> None:
    """Raises UsageError if it is none."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise UsageError(f"chunk_size is a number of bytes, 1 or more, or None for what comes, not {size!r}")
