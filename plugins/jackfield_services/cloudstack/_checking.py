"""Whether a call can be right, by what the server says of its commands."""

from __future__ import annotations

from collections.abc import Iterable

from ._commands import Command, Commands, nearest

# What every command takes, and listApis does not name (ParamGenericValidationWorker of the server).
_EVERYWHERE = frozenset(
    {"_", "apikey", "cmdeventtype", "command", "ctxaccountid", "ctxdetails", "ctxstarteventid", "ctxuserid"}
    | {"expires", "httpmethod", "injectedjobid", "page", "pagesize", "response", "sessionkey", "signature"}
    | {"signatureversion", "uuid"}
)
# Answered by the server's front door, which listApis does not describe.
UNLISTED = frozenset({"listapis", "login", "logout"})


def complaint(commands: Commands, command: str, names: Iterable[str]) -> str | None:
    """What is wrong with a call, for a person; None where nothing is known to be.

    Args:
        commands: what there is.
        command: its name, in whatever case.
        names: of the parameters as they are sent, `tags[0].key` say, in whatever case.
    """
    if command.lower() in UNLISTED:
        return None
    known = commands.get(command)
    if known is None:
        return (
            f"this CloudStack lists no command {command!r} for these credentials"
            f"{nearest(command, commands.by_lower)}: it has no such command, or your role may not use it"
        )
    given = {name.partition("[")[0].lower(): name for name in names}
    return _unknown(known, given) or _missing(known, given)


def _unknown(command: Command, given: dict[str, str]) -> str | None:
    for key, name in given.items():
        if key not in command.by_lower and key not in _EVERYWHERE:
            hint = nearest(key, command.by_lower)
            return f"{command.name} has no parameter {name!r}{hint}, or not for your role: CloudStack would ignore it"
    return None


def _missing(command: Command, given: dict[str, str]) -> str | None:
    missing = [repr(one.name) for key, one in command.by_lower.items() if one.required and key not in given]
    if not missing:
        return None
    return f"{command.name} needs the parameter{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
