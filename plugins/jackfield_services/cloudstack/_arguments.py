"""The arguments of a client that settings by the names of `cs` come to."""

from __future__ import annotations

from typing import Any

from jackfield import Without

from ._settings import Settings

_USUAL_TIME = 60.0  # seconds for a command, beyond what its attempts and waits may take
_USUAL_WAIT, _SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 0.001, 30.0  # seconds between two attempts


def arguments(settings: Settings) -> dict[str, Any]:
    """The arguments of a client: those that are set.

    Raises:
        ConfigurationError: a value makes no sense.
    """
    expires = settings.expiration()
    given: dict[str, Any] = {
        "end_point": settings.text("endpoint"),
        "api_key": settings.text("key"),
        "api_secret": settings.secret(),
        "method": settings.method(),
        "async_poll_latency": settings.seconds("poll_interval", zero=True),
        "job_timeout": settings.seconds("job_timeout", zero=True) or None,
        "expires": expires if settings.text("key") else None,
        "headers": settings.headers() or None,
        "cert": settings.cert(),
        "plugins": _plugins(settings) or None,
        **_times(settings),
    }
    if (verify := settings.verify()) is not True:
        given["verify"] = verify
    return {name: value for name, value in given.items() if value is not None}


def _times(settings: Settings) -> dict[str, Any]:
    """The timeout of `cs` is for connecting, and for each silence; a command as a whole must end, too."""
    timeout = settings.seconds("timeout")
    if timeout is None:
        return {}
    attempts = 1 + (settings.whole("retry") or 0)
    whole = _USUAL_TIME + attempts * (2 * timeout + _LONGEST_WAIT) - _LONGEST_WAIT
    return {"connect_timeout": timeout, "read_timeout": timeout, "timeout": whole}


def _plugins(settings: Settings) -> list[object]:
    plugins: list[object] = []
    retry, backoff = settings.whole("retry"), settings.seconds("retry_backoff", zero=True)
    if retry:
        from jackfield_plugins.retry import Retry

        base = _USUAL_WAIT if backoff is None else min(max(backoff, _SHORTEST_WAIT), _LONGEST_WAIT)
        plugins.append(Retry(max_attempts=retry + 1, base=base, cap=_LONGEST_WAIT))
    elif retry == 0:
        plugins.append(Without("retry"))
    if settings.flag("trace"):
        from ._trace import Trace

        plugins.append(Trace())
    return plugins
