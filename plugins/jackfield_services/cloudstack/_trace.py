"""What users of `cs` know as `trace`: every request and answer, on standard error. Nothing secret is in it."""

from __future__ import annotations

import sys

from jackfield import AttemptFailed, Event, Observer, RequestSent, ResponseReceived, hookimpl


class Trace:
    """Prints requests and answers without bodies; of query and headers only what is no secret."""

    name = "trace"

    @hookimpl
    def jackfield_observer(self) -> Observer:
        return _tell


def _tell(event: Event) -> None:
    match event:
        case RequestSent(operation, method, url, attempt, headers):
            lines = [f"{method} {url} ({operation}, attempt {attempt})", *_fields(headers)]
        case ResponseReceived(operation, status, size, elapsed, headers):
            lines = [f"{status} ({operation}, {size} bytes, {elapsed * 1000:.1f} ms)", *_fields(headers)]
        case AttemptFailed(operation, _, error, elapsed):
            lines = [f"{error} ({operation}, {elapsed * 1000:.1f} ms)"]
        case _:
            return
    print(*lines, "", sep="\n", file=sys.stderr)


def _fields(headers: tuple[tuple[str, str], ...]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers]
