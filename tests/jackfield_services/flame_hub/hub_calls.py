"""Calls of our clients over a transport that writes down what is sent, and answers as a Hub of either generation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from inspect import isawaitable
from typing import Any, NamedTuple, cast
from uuid import UUID

from tests.jackfield_services.flame_hub.hub_models import hub_models, told, vector

from jackfield import Request, Response
from jackfield.testing import FakeTransport, json_response
from jackfield_services import flame_hub
from jackfield_services.flame_hub._model import NEW, OLD, Generation

GENERATIONS: tuple[Generation, Generation] = (OLD, NEW)


class Method(NamedTuple):
    """A published method."""

    generation: Generation
    client: str
    row: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.row["method"])

    @property
    def returns(self) -> str:
        """The model, whatever is around it; "None" for none."""
        if self.name == "send_analysis_command":  # the client of 0.1.1 threw it away
            return "Analysis"
        return str(self.row["returns"]).removeprefix("list[").split("[")[-1].rstrip("]").split("|")[0].strip()

    @property
    def gives_list(self) -> bool:
        return str(self.row["returns"]).startswith(("list[", "ListRes["))

    @property
    def parameters(self) -> list[tuple[str, str | None, str | None]]:
        """Name, type and default of each."""
        return [cast("Any", tuple(parameter)) for parameter in self.row["parameters"]]

    @property
    def ids(self) -> set[str]:
        """The parameters that take a record's id."""
        return {name for name, kind, _ in self.parameters if kind is not None and kind.startswith("Id[")}

    @property
    def named_in_path(self) -> set[str]:
        """The parameters whose values are part of the path."""
        return {name for name, _, _ in self.parameters if f"{{{name}}}" in str(self.row["path"])}

    def __str__(self) -> str:
        return f"{self.generation} {self.client}.{self.name}"


def methods() -> Iterator[Method]:
    """All of the inventory."""
    for generation in GENERATIONS:
        for client, rows in vector("methods")[generation].items():
            yield from (Method(generation, client, row) for row in rows)


def answer_to(method: Method) -> Response:
    """What a Hub of the generation answers where all went well."""
    status = int(str(method.row["status"])[:3]) if str(method.row["status"])[:3].isdigit() else 200
    if method.returns not in hub_models():
        return json_response(None, status)
    record = told(hub_models()[method.returns], method.generation)
    if method.gives_list:
        meta: dict[str, Any] = (
            {"total": 1} if method.generation == OLD else {"total": 1, "limit": 50, "offset": 0, "schema": {}}
        )
        return json_response({"data": [record], "meta": meta}, status)
    flat = method.generation == OLD or method.returns.endswith("Credentials")
    return json_response(record if flat else {"data": record, "meta": {}}, status)


class Sent(NamedTuple):
    """A request as it went out."""

    verb: str
    path: str
    query: dict[str, str]
    body: Any


def sent(request: Request) -> Sent:
    assert isinstance(request.body, bytes)
    body = json.loads(request.body) if request.body else None
    assert (request.headers.get("content-type") == "application/json") == bool(request.body)
    query = dict(request.query)
    assert len(query) == len(request.query), "a parameter went twice"
    return Sent(request.method, request.url.path, query, body)


class Colour(NamedTuple):
    """How clients are made and called: plainly, or awaited."""

    prefix: str

    def client(self, name: str, transport: FakeTransport, **options: Any) -> Any:
        """A client of the Hub, `CoreClient` say."""
        return getattr(flame_hub, self.prefix + name)("https://hub.test", "a-token", transport=transport, **options)

    def get(self, outcome: Any) -> Any:
        """What a call gives."""
        return asyncio.run(_awaited(outcome)) if self.prefix else outcome


SYNC, ASYNC = Colour(""), Colour("Async")
BOTH = (SYNC, ASYNC)


async def _awaited(outcome: Any) -> Any:
    assert isawaitable(outcome)
    return await outcome


def as_uuids(method: Method, given: dict[str, Any]) -> dict[str, Any]:
    """The same, with UUIDs for ids."""
    return {name: UUID(value) if name in method.ids else value for name, value in given.items()}


def as_records(method: Method, given: dict[str, Any]) -> dict[str, Any]:
    """The same, with records for their ids."""
    kinds = {name: str(kind)[3:].split("]")[0] for name, kind, _ in method.parameters if name in method.ids}
    return {name: _record(kinds[name], value) if name in method.ids else value for name, value in given.items()}


def _record(kind: str, id: str) -> Any:
    model: Any = hub_models()[kind]
    required = dict.fromkeys(model.__struct_fields__)
    return model(**required | {"id": UUID(id)})
