"""Which plugins a client has: defaults, what the user names, what the environment names; and what they contribute.

Discovered is not active: an entry point is loaded when its name is asked for, and not before.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

from ._discovery import blamed_if_slow, offers, origin
from ._errors import ConfigurationError, PluginError
from ._events import Observer
from ._manager import Manager
from ._steps import Contribution, Pure, Stage, Step
from ._wiring import CACHE, OPTION_NAMES
from ._without import Without

GROUP = "jackfield"


@runtime_checkable
class Plugin(Protocol):
    """Any object with a name and at least one method marked `@hookimpl`."""

    @property
    def name(self) -> str: ...


class Plugged(NamedTuple):
    """A plugin in one client, with what its hooks gave when they were called: once, and not again for views."""

    plugin: object
    parts: tuple[Contribution, ...]
    observers: tuple[Observer, ...]
    identity: bytes = b""


class PluginSet(NamedTuple):
    """The plugins of one client by name."""

    plugged: dict[str, Plugged]
    observers: tuple[Observer, ...]
    identities: tuple[bytes, ...]

    @classmethod
    def of(cls, plugged: dict[str, Plugged]) -> PluginSet:
        observers = tuple(observer for one in plugged.values() for observer in one.observers)
        return cls(plugged, observers, tuple(one.identity for one in plugged.values() if one.identity))

    @property
    def parts(self) -> list[Contribution]:
        """Every step of every plugin."""
        return [part for one in self.plugged.values() for part in one.parts]

    def changed(self, changes: dict[str, object | None]) -> PluginSet:
        """Another set: a plugin in place of the one of its name, or None to leave that one out."""
        plugged = dict(self.plugged)
        for name, plugin in changes.items():
            if name not in plugged:
                unknown = _unknown(name, {*self.plugged, *OPTION_NAMES, "headers"}, "this client's options and plugins")
                raise ConfigurationError(f"{name}=... is nothing that a view can change: {unknown}")
            if plugin is None:
                del plugged[name]
            elif isinstance(plugin, bool):
                raise ConfigurationError(f"{name}=... takes a plugin, or None to go without, not {plugin}")
            elif _name(plugin) == name:
                plugged[name] = plug(name, plugin)
            else:
                raise ConfigurationError(f"{name}=... takes a plugin of that name, not {_name(plugin)!r}")
        return PluginSet.of(plugged)


def resolve(defaults: Sequence[object], chosen: Iterable[object], cache: object | None = None) -> PluginSet:
    """The defaults, then `JACKFIELD_PLUGINS`, then what the user chose; a later one replaces an earlier of its name.

    Args:
        defaults: of the service.
        chosen: by the user.
        cache: one more that the user chose, which must be named so.

    Raises:
        PluginError: a name is unknown, or a plugin cannot be loaded or offers nothing.
        ConfigurationError: what is left out is not there, or the user chose two of one name.
    """
    given: object = chosen
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ConfigurationError(f"plugins is a list of them: write plugins=[{chosen!r}]")
    chosen = list(chosen)
    if cache is not None:
        if isinstance(cache, str | Without) or _name(cache) != CACHE:
            raise ConfigurationError(f"cache=... takes a plugin of that name, Cache(...) say, not {cache!r}")
        chosen.append(cache)
    _check_chosen_once(chosen)
    plugins: dict[str, object] = {}
    for item in (*defaults, *_of_the_environment(), *chosen):
        if isinstance(item, Without):
            if plugins.pop(item.name, None) is None:
                raise ConfigurationError(_unknown(item.name, plugins, "this client has"))
        elif isinstance(item, str):
            plugins[item] = load(item)
        else:
            plugins[_name(item)] = item
    return PluginSet.of({name: plug(name, plugin) for name, plugin in plugins.items()})


def _check_chosen_once(chosen: Iterable[object]) -> None:
    by_name: dict[str, object] = {}
    for item in chosen:
        if not isinstance(item, Without):
            name = item if isinstance(item, str) else _name(item)
            if name in by_name:
                kinds = " and ".join(type(one).__name__ for one in (by_name[name], item))
                raise ConfigurationError(
                    f"two plugins are named {name!r} ({kinds}), and one would not be used: drop one"
                )
            by_name[name] = item


def _of_the_environment() -> list[str]:
    names = os.environ.get("JACKFIELD_PLUGINS", "").replace(",", " ").split()
    known = {entry.name for entry in offers(GROUP)} if names else set[str]()
    for name in names:
        if name not in known:
            raise PluginError(f"JACKFIELD_PLUGINS: {_unknown(name, known, 'installed are')}")
    return names


def load(name: str) -> object:
    """The plugin that an installed distribution offers under the name.

    Raises:
        PluginError: there is none, several, or it fails to load; the distribution is named.
    """
    found = offers(GROUP)
    named = list({entry.value: entry for entry in found if entry.name == name}.values())
    if not named:
        raise PluginError(_unknown(name, {entry.name for entry in found}, "installed are"))
    if len(named) > 1:
        raise PluginError(f"there are several plugins {name!r}, of {' and '.join(sorted(map(origin, named)))}")
    try:
        with blamed_if_slow(named[0]):
            return named[0].load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"the plugin {name!r} of {origin(named[0])} cannot be loaded: {error!r}") from error


def plug(name: str, plugin: object) -> Plugged:
    """Registers the plugin with a manager of its own, and calls each of its hooks once.

    Raises:
        PluginError: the plugin does not keep to the hooks' rules; it is named.
    """
    manager = Manager()
    try:
        manager.register(plugin, name)
        manager.check_pending()
        if not manager.get_hookcallers(plugin):
            raise TypeError("it offers nothing: mark its functions with @jackfield.hookimpl")
        steps = [_checked(step) for given in manager.hook.jackfield_steps() for step in given]
        observers: list[Observer] = manager.hook.jackfield_observer()
        identity = _identity(steps, manager.hook.jackfield_identity())
    except (Exception, SystemExit) as error:
        raise PluginError(f"the plugin {name!r} cannot be used: {error}") from error
    return Plugged(plugin, tuple(Contribution(name, step) for step in steps), tuple(observers), identity)


def _identity(steps: Iterable[Step | Pure], told: list[object]) -> bytes:
    """Whose credential the plugin bears; nobody else's than this client's where it does not tell."""
    if any(not isinstance(identity, bytes) or not identity for identity in told):
        raise TypeError("jackfield_identity gives bytes that are not empty")
    if told:
        return b"".join(cast("list[bytes]", told))
    return os.urandom(16) if any(step.stage in (Stage.AUTH, Stage.SIGN) for step in steps) else b""


def _checked(step: object) -> Step | Pure:
    if not isinstance(step, Step | Pure):
        raise TypeError(f"jackfield_steps gives a list of Step and Pure, not of {type(step).__name__}")
    if not isinstance(step.stage, Stage):
        raise TypeError(f"the stage of the step {step.name!r} is {step.stage!r}: use a member of Stage")
    if isinstance(step.before, str) or isinstance(step.after, str):
        raise TypeError(f"before and after of the step {step.name!r} are tuples of names")
    return step


def _name(plugin: Any) -> str:
    if isinstance(plugin, Plugin) and isinstance(plugin.name, str) and plugin.name and not isinstance(plugin, type):
        return plugin.name
    raise ConfigurationError(
        f"{plugin!r} is no plugin: give an object with a `name`, the name of an installed one, or Without(...)"
    )


def _unknown(name: str, known: Iterable[str], where: str) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"there is no plugin {name!r}{hint}; {where}: {', '.join(names) or 'none'}"
