"""What was discovered of an end point, kept in a file, so that another process begins with it."""

from __future__ import annotations

import os
from hashlib import blake2b, scrypt
from hmac import compare_digest
from typing import NamedTuple

from msgspec import DecodeError
from msgspec.msgpack import Decoder, encode

from jackfield import JackfieldError, PrivateFolder

from ._commands import Command, Commands

_VERSION = 2
_LONGEST = 64 * 1024 * 1024  # bytes
_DIGEST = 16


class _Kept(NamedTuple):
    version: int
    salt: bytes
    who: bytes
    at: float
    commands: list[Command]


_decoder = Decoder(_Kept)


class CommandsFile:
    """One file of a private folder: the commands of an end point, as the last who asked may use them.

    It never makes a call fail: what cannot be read is not there, what cannot be written is told once.

    Args:
        folder: made where it is missing; this user's alone.
        end_point: whose commands they are.

    Raises:
        ConfigurationError: it can be no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str], end_point: str) -> None:
        self._folder = PrivateFolder(folder)
        self._name = f"{blake2b(end_point.encode(), digest_size=_DIGEST).hexdigest()}.commands"
        self._warned = False

    def read(self, identity: bytes) -> Commands | None:
        """What these credentials may use, if that is what is in the file."""
        try:
            data = self._folder.read(self._name, _LONGEST)
        except FileNotFoundError:
            return None
        except (OSError, JackfieldError) as error:
            self._warn(error)
            return None
        body = data[_DIGEST:]
        if not compare_digest(data[:_DIGEST], _digest(body)):
            return None  # cut short, or changed
        try:
            kept = _decoder.decode(body)
        except (DecodeError, RecursionError):  # of another version
            return None
        if kept.version != _VERSION or not compare_digest(kept.who, _keyed(identity, kept.salt)):
            return None
        return Commands(kept.commands, kept.at)

    def write(self, identity: bytes, commands: Commands) -> None:
        """Puts them in place of what was there."""
        salt = os.urandom(_DIGEST)
        body = encode(_Kept(_VERSION, salt, _keyed(identity, salt), commands.at, list(commands.values())))
        try:
            self._folder.replace(self._name, _digest(body) + body)
        except (OSError, JackfieldError) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            from logging import getLogger

            getLogger("jackfield").warning("the list of CloudStack's commands is not kept in a file: %s", error)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST).digest()


def _keyed(identity: bytes, salt: bytes) -> bytes:
    # A password may be in an identity: it is not written down, nor in a form that is fast to guess.
    return scrypt(identity, salt=salt, n=2**14, r=8, p=1, dklen=_DIGEST)
