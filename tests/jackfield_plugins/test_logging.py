"""Logging: a record for each event, structured, and nothing secret in any of them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.made import get, made

from jackfield import Event, Request, Response, Service, operation
from jackfield.testing import FakeTransport, json_response
from jackfield_plugins.auth import Basic
from jackfield_plugins.logging import _KINDS, Logging
from jackfield_plugins.retry import Retry


class Core(Service):
    @operation
    async def thing(self) -> int:
        query = [("page", "1"), ("token", "hunter2")]
        return (
            await self.send(Request("GET", self.url("thing"), query=query, headers={"x-api-key": "hunter2"}))
        ).status


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Any:
    def client(*plugins: object) -> Any:
        answers = [Response(503), json_response({}, headers={"set-cookie": "id=hunter2"})]
        transport = FakeTransport(answers)
        return made(request.param, Core, transport, *plugins, base="https://h.example", visible_query=["page"])

    return client


@pytest.mark.parametrize("plugin", ["logging", Logging()], ids=["by name", "as an object"])
def test_a_call_is_logged_and_shows_no_secret(make: Any, plugin: object, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "jackfield")

    get(make(plugin, Retry(), Basic("ada", "hunter2")).thing())

    records = [record for record in caplog.records if record.name.startswith("jackfield")]
    assert [(record.name, record.levelname) for record in records] == [
        ("jackfield.request", "DEBUG"),
        ("jackfield.response", "DEBUG"),
        ("jackfield.retry", "WARNING"),
        ("jackfield.request", "DEBUG"),
        ("jackfield.response", "DEBUG"),
    ]
    assert records[0].getMessage() == (
        "operation=thing method=GET url=https://h.example/thing?page=1&token=*** attempt=1 "
        "headers='Authorization: ***; user-agent: jackfield; x-api-key: ***'"
    )
    assert records[4].getMessage().startswith("operation=thing status=200 size=2 elapsed=0.000 headers='content-type:")
    shown = caplog.text + "".join(repr(vars(record)) for record in records)
    assert "hunter2" not in shown
    assert "YWRhOmh1bnRlcjI" not in shown  # ada:hunter2 in base64


def test_a_record_holds_its_event_as_a_dictionary(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "jackfield")

    get(make(Logging(), Retry()).thing())

    event: Any = caplog.records[2].__dict__["event"]
    assert (event["operation"], event["attempt"], event["reason"]) == ("thing", 2, "503")


def test_what_is_switched_off_is_not_even_written(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "jackfield")

    get(make(Logging(), Retry()).thing())

    assert [record.name for record in caplog.records] == ["jackfield.retry"]


def test_the_loggers_may_have_another_name(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "acme")

    get(make(Logging("acme.hub")).with_options().thing.request())
    get(make(Logging("acme.hub"), Retry()).thing())

    assert {record.name for record in caplog.records} == {
        f"acme.hub.{kind}" for kind in ("request", "response", "retry")
    }


def test_every_kind_of_event_is_known() -> None:
    assert set(_KINDS) == set(Event.__args__)
