"""Tokens in files: for processes of one user on one machine, and from one run to the next."""

from __future__ import annotations

import os
import threading
from hashlib import sha256
from importlib.util import find_spec
from typing import Any

from msgspec import Struct

from jackfield import ConfigurationError, DecodeError, PrivateFolder, decoder_of

from ._store import RenewalLock
from ._token import Token

_LIMIT = 1_000_000  # bytes of a file that are read


class _Stored(Struct):
    key: str
    token: dict[str, Any]


class FileTokenStore:
    """Keeps each token in a JSON file of its own, which only this user can read.

    Args:
        folder: `~` is the user's home; made, for this user alone, where it is missing.

    Raises:
        ConfigurationError: the folder cannot be made, belongs to another user, or others can write to it; or this
            system has no `fcntl` (Windows).
    """

    blocks = True

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        if find_spec("fcntl") is None:
            raise ConfigurationError(
                "FileTokenStore needs fcntl, which this system lacks: use MemoryTokenStore, or a TokenStore of your own"
            )
        self._folder = PrivateFolder(folder)

    def load(self, key: str) -> Token | None:
        """The token of this key; None where there is none, or what is there is damaged.

        Raises:
            ConfigurationError: others could have read or written it.
            OSError: the disk does not give it.
        """
        try:
            stored = decoder_of(_Stored).decode(self._folder.read(_name(key), _LIMIT))
            return Token.load(stored.token) if stored.key == key else None
        except (FileNotFoundError, ValueError, RecursionError, DecodeError):
            return None

    def save(self, key: str, token: Token) -> None:
        """Keeps this one in place of what was there: whole, or not at all.

        Raises:
            ConfigurationError: the folder is not this user's alone any more.
            OSError: the disk does not take it.
        """
        from json import dumps  # which escapes a lone surrogate; msgspec's error would show the string that holds it

        self._folder.replace(_name(key), dumps({"key": key, "token": token.dump()}).encode())

    def lock(self, key: str) -> RenewalLock:
        """A lock between processes, and between threads. It is given back when its process dies."""
        return _FileLock(self._folder, f"{_name(key)}.lock")


def _name(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()  # nothing of the key becomes a path


class _FileLock:
    """Serves once: what was released takes nothing any more, whoever is about to acquire it."""

    def __init__(self, folder: PrivateFolder, name: str) -> None:
        self._folder, self._name = folder, name
        self._guard = threading.Lock()
        self._file: int | None = None
        self._released = False

    def acquire(self) -> bool:
        with self._guard:
            if self._file is None and not self._released:
                self._file = self._locked()
            return self._file is not None

    def release(self) -> None:
        from fcntl import LOCK_UN, flock

        with self._guard:
            file, self._file, self._released = self._file, None, True
            if file is not None:
                try:
                    flock(file, LOCK_UN)  # a process forked meanwhile has the file open still
                finally:
                    os.close(file)

    def _locked(self) -> int | None:
        from fcntl import LOCK_EX, LOCK_NB, flock

        file = self._folder.open(self._name, os.O_RDWR | os.O_CREAT)
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BaseException as error:
            os.close(file)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return file
