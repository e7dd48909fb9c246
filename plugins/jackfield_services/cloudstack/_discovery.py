"""Discovery: what an end point says of its commands (`listApis`), asked for once, and calls held against it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeAlias

from jackfield import ConfigurationError, Flights, JackfieldError, UsageError

if TYPE_CHECKING:
    from ._base import CloudStackBase
    from ._commands import Command, Commands
    from ._commands_file import CommandsFile

Place: TypeAlias = "str | os.PathLike[str] | bool | None"

_FRESH = 300.0  # seconds
_KEPT = 16  # end points and credentials

# By end point and by who asks, for every client of this process; and who is asking.
_known: dict[tuple[str, bytes], Commands] = {}
_flights = Flights()


class Discovery:
    """One client's, and its views', part in what is known.

    Nobody asks the server before somebody calls `commands`; from then on calls are checked. A call that seems wrong by
    a list that is older than five minutes has the list asked for again first: servers are upgraded, roles change.

    Args:
        end_point: of the client.
        place: a folder, in which the list is kept for other processes; False: no call is checked.

    Raises:
        ConfigurationError: it can be no such folder.
    """

    def __init__(self, end_point: str, place: Place = None) -> None:
        self._end_point = end_point
        self._checks = place is not False
        self._file: CommandsFile | None = None
        self._looked_for = set[bytes]()
        self._seen: Commands | None = None
        if place is None or place is False:
            return
        if isinstance(place, bool):
            raise ConfigurationError("discovery is a folder for the list of commands, or False: not True")
        from ._commands_file import CommandsFile

        self._file = CommandsFile(place, end_point)

    async def commands(self, service: CloudStackBase, *, refresh: bool = False) -> Commands:
        """Every command that the service's credentials may use.

        Args:
            service: as a body of an operation sees it.
            refresh: ask the server, whatever is known.
        """
        known = None if refresh else await self._remembered(service)
        return known or await self._asked(service)

    async def checked(self, service: CloudStackBase, command: str, names: Iterable[str]) -> Command | None:
        """The command; None where nothing is known of it.

        Args:
            service: as a body of an operation sees it.
            command: its name.
            names: of the parameters as they are sent.

        Raises:
            UsageError: there is no such command or parameter, or a parameter is missing.
        """
        if not self._checks or (known := await self._remembered(service)) is None:
            return None
        from ._checking import complaint

        wrong = complaint(known, command, names)
        if wrong and not service.call.dry and not 0 <= service.runtime.now() - known.at < _FRESH:
            try:
                known = await self._asked(service)
            except JackfieldError:
                return None  # who cannot ask cannot know: the call itself will tell
            wrong = complaint(known, command, names)
        if wrong:
            raise UsageError(wrong)
        return known.get(command)

    def function(self, request: Callable[..., Any], command: str) -> Callable[..., Any]:
        """The command as a function, about which `help` tells what is known."""

        def run(*arguments: Any, **parameters: Any) -> Any:
            """A command of CloudStack. Once `commands()` was called, this tells what it takes and gives."""
            if arguments:
                raise TypeError(f"{command}() takes parameters by name: {command}(name=…)")
            # In CloudStackAIO a caller's own `command` wins.
            answer = request(parameters.pop("command", command), **parameters)
            if issubclass(type(answer), CoroutineType):  # Python warns by its name, if nobody awaits it
                answer.__name__ = answer.__qualname__ = command
            return answer

        known = self.known(command)
        if known is not None:
            from ._help import described

            return described(run, known)
        run.__name__ = run.__qualname__ = command
        return run

    def known(self, command: str) -> Command | None:
        """What was last known of a command."""
        return self._seen.get(command) if self._seen else None

    def names(self) -> list[str]:
        """Of the commands that are known."""
        return list(self._seen or ())

    async def _remembered(self, service: CloudStackBase) -> Commands | None:
        identity = service.call.identity
        known = _known.get((self._end_point, identity))
        if known is None and self._file is not None and identity not in self._looked_for:
            self._looked_for.add(identity)
            known = await service.runtime.offload(partial(self._file.read, identity))
            if known is not None:
                self._remember(identity, known)
        self._seen = known or self._seen
        return known

    async def _asked(self, service: CloudStackBase) -> Commands:
        call = service.call
        key = (self._end_point, call.identity)
        try:
            commands = await _flights.join(
                service.runtime, key, partial(self._ask, service), call.remaining(), apart=True
            )
        except TimeoutError:
            raise call.overdue() from None
        self._seen = commands
        return commands

    async def _ask(self, service: CloudStackBase) -> Commands:
        from ._commands import commands_of

        identity = service.call.identity
        commands = commands_of(await service.execute("listApis"), service.runtime.now())
        self._remember(identity, commands)
        if self._file is not None:
            await service.runtime.offload(partial(self._file.write, identity, commands))
        return commands

    def _remember(self, identity: bytes, commands: Commands) -> None:
        _known[self._end_point, identity] = commands
        for oldest in list(_known)[:-_KEPT]:
            _known.pop(oldest, None)
