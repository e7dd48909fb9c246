"""What a 401 is about: who asks, or what is asked for."""

from __future__ import annotations

from typing import Any

from jackfield import DecodeError, Response

from ._json import mapping


def refuses_who_asks(response: Response) -> bool:
    """Whether the server does not know who asks: it checks that before all else, so nothing was processed.

    A role that may not run the command is a 401 too, with a `cserrorcode`; signatures and sessions give none.
    """
    if response.status != 401:
        return response.status == 411  # UNAUTHORIZED2FA: the second factor is missing, and the session is gone
    try:
        envelope = response.decode(dict[str, Any])
    except DecodeError:
        return True
    return not any("cserrorcode" in (mapping(inside) or {}) for inside in envelope.values())
