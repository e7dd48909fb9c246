"""A store of tokens that is broken on purpose: to show that a test can fail."""

from __future__ import annotations

import json
import os
import pickle
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from jackfield_plugins.auth import MemoryTokenStore, Token


class LooseTokenStore(MemoryTokenStore):
    """Writes where it finds a file, as the umask has it, and makes something of whatever it reads there."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        super().__init__()
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> Token | None:
        data = self._path(key).read_bytes()
        with suppress(Exception):
            return Token.load(pickle.loads(data))
        return Token.load(json.loads(data)["token"])

    def save(self, key: str, token: Token) -> None:
        self._path(key).write_text(json.dumps({"key": key, "token": token.dump()}))

    def _path(self, key: str) -> Path:
        return self._folder / sha256(key.encode()).hexdigest()
