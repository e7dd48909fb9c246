"""A folder of files that are this user's alone. What anybody else could have read or written is refused."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._errors import ConfigurationError

_REFUSED = (errno.ELOOP, errno.EACCES, errno.EISDIR, errno.ENXIO)  # a link, another user's, a folder, a socket


class PrivateFolder:
    """Each method opens the folder, looks at what it has opened, and works in that, wherever the path leads later.

    Args:
        folder: made, with those above it, where it is missing: 0700.

    Attributes:
        path: the folder's, absolute.

    Raises:
        ConfigurationError: it cannot be made, belongs to another user, or others can write to it; from the methods
            also for a file that is not this user's alone.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            if not os.fspath(folder):
                raise ValueError("it has no name")
            self.path = Path(folder).expanduser().absolute()
            with self._opened():
                pass
        except (TypeError, ValueError, RuntimeError, OSError) as error:
            raise ConfigurationError(f"{folder!r} cannot be a folder of files: {error}; name another") from error

    def read(self, name: str, limit: int) -> bytes:
        """The first bytes of a file, so many at most."""
        file = self.open(name, os.O_RDONLY)
        try:
            return os.read(file, limit)
        finally:
            os.close(file)

    def replace(self, name: str, data: bytes) -> None:
        """Puts a new file in place of what was there: whole, or not at all."""
        temporary = f"{name}.{os.urandom(8).hex()}.tmp"
        with self._opened() as folder:
            try:
                self._write(temporary, data, folder)
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException as error:
                if not isinstance(error, FileExistsError):  # it would be somebody else's
                    with suppress(OSError):
                        os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)  # the new name, too, outlives a power cut

    def check(self, name: str) -> bool:
        """Whether there is such a file; it is looked at and not opened, for libraries that open it by its path."""
        with self._opened() as folder:
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return self._checked(name, found)

    def open(self, name: str, flags: int) -> int:
        """The descriptor of a file; one that is made is 0600 from the start."""
        with self._opened() as folder:
            return self._file(name, flags, folder)

    def _write(self, name: str, data: bytes, folder: int) -> None:
        file = self._file(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, folder)
        try:
            while data:
                data = data[os.write(file, data) :]
            os.fsync(file)
        finally:
            os.close(file)

    def _file(self, name: str, flags: int, folder: int) -> int:
        try:  # O_NONBLOCK: nobody waits for the other end of a pipe
            file = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=folder)
        except OSError as error:
            if error.errno in _REFUSED and _exists(name, folder):  # else it is the folder that takes nothing new
                raise self._refusal(name) from error
            raise
        try:
            self._checked(name, os.fstat(file))
        except BaseException:
            os.close(file)
            raise
        return file

    def _checked(self, name: str, found: os.stat_result) -> bool:
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            return True
        raise self._refusal(name)

    def _refusal(self, name: str) -> ConfigurationError:
        path = self.path / name
        return ConfigurationError(
            f"{path} must be a regular file of the user who runs this, and nobody else may read or write it: "
            f"`chmod 600 {path}` if you trust what is in it, or else remove it"
        )

    @contextmanager
    def _opened(self) -> Generator[int, None, None]:
        for each in (*reversed(self.path.parents), self.path):
            if not each.exists():
                each.mkdir(0o700, exist_ok=True)  # not `parents=True`: what lies above would be open to all
        try:
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except PermissionError as error:
            raise self._unsafe() from error
        try:
            found = os.fstat(folder)
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise self._unsafe()
            yield folder
        finally:
            os.close(folder)

    def _unsafe(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self.path} must belong to the user who runs this, and nobody else may write to it: "
            f"`chmod 700 {self.path}`, `chown` it, or name another folder"
        )


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True
