"""From a name to a connected socket, in the time there is, in the manner of RFC 8305."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import TypeAlias, cast

from ._alarm import Alarm
from ._look_up import Address, look_up

Choose: TypeAlias = Callable[[Sequence[Address]], Sequence[Address]]

_HEAD_START = 0.25  # seconds until the next address is tried as well (RFC 8305 §5)


def reach(
    host: str,
    port: int,
    options: Iterable[tuple[int, int, int | bytes]],
    time_left: Callable[[], float],
    alarm: Alarm,
    choose: Choose | None = None,
) -> socket.socket:
    """A connected socket.

    Args:
        host: a name or an IP address.
        port: where to knock.
        options: for `setsockopt`.
        time_left: seconds that may pass from now on; raises when there are none, or when the alarm was cut.
        alarm: cutting it ends this.
        choose: takes those that may be tried out of what the name stands for.
    """
    addresses = look_up(host, port, time_left, alarm)
    return _first_connected(choose(addresses) if choose else addresses, options, time_left, alarm)


def _first_connected(
    addresses: Iterable[Address],
    options: Iterable[tuple[int, int, int | bytes]],
    time_left: Callable[[], float],
    alarm: Alarm,
) -> socket.socket:
    """The first that answers. Each has a head start before the next; who fails makes room for the next at once.

    Raises:
        OSError: the last failure, if all failed.
    """
    waiting = deque(addresses)
    begun: list[socket.socket] = []
    failure = OSError("the name has no address")
    with DefaultSelector() as selector:
        selector.register(alarm.ear, EVENT_READ)
        try:
            while waiting or begun:
                if waiting:
                    try:
                        begun.append(_begin(waiting.popleft(), options))
                        selector.register(begun[-1], EVENT_WRITE)
                    except OSError as error:
                        failure = error
                        time_left()
                        continue
                for key, _ in selector.select(min(time_left(), _HEAD_START) if waiting else time_left()):
                    if key.fileobj is alarm.ear:
                        alarm.silence()
                        continue
                    begun.remove(sock := cast("socket.socket", key.fileobj))
                    selector.unregister(sock)
                    if not (code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                        return sock
                    sock.close()
                    failure = OSError(code, os.strerror(code))
        finally:
            for sock in begun:
                sock.close()
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
