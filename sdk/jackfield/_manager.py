"""pluggy's manager, for our hooks. It looks at every attribute of what it is given: here, once for each class."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TypeVar
from weakref import WeakKeyDictionary

from pluggy import HookimplOpts, HookspecOpts, PluginManager

from . import _hooks

T = TypeVar("T")
_specs: dict[str, HookspecOpts | None] = {}
_impls: WeakKeyDictionary[type, dict[str, HookimplOpts | None]] = WeakKeyDictionary()


class Manager(PluginManager):
    """Knows the hooks, and no plugin yet."""

    def __init__(self) -> None:
        super().__init__("jackfield")
        self.add_hookspecs(_hooks)

    def parse_hookspec_opts(self, module_or_class: ModuleType | type, name: str) -> HookspecOpts | None:
        return _once(_specs, name, lambda: super(Manager, self).parse_hookspec_opts(module_or_class, name))

    def parse_hookimpl_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        found = super().parse_hookimpl_opts
        if isinstance(plugin, ModuleType | type) or name in getattr(plugin, "__dict__", ()):
            return found(plugin, name)
        return _once(_impls.setdefault(type(plugin), {}), name, lambda: found(plugin, name))


def _once(known: dict[str, T], name: str, look: Callable[[], T]) -> T:
    if name not in known:
        known[name] = look()
    return known[name]
