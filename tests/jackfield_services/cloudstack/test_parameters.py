"""What callers may give as parameters, and what of it is refused before a byte is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import Secret, UsageError
from jackfield_services.cloudstack._parameters import flatten
from jackfield_services.cloudstack.emulator import CloudStackEmulator

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse


class State(str, Enum):  # noqa: UP042  # StrEnum shows its value by itself: this is the one that does not
    RUNNING = "Running"


@pytest.mark.parametrize(
    ("value", "pairs"),
    [
        ("text", [("p", "text")]),
        ("", [("p", "")]),
        (5, [("p", "5")]),
        (1.5, [("p", "1.5")]),
        (True, [("p", "true")]),
        (False, [("p", "false")]),
        (None, []),
        ([], []),
        ({}, []),
        (["a", 1, True], [("p", "a,1,true")]),
        (("a",), [("p", "a")]),
        ({"b", "a"}, [("p", "a,b")]),
        ({"k": "v", "n": 2, "none": None}, [("p[0].k", "v"), ("p[0].n", "2")]),
        ([{"key": "a", "value": "b"}, {"key": "c"}], [("p[0].key", "a"), ("p[0].value", "b"), ("p[1].key", "c")]),
        (State.RUNNING, [("p", "Running")]),
        (date(2026, 1, 2), [("p", "2026-01-02")]),
        (datetime(2026, 1, 2, 3, 4, 5, 678), [("p", "2026-01-02 03:04:05")]),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), [("p", "2026-01-02T03:04:05+0000")]),
        (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=5.5))), [("p", "2026-01-02T00:00:00+0530")]),
        (datetime(1, 1, 1, tzinfo=UTC), [("p", "0001-01-01T00:00:00+0000")]),
        ([date(2026, 1, 2), 1], [("p", "2026-01-02,1")]),
        ({"k": date(2026, 1, 2)}, [("p[0].k", "2026-01-02")]),
        (UUID("0D9C4D1C-4B37-4F4C-8B3C-0C2B7A3F7A11"), [("p", "0d9c4d1c-4b37-4f4c-8b3c-0c2b7a3f7a11")]),
        (Secret("hidden"), [("p", "hidden")]),
        ("two\r\nlines", [("p", "two\r\nlines")]),
    ],
)
def test_every_kind_of_value_has_its_form(value: Any, pairs: list[tuple[str, str]]) -> None:
    assert flatten({"p": value}) == pairs


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"p": object()}, "'p' is a object"),
        ({"p": b"bytes"}, "'p' is a bytes"),
        ({"p": [object()]}, "'p' is a object"),
        ({"p": [{"k": [1]}]}, r"'p\[0\].k' is a list"),
        ({"p": [1, {"k": 1}]}, "'p' is a dict"),
        ({"p": float("nan")}, "'p' is a float"),
        ({"p": float("inf")}, "'p' is a float"),
        ({"p": ["a,b"]}, "holds a comma"),
        ({"p": "nul\0"}, "control character"),
        ({"p": "tab\t"}, "control character"),
        ({"p\x7f": "x"}, "control character"),
        ({"": "x"}, "control character|empty"),
        ({"zoneId": "1", "zoneid": "2"}, "'zoneId' and 'zoneid'"),
        ({"p": "\ud800"}, "surrogate"),
    ],
)
def test_what_cloudstack_would_misread_is_refused_and_nothing_is_sent(
    converse: Converse, cloud: CloudStackEmulator, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        converse(lambda cs: cs.request("listZones", **parameters))

    assert cloud.connections == 0


@pytest.mark.parametrize("command", ["", "list Zones", "listZones&x=1", "list/Zones", 5, None, "ä"])
def test_a_command_that_cannot_be_one_is_refused(converse: Converse, cloud: CloudStackEmulator, command: Any) -> None:
    with pytest.raises(UsageError, match="no command"):
        converse(lambda cs: cs.request(command))

    assert cloud.connections == 0


def test_the_clients_own_parameters_win(converse: Converse, cloud: CloudStackEmulator) -> None:
    converse(lambda cs: cs.request("listZones", response="xml", apiKey="mine", SIGNATURE="mine"))

    sent = cloud.requests[0].parameters
    assert (sent["response"], sent["apikey"]) == ("json", cloud.api_key)
    assert "apiKey" not in sent
    assert "SIGNATURE" not in sent


@given(
    st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.booleans() | st.text() | st.floats(), st.lists))
)
def test_any_parameters_become_strings_or_a_clear_error(parameters: dict[str, Any]) -> None:
    try:
        pairs = flatten(parameters)
    except UsageError:
        return

    assert all(isinstance(part, str) for pair in pairs for part in pair)
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
