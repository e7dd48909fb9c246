"""Where callers want a download: folders, and files that they hold open."""

from __future__ import annotations

from io import TextIOBase
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast

from jackfield import UsageError

from ._errors import BuffyValueError


def checked_folder(given: str | PathLike[str]) -> Path:
    """A folder that is there; raises BuffyValueError for anything else."""
    try:
        folder = Path(given)
        if folder.is_dir():
            return folder
    except (OSError, TypeError, ValueError) as error:
        raise BuffyValueError(f"dir cannot be used: {error}") from None
    raise BuffyValueError(f"there is no folder {folder}: make it first")


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
    """Writes all of it, as a file without a buffer may take a part; raises UsageError where it does not take it."""
    while piece:
        try:
            taken = file.write(piece)
        except (OSError, ValueError) as error:
            raise UsageError(f"the file cannot be written to: {error}") from error
        if not isinstance(taken, int) or taken >= len(piece):
            return
        piece = piece[taken:]
