"""Whether a call can be right, by what the server says of its commands."""

from __future__ import annotations

from collections.abc import Iterable

from ._commands import Command, CommandParameter, Commands, nearest

# What every command takes, and listApis does not name (ParamGenericValidationWorker of the server).
_EVERYWHERE = frozenset(
    {"_", "apikey", "cmdeventtype", "command", "ctxaccountid", "ctxdetails", "ctxstarteventid", "ctxuserid"}
    | {"expires", "httpmethod", "injectedjobid", "page", "pagesize", "response", "sessionkey", "signature"}
    | {"signatureversion", "uuid"}
)
# Answered by the server's front door, which listApis does not describe.
UNLISTED = frozenset(
    {"listapis", "login", "logout", "samlsso", "samlslo", "getspmetadata", "listidps", "listandswitchsamlaccount"}
    | {"oauthlogin", "verifyoauthcodeandgetuser", "forgotpassword", "resetpassword"}
)
_OURS = {
    name: CommandParameter(name)
    for name in ("fetch_list", "fetch_result", "headers", "into", "job_timeout", "poll_interval")
}
_OF_THE_CLIENT = frozenset({"connect_timeout", "max_body_size", "read_timeout", "timeout"})
_OF_A_TAG = frozenset({"key", "value", "customer"})


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
    names = list(names)
    given = {name.partition("[")[0].lower(): name for name in names}
    return _unknown(known, given) or _missing(known, given) or _misshapen(known, names)


def _unknown(command: Command, given: dict[str, str]) -> str | None:
    for key, name in given.items():
        if key not in command.by_lower and key not in _EVERYWHERE:
            if key in _OF_THE_CLIENT:
                return f"{command.name} has no parameter {name!r}: that is with_options({name}=…).{command.name}(…)"
            if key in _OURS:
                return f"this call has no parameter {name!r}: that is of {command.name}(…) and request(…)"
            hint = nearest(key, {**_OURS, **command.by_lower})
            return f"{command.name} has no parameter {name!r}{hint}, or not for your role: CloudStack would ignore it"
    return None


def _misshapen(command: Command, names: Iterable[str]) -> str | None:
    """CloudStack would not look at a map that is given as text, nor at a tag without its key."""
    for name in names:
        key, _, entry = name.partition("[")
        known = command.by_lower.get(key.lower())
        if known is None or known.type != "map":
            continue
        if known.name == "tags" and entry.partition(".")[2].lower() not in _OF_A_TAG:
            return f"{command.name} takes [{{'key': …, 'value': …}}] as 'tags'"
        if not entry:
            return f"{command.name} takes a map, or a list of them, as {known.name!r}"
    return None


def _missing(command: Command, given: dict[str, str]) -> str | None:
    missing = [repr(one.name) for key, one in command.by_lower.items() if one.required and key not in given]
    if not missing:
        return None
    return f"{command.name} needs the parameter{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
