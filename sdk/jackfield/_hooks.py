"""Every hook there is, a sentence each. pluggy calls them when a client is made, never per request."""

from __future__ import annotations

from collections.abc import Iterable

from pluggy import HookimplMarker, HookspecMarker

from ._events import Observer
from ._steps import Pure, Step

hookspec = HookspecMarker("jackfield")
hookimpl = HookimplMarker("jackfield")


@hookspec
def jackfield_steps() -> Iterable[Step | Pure]:
    """The steps this plugin puts into the chain of one client; called once for each client."""
    return ()


@hookspec
def jackfield_identity() -> bytes:
    """A digest of the whole credential that this plugin puts on requests, its secret too; random bytes if None."""
    raise NotImplementedError


@hookspec
def jackfield_observer() -> Observer:
    """A function that is told every event of one client; it must be quick, and must not call the client."""
    raise NotImplementedError
