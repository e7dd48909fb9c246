"""A server on a real socket that misbehaves as planned, request by request."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from jackfield import ConfigurationError

from ._faults import Behaviour, HangUp, Reply
from ._peer import Peer
from ._scripted import ScriptedServer

if TYPE_CHECKING:
    from ssl import SSLContext

_OK = Reply()


class FaultServer(ScriptedServer):
    """Listens on a free port of the loopback while its `with` block lasts; each request meets what the plan has next.

    Args:
        behaviours: the plan: `Reply`, `Cut`, `Drip`, `HangUp`, or any function of a `Peer`.
        otherwise: what a request meets when the plan is used up.
        tls: a server's context, for https.

    Attributes:
        url: where it is.
        requests: every request that was read to its end.

    Raises:
        AssertionError: on leaving the block, if a function of yours raised.
    """

    def __init__(self, *behaviours: Behaviour, otherwise: Behaviour = _OK, tls: SSLContext | None = None) -> None:
        self._plan = deque(map(_checked, behaviours))
        self._otherwise = _checked(otherwise)
        super().__init__(tls=tls)
        self._planning = threading.Lock()

    def plan(self, *behaviours: Behaviour) -> None:
        """Adds to the plan."""
        with self._planning:
            self._plan.extend([_checked(behaviour) for behaviour in behaviours])

    def converse(self, peer: Peer) -> None:
        """One connection, request by request. For peers."""
        if (behaviour := self._next(at_once=True)) is not None:
            behaviour(peer)
        elif self._tls is not None:
            peer.secure(self._tls)
        while peer.is_open:
            peer.arrives()
            (self._next() or self._otherwise)(peer)

    def _next(self, *, at_once: bool = False) -> Behaviour | None:
        with self._planning:
            if not self._plan or (at_once and not isinstance(self._plan[0], HangUp)):
                return None
            return self._plan.popleft()


def _checked(behaviour: Behaviour) -> Behaviour:
    if isinstance(behaviour, type) or not callable(behaviour):
        raise ConfigurationError(
            "a behaviour is a `Reply()`, `Cut()` or the like, not its class, or a function of a Peer; of several give "
            f"each: `*storm(2)`; not {behaviour!r}"
        )
    return behaviour
