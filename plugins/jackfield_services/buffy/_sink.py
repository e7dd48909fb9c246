"""Files that callers hold open: which can take a download, and how they get it."""

from __future__ import annotations

from io import TextIOBase
from typing import BinaryIO, cast

from ._errors import BuffyValueError


def checked_file(target: object) -> BinaryIO:
    """An open file that takes bytes; raises BuffyValueError for anything else."""
    writes = callable(getattr(target, "write", None))
    # What `tempfile` gives is of no kind of io's, and has what it is about.
    if not writes or isinstance(target, TextIOBase) or getattr(target, "encoding", None) is not None:
        raise BuffyValueError(f"target is a path, or a file open for bytes ('wb'), not {type(target).__name__}")
    file = cast("BinaryIO", target)
    if getattr(file, "closed", False) or not getattr(file, "writable", lambda: True)():
        raise BuffyValueError("target is a file that is open for writing, and this one is not")
    return file


def write(file: BinaryIO, piece: bytes) -> None:
    """Writes all of it: a file without a buffer may take a part."""
    while piece:
        taken = file.write(piece)
        if not isinstance(taken, int) or taken >= len(piece):
            return
        piece = piece[taken:]
