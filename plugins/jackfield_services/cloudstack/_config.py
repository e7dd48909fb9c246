"""Settings from the environment and from ini files, where users of `cs` have them."""

from __future__ import annotations

import os
import re
import warnings
from typing import Any, NamedTuple

from jackfield import ConfigurationError

from ._arguments import arguments
from ._ini import files, section_of, sections, usual_files
from ._settings import KEYS, Setting, Settings, warn_if_close

_PREFIX = "CLOUDSTACK_"
# What `cs` has no default for; of all else one that `CLOUDSTACK_OVERRIDES` names has it, where no variable is set.
_NEEDED = {"endpoint", "job_timeout", "key", "retry_backoff", "secret"}


class Found(NamedTuple):
    """What is set; `region` is the section of the files that says so, if one does."""

    settings: Settings
    region: str | None


def read_config(ini_group: str | None = None) -> dict[str, Any]:
    """The arguments of a client that are set: `CloudStack(**read_config())`.

    `CLOUDSTACK_ENDPOINT` and its like say it all, where that one is there. Else the files `~/.cloudstack.ini`,
    `./cloudstack.ini` and the one that `CLOUDSTACK_CONFIG` names have the last word, a later one over an earlier one;
    `CLOUDSTACK_OVERRIDES` lists the settings for which the environment has it, be it by leaving them out.

    Args:
        ini_group: the section of the files; `CLOUDSTACK_REGION`, or else "cloudstack", if None.

    Raises:
        ConfigurationError: there is nothing, or something that makes no sense; it says where.
    """
    return arguments(find(ini_group).settings)


def find(ini_group: str | None = None) -> Found:
    """What is set, wherever."""
    environment = _environment()
    overrides = {name.lower() for name in re.findall(r"\w+", os.environ.get("CLOUDSTACK_OVERRIDES", ""))}
    if "endpoint" in environment and not overrides:
        if not {"key", "secret"} & environment.keys() and (unread := files()):
            text = (
                "CLOUDSTACK_ENDPOINT is set, CLOUDSTACK_KEY and CLOUDSTACK_SECRET are not, and where that one is set "
                f"{', '.join(map(str, unread))} is not read: there are no keys"
            )
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        return Found(Settings(environment), None)
    region = ini_group or os.environ.get("CLOUDSTACK_REGION") or "cloudstack"
    there = files()
    section = section_of(there, region)
    in_files = {key: setting for key, setting in (section or {}).items() if key not in overrides - _NEEDED}
    winning = {key: setting for key, setting in environment.items() if key in overrides}
    settings = {**environment, **in_files, **winning}
    if "endpoint" not in settings or (ini_group and section is None):
        where = ", ".join(map(str, there))
        if section is not None:
            missing = f"no `endpoint` in [{region}] of {where}"
        elif there:
            missing = f"no [{region}] in {where}, but {', '.join(sections(there)) or 'nothing'}"
        else:
            missing = "no file of settings"
        raise ConfigurationError(
            f"there is {missing}: write `endpoint`, `key` and `secret` into [{region}] of "
            f"{' or '.join(map(str, usual_files()))}, or set CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET"
        )
    return Found(Settings(settings), None if section is None else region)


def _environment() -> dict[str, Setting]:
    for name in os.environ:
        if name.startswith(_PREFIX):
            warn_if_close(name.removeprefix(_PREFIX).lower(), f"the variable {name}")
    names = {key: f"{_PREFIX}{key.upper()}" for key in sorted(KEYS)}
    values = {key: os.environ.get(name, "").strip() for key, name in names.items()}
    return {key: Setting(value, f"the variable {names[key]}") for key, value in values.items() if value}
