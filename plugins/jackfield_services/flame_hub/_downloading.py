"""What the Hub streams: under a name of its own, and in pieces of one size for who asks for that."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from jackfield import Response, Runtime, UsageError
from jackfield_plugins.streaming import in_pieces


class _Usual(int):
    """What flame_hub_client has where nothing is said, told from the same number said."""


USUAL: Final = _Usual(1024)


def named(response: Response, name: str) -> Response:
    """The answer with the name that its file is to have in a folder: the Hub itself gives it none."""
    if "content-disposition" in response.headers:
        return response
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return response.replace(headers=response.headers.replacing("content-disposition", disposition))


def chunked(response: Response, size: int | None, runtime: Runtime) -> Response:
    """The answer with its body in pieces of that many bytes, but the last; `USUAL`, None: as they arrive."""
    if size is None or size is USUAL:
        return response
    return in_pieces(response, size, runtime)


def check_chunk_size(size: int | None) -> None:
    """Raises UsageError if it is none."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise UsageError(f"chunk_size is a number of bytes, 1 or more, or None for what comes, not {size!r}")
