"""What goes out of a request, with a plugin that adds something to it: for the schemes that need no answer."""

from __future__ import annotations

from typing import Any

from tests.made import Make as Make
from tests.made import both, makers
from tests.made import get as get

from jackfield import Request, Response, Service, Url, operation
from jackfield.testing import FakeTransport


class Core(Service):
    @operation
    async def send_it(self, /, url: Url | None = None, **given: Any) -> bytes:
        return (await self.send(Request("GET", url or self.url("thing"), **given))).content


sync_client, async_client = makers(Core, base="https://h:8443")
BOTH = both(sync_client, async_client)


def sent(make: Make, plugin: object, url: Url | None = None, **given: Any) -> Request:
    """What goes out of a request like this."""
    transport = FakeTransport(otherwise=Response(200))
    get(make(transport, plugin).send_it(url, **given))
    return transport.requests[0]


OTHERS = ("https://h/thing", "http://h:8443/thing", "https://h.evil.test:8443/thing", "https://sub.h:8443/")

CANARY = "hunter2-canary"
