"""Settings in ini files: where they are, and a section of them, each value with the file that it is written in."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from configparser import ConfigParser, Error, InterpolationError, RawConfigParser
from pathlib import Path

from jackfield import ConfigurationError

from ._settings import HEADER, KEYS, Setting


def usual_files() -> list[Path]:
    """Where they are looked for, the later ones over the earlier ones."""
    return [Path("~/.cloudstack.ini").expanduser(), Path.cwd() / "cloudstack.ini"]


def files() -> list[Path]:
    """Those that there are.

    Raises:
        ConfigurationError: the one that `CLOUDSTACK_CONFIG` names is not there.
    """
    there = [path for path in usual_files() if path.exists()]
    named = os.environ.get("CLOUDSTACK_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.exists():
            raise ConfigurationError(f"the variable CLOUDSTACK_CONFIG names the file {named!r}, which is not there")
        there.append(path)
    return there


def section_of(paths: Sequence[Path], section: str) -> dict[str, Setting] | None:
    """What the section says in all of the files together; None where none of them has it.

    Raises:
        ConfigurationError: a file cannot be read, is no ini file, or belongs to somebody else.
    """
    merged, where = ConfigParser(), dict[str, Path]()
    for path in paths:
        text = _read(path)
        alone = RawConfigParser()
        try:
            alone.read_string(text)
            merged.read_string(text)
        except Error as error:  # never its own text: it quotes the line, which may hold the secret
            raise ConfigurationError(f"{path} is no ini file: {type(error).__name__}, line {_line(error)}") from None
        here = {*alone.defaults(), *(alone.options(section) if alone.has_section(section) else ())}
        where |= dict.fromkeys(here, path)
        if "secret" in here:
            _warn_if_open(path)
    return dict(_settings(merged, section, where)) if merged.has_section(section) else None


def _read(path: Path) -> str:
    try:
        # A file that somebody else has put into the current folder could send the key to a server of theirs.
        if os.name == "posix" and path.stat().st_uid not in (0, os.geteuid()):
            raise ConfigurationError(f"{path} belongs to another user, and is not read: remove it, or make it yours")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {type(error).__name__}") from None


def _line(error: Error) -> object:
    several = getattr(error, "errors", None)  # of a ParsingError: numbers and lines
    return several[0][0] if several else getattr(error, "lineno", "?")


def _warn_if_open(path: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        text = f"{path} holds a secret, and others than you may read or change it: `chmod 600 {path}`"
        warnings.warn(text, RuntimeWarning, stacklevel=2)


def _settings(merged: ConfigParser, section: str, where: dict[str, Path]) -> Iterator[tuple[str, Setting]]:
    for key in merged.options(section):
        if key not in KEYS and not key.startswith(HEADER):
            continue
        place = f"{key!r} in [{section}] of {where[key]}"
        try:
            value = merged.get(section, key)
        except InterpolationError:
            raise ConfigurationError(f"{place} has a % in it that stands for nothing: write it as %%") from None
        if value:
            yield key, Setting(value, place)
