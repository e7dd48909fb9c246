"""Settings in ini files: where they are, and a section of them, each value with the file that it is written in."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from configparser import (
    ConfigParser,
    DuplicateOptionError,
    DuplicateSectionError,
    Error,
    InterpolationError,
    MissingSectionHeaderError,
    RawConfigParser,
)
from pathlib import Path

from jackfield import ConfigurationError

from ._settings import HEADER, KEYS, Setting, warn_if_close

_OURS = {"end_point": "endpoint", "api_key": "key", "api_secret": "secret"}  # of the constructors, not of files
_ENCODING = "utf-8-sig"  # some editors begin a file with a mark
_WRONG: dict[type[Error], str] = {
    MissingSectionHeaderError: "no [section] stands before it",
    DuplicateOptionError: "its name stands there already",
    DuplicateSectionError: "its section stands there already",
}


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
            raise ConfigurationError(f"{path} is no ini file: line {_line(error)}: {_wrong(error)}") from None
        here = {*alone.defaults(), *(alone.options(section) if alone.has_section(section) else ())}
        where |= dict.fromkeys(here, path)
        if "secret" in here:
            _warn_if_open(path)
    return dict(_settings(merged, section, where)) if merged.has_section(section) else None


def sections(paths: Sequence[Path]) -> list[str]:
    """The names of the sections that files have which can be read."""
    merged = RawConfigParser()
    merged.read(paths, encoding=_ENCODING)
    return [f"[{name}]" for name in merged.sections()]


def _read(path: Path) -> str:
    try:
        # A file that somebody else has put into the current folder could send the key to a server of theirs.
        if os.name == "posix" and path.stat().st_uid not in (0, os.geteuid()):
            raise ConfigurationError(f"{path} belongs to another user, and is not read: remove it, or make it yours")
        return path.read_text(encoding=_ENCODING)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {type(error).__name__}") from None


def _wrong(error: Error) -> str:
    return _WRONG.get(type(error), "it is no `name = value`")


def _line(error: Error) -> object:
    several = getattr(error, "errors", None)  # of a ParsingError: numbers and lines
    return several[0][0] if several else getattr(error, "lineno", "?")


def _warn_if_open(path: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        text = f"{path} holds a secret, and others than you may read or change it: `chmod 600 {path}`"
        warnings.warn(text, RuntimeWarning, stacklevel=2)


def _settings(merged: ConfigParser, section: str, where: dict[str, Path]) -> Iterator[tuple[str, Setting]]:
    there = merged.options(section)
    for key in there:
        word = key.split()[0]  # of `secret abc:…` all the rest is the secret
        place = f"{word!r} in [{section}] of {where[key]}"
        if word != key and word in KEYS:
            raise ConfigurationError(f"{place} has no = behind it")
        if _OURS.get(key, key) not in there:
            raise ConfigurationError(f"{place} is no setting: in files its name is {_OURS[key]!r}")
        if key not in KEYS and not key.startswith(HEADER):
            if key not in _OURS:
                warn_if_close(key, place)
            continue
        try:
            value = merged.get(section, key)
        except InterpolationError:
            raise ConfigurationError(f"{place} has a % in it that stands for nothing: write it as %%") from None
        if key in KEYS and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            raise ConfigurationError(f"{place} is in quotes, which would be part of it: write it without")
        if value:
            yield key, Setting(value, place)
