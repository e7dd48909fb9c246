"""A folder of one's own, as far as the file store of tokens does not show it already: files that others open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jackfield import ConfigurationError, PrivateFolder


def test_a_file_that_is_looked_at_is_there_or_not(tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path / "own")
    os.close(folder.open("cache", os.O_RDWR | os.O_CREAT))

    assert folder.check("cache")
    assert not folder.check("other")
    assert (folder.path / "cache").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("wrong", ["open to others", "a link", "a folder"])
def test_what_is_no_file_of_this_user_alone_is_refused(tmp_path: Path, wrong: str) -> None:
    folder = PrivateFolder(tmp_path / "own")
    path = folder.path / "cache"
    if wrong == "open to others":
        path.write_bytes(b"")
        path.chmod(0o640)
    elif wrong == "a link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()

    with pytest.raises(ConfigurationError, match="nobody else may read or write it"):
        folder.check("cache")
