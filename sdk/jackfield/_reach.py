"""From a name to a connected socket, in the time there is: look-ups, and attempts in the manner of RFC 8305."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from selectors import EVENT_WRITE, DefaultSelector
from threading import BoundedSemaphore, Thread
from typing import Any, TypeAlias

Address: TypeAlias = tuple[int, int, int, str, Any]
Choose: TypeAlias = Callable[[Sequence[Address]], Sequence[Address]]

_HEAD_START = 0.25  # seconds until the next address is tried as well (RFC 8305 §5)
_MAX_LOOK_UPS = 32


class LookUps:
    """Looks names up, each in a thread of its own: the system's look-up can neither be interrupted nor told a limit.

    One that hangs costs its caller the time it has, and the process a thread, of which there are so many at most.
    """

    def __init__(self, at_most: int = _MAX_LOOK_UPS) -> None:
        self._slots = BoundedSemaphore(at_most)

    def addresses(self, host: str, port: int, time_left: Callable[[], float]) -> Sequence[Address]:
        """What the name stands for, the best first.

        Raises:
            TimeoutError: there was no answer in time.
            OSError, UnicodeError: as of `socket.getaddrinfo`.
        """
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            pass  # it is a name
        if not self._slots.acquire(timeout=time_left()):
            raise TimeoutError("too many look-ups hang")
        found: Future[Sequence[Address]] = Future()
        try:
            Thread(target=self._look_up, args=(host, port, found), name="jackfield-look-up", daemon=True).start()
        except BaseException:
            self._slots.release()
            raise
        return found.result(time_left())

    def _look_up(self, host: str, port: int, found: Future[Sequence[Address]]) -> None:
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except Exception as error:
            self._slots.release()
            found.set_exception(error)
        else:
            self._slots.release()
            found.set_result(addresses)


_look_ups = LookUps()


def reach(
    host: str,
    port: int,
    options: Iterable[tuple[int, int, int | bytes]],
    time_left: Callable[[], float],
    choose: Choose | None = None,
) -> socket.socket:
    """A connected socket.

    Args:
        host: a name or an IP address.
        port: where to knock.
        options: for `setsockopt`.
        time_left: seconds that may pass from now on; raises when there are none.
        choose: takes those that may be tried out of what the name stands for.
    """
    addresses = _look_ups.addresses(host, port, time_left)
    return first_connected(choose(addresses) if choose else addresses, options, time_left)


def first_connected(
    addresses: Iterable[Address], options: Iterable[tuple[int, int, int | bytes]], time_left: Callable[[], float]
) -> socket.socket:
    """The first that answers. Each has a head start before the next; who fails makes room for the next at once.

    Raises:
        OSError: the last failure, if all failed.
    """
    waiting = deque(addresses)
    failure = OSError("the name has no address")
    with DefaultSelector() as begun:
        try:
            while waiting or begun.get_map():
                if waiting:
                    try:
                        begun.register(_begin(waiting.popleft(), options), EVENT_WRITE)
                    except OSError as error:
                        failure = error
                        time_left()
                        continue
                for key, _ in begun.select(min(time_left(), _HEAD_START) if waiting else time_left()):
                    sock: Any = key.fileobj
                    if not (code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                        begun.unregister(sock)
                        return sock  # type: ignore[no-any-return]  # what was registered
                    begun.unregister(sock)
                    sock.close()
                    failure = OSError(code, os.strerror(code))
        finally:
            for key in begun.get_map().values():
                key.fileobj.close()  # type: ignore[union-attr]  # a socket, as above
    raise failure


def _begin(address: Address, options: Iterable[tuple[int, int, int | bytes]]) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.setblocking(False)
        sock.connect(where)
    except BlockingIOError:
        pass  # it has begun
    except BaseException:
        sock.close()
        raise
    return sock


def _forget_look_ups() -> None:
    global _look_ups
    _look_ups = LookUps()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_look_ups)  # the threads stayed with the parent
