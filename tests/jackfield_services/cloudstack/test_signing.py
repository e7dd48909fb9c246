"""Signing, held against published vectors, the specification's table, and the emulator's own verifier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import Secret
from jackfield_services.cloudstack import CloudStack, CloudStackClientException
from jackfield_services.cloudstack._signing import RECIPE
from jackfield_services.cloudstack.emulator import CloudStackEmulator
from jackfield_services.cloudstack.emulator._signature import verified

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse


VECTORS = Path(__file__).parents[2] / "vectors" / "cloudstack_hmac_sha1.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["cases"]

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)] + ["\x7f"]))
names = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}(\[[0-9]{1,2}\]\.[A-Za-z]{1,5})?", fullmatch=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["params"]["command"])
def test_signs_as_the_published_clients_do_where_those_are_right(case: dict[str, Any]) -> None:
    query = list(case["params"].items())

    assert RECIPE.canonical(query) == case["string_to_sign"]
    assert RECIPE.signature(query, Secret(case["secret"])) == case["signature"]


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ([("a", "x~y")], "a=x%7ey"),
        ([("a", "x*y")], "a=x*y"),
        ([("a", "x y+z/,")], "a=x%20y%2bz%2f%2c"),
        ([("a", "ÄÖ")], "a=%c3%84%c3%96"),
        ([("a", "line\nbreak")], "a=line%0abreak"),
        ([("tags[0].key", "k")], "tags[0].key=k"),
        ([("tags[1].k", ""), ("tags[10].k", ""), ("tags[2].k", "")], "tags[10].k=&tags[1].k=&tags[2].k="),
        ([("servicecapabilitylist", ""), ("serviceOfferingId", "")], "serviceofferingid=&servicecapabilitylist="),
        ([("b", "1"), ("A", "2"), ("a", "3")], "a=2&a=3&b=1"),
        ([("b", "1"), ("Signature", "old"), ("a", "2")], "a=2&b=1"),
        ([("\U0001f600", ""), ("\uff5e", "")], "\U0001f600=&\uff5e="),  # UTF-16 order is not that of code points
    ],
)
def test_joins_as_the_server_does(query: list[tuple[str, str]], canonical: str) -> None:
    assert RECIPE.canonical(query) == canonical


@given(
    st.lists(st.tuples(names, text), max_size=6, unique_by=lambda pair: pair[0].lower()),
    text.filter(lambda secret: secret != "" and secret == secret.strip()),
)
def test_whatever_is_sent_the_server_accepts_the_signature(parameters: list[tuple[str, str]], secret: str) -> None:
    with CloudStack("http://cloud.test/client/api", "the key", secret) as client:
        request = client.execute.request("listZones", **dict(parameters))
    wire = dict(request.query)

    assert verified(wire, "the key", secret, now=0)
    assert not verified({**wire, "command": "destroyVirtualMachine"}, "the key", secret, now=0)


@pytest.mark.parametrize("value", ["~", "Of4N~H$JP9", "a b", "+", "ü", "100%", "&=?#", "*", "\n", "🦆"])
def test_every_character_survives_the_wire(cloud: CloudStackEmulator, converse: Converse, value: str) -> None:
    converse(lambda cs: cs.request("listVirtualMachines", keyword=value, tags=[{"key": value, "value": 1}]))

    received = cloud.requests[0]
    assert received.status == 200
    assert received.parameters["keyword"] == received.parameters["tags[0].key"] == value


def test_a_wrong_secret_is_an_error_that_does_not_show_it(cloud: CloudStackEmulator) -> None:
    with (
        CloudStack(cloud.end_point, cloud.api_key, "wrong-canary") as client,
        pytest.raises(CloudStackClientException) as caught,
    ):
        client.listZones()

    assert caught.value.status == caught.value.error_code == 401
    assert "unable to verify user credentials" in str(caught.value)
    assert "canary" not in repr(vars(caught.value)) + repr(vars(client))
