"""Models: typed resources that tolerate what the service adds, with the dumps that users know."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import DecodeError, Model, Response


class Disk(Model):
    size: int
    label: str = "data"


class Node(Model):
    name: str = ""
    id: int  # a required field may follow one with a default: fields are given by name
    disks: list[Disk] = []  # noqa: RUF012 - msgspec gives each its own
    created: datetime | None = None
    zone_id: str | None = msgspec.field(name="zoneId", default=None)


class Machine(Node):
    cores: int


def decoded(text: str) -> Node:
    return Response(200, body=text.encode()).decode(Node)


def test_a_model_is_made_by_names_only() -> None:
    assert Node(id=7).id == 7
    positional: Any = Node
    with pytest.raises(TypeError):
        positional("a", 7)
    missing: Any = Node
    with pytest.raises(TypeError):
        missing(name="a")


def test_a_model_of_a_model_has_the_fields_of_both_by_name_too() -> None:
    machine = Machine(id=7, cores=4)

    assert (machine.id, machine.cores, machine.name) == (7, 4, "")
    positional: Any = Machine
    with pytest.raises(TypeError):
        positional(4)


def test_fields_that_the_model_does_not_name_are_ignored_at_every_depth() -> None:
    node = decoded('{"id": 7, "later": {"a": [1]}, "disks": [{"size": 1, "later": null}]}')

    assert node == Node(id=7, disks=[Disk(size=1)])


@pytest.mark.parametrize(
    "text", ["{}", '{"id": null}', '{"id": "7"}', '{"id": 1, "disks": [{}]}', '{"id": 1, "created": "x"}']
)
def test_a_field_that_is_missing_or_of_another_type_is_a_decode_error(text: str) -> None:
    with pytest.raises(DecodeError):
        decoded(text)


def test_a_dump_holds_json_able_values_under_the_services_names() -> None:
    node = Node(id=7, disks=[Disk(size=1)], created=datetime(2026, 11, 21, tzinfo=UTC), zone_id="z")

    dumped = node.model_dump()

    assert dumped == {
        "name": "",
        "id": 7,
        "disks": [{"size": 1, "label": "data"}],
        "created": "2026-11-21T00:00:00Z",
        "zoneId": "z",
    }
    assert json.loads(json.dumps(dumped)) == dumped


def test_a_json_dump_is_text_and_decodes_to_the_same_model() -> None:
    node = Node(id=7, name="ü", disks=[Disk(size=1)])

    text = node.model_dump_json()

    assert isinstance(text, str)
    assert json.loads(text) == node.model_dump()
    assert decoded(text) == node


def test_models_do_not_share_their_default_lists() -> None:
    one, other = Node(id=1), Node(id=2)

    one.disks.append(Disk(size=1))

    assert other.disks == []


def test_models_are_equal_by_their_fields_and_print_them() -> None:
    assert Disk(size=1) == Disk(size=1, label="data")
    assert Disk(size=1) != Disk(size=2)
    assert repr(Disk(size=1)) == "Disk(size=1, label='data')"


@given(st.builds(Disk, size=st.integers(-(2**62), 2**62), label=st.text(st.characters(exclude_categories=["Cs"]))))
@settings(deadline=None, max_examples=100)
def test_whatever_its_fields_a_model_survives_its_dumps(disk: Disk) -> None:
    again = Response(200, body=disk.model_dump_json().encode()).decode(Disk)

    assert again == disk
    assert Disk(**disk.model_dump()) == disk
