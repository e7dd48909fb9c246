"""Where a file is to go: looked at before anything is sent, and taken only when all of it is there."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from jackfield import UsageError


@contextmanager
def written() -> Generator[None]:
    """What the system refuses is told as one kind of error, whatever it was about."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise UsageError(f"the file cannot be written: {error}") from error


class Target(NamedTuple):
    """A path to write to.

    Attributes:
        folder: that is there.
        name: of the file in it; None: the service names it.
        overwrite: whether a file of that name is replaced.
    """

    folder: Path
    name: str | None
    overwrite: bool

    @classmethod
    def of(cls, path: str | os.PathLike[str], *, overwrite: bool) -> Target:
        """What the caller means.

        Raises:
            UsageError: it is no place for a file.
        """
        if not isinstance(path, str | os.PathLike) or not os.fspath(path):
            raise UsageError("the path of the file, or of a folder for it, is a string or a Path")
        with written():
            whole = Path(path).absolute()
            if whole.is_dir():
                if overwrite:
                    raise UsageError("the service would choose which file is replaced: give the file's path")
                return cls(_writable(whole), None, overwrite)
            if not whole.parent.is_dir() or os.fspath(path).endswith(os.sep):
                missing = whole if os.fspath(path).endswith(os.sep) else whole.parent
                raise UsageError(f"there is no folder {missing}: make it first")
            return cls(_writable(whole.parent), None, overwrite).named(whole.name)

    def named(self, name: str) -> Target:
        """This, with the file's name, if it may be written.

        Raises:
            UsageError: something is there that is not to be replaced.
        """
        path = self.folder / name
        with written():
            try:
                found = os.lstat(path).st_mode
            except FileNotFoundError:
                return self._replace(name=name)
        if not self.overwrite:
            raise UsageError(f"{path} is there already: say overwrite=True to replace it")
        if not stat.S_ISREG(found) and not stat.S_ISLNK(found):  # a link is replaced, and not followed
            raise UsageError(f"{path} is no file, and is not replaced by one")
        return self._replace(name=name)

    @property
    def path(self) -> Path:
        """Of the file."""
        assert self.name is not None
        return self.folder / self.name

    @property
    def mode(self) -> int | None:
        """Who may do what with the file that is to be replaced; None where there is none."""
        try:
            found = os.lstat(self.path).st_mode
        except FileNotFoundError:
            return None
        return stat.S_IMODE(found) if self.overwrite and stat.S_ISREG(found) else None

    def take(self, path: Path) -> None:
        """Gives a finished file of the same folder its name: at once, and only now."""
        if self.overwrite:
            os.replace(path, self.path)
        else:
            _move(path, self.path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, outlives a power cut
        finally:
            os.close(folder)


def _writable(folder: Path) -> Path:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"nothing can be written into the folder {folder}")
    return folder


def _move(path: Path, target: Path) -> None:
    """As `rename`, but never in place of another file."""
    try:
        os.link(path, target, follow_symlinks=False)
    except FileExistsError:
        raise UsageError(f"{target} has come to be there meanwhile: say overwrite=True to replace it") from None
    except OSError:  # there are no hard links here
        if os.path.lexists(target):
            raise
        os.rename(path, target)
    else:
        os.unlink(path)
