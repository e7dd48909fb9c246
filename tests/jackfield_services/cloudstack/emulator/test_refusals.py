"""What the emulator refuses, and in which words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from tests.cloudstack_wire import CREDENTIALS, call, call_with, deploy, get, refusal

from jackfield_services.cloudstack.emulator import CloudStackEmulator


def test_an_unknown_command_looks_like_a_bad_signature(cloud: CloudStackEmulator) -> None:
    good, bad = call(cloud, "flyToTheMoon"), get(cloud, "command=flyToTheMoon&response=json")
    assert refusal(good, "errorresponse") == (401, None, CREDENTIALS)
    assert good.body == bad.body


def test_commands_are_known_by_their_exact_case(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listzones").status == 401


def test_a_missing_command_is_answered_under_null_and_no_parameters_under_errorresponse(
    cloud: CloudStackEmulator,
) -> None:
    assert refusal(call_with(cloud, {}), "null") == (401, None, CREDENTIALS)
    nothing = get(cloud, "")
    assert nothing.status == 401
    assert ElementTree.fromstring(nothing.body).tag == "errorresponse"


@pytest.mark.parametrize("character", ["\x00", "\x09", "\x0b", "\x0c", "\x0e", "\x1f", "\x7f"])
def test_a_control_character_in_a_value_is_a_431(cloud: CloudStackEmulator, character: str) -> None:
    text = "Received value containing illegal ASCII non-printable characters for parameter Keyword"
    assert refusal(call(cloud, "listZones", Keyword=f"a{character}"), "listzonesresponse") == (
        431,
        9999,
        text,
    )


def test_line_breaks_in_a_value_are_allowed(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", keyword="a\r\nb").status == 200


@pytest.mark.parametrize(
    "name",
    ["a[0]", "a[x].b", "a[].b", "a[0.b", "a]0[.b", "a[0][1].b", "a[0]].b", "x.a[0]", "[0][1].a", "a[1_0].b"],
)
def test_a_malformed_map_parameter_is_a_430(cloud: CloudStackEmulator, name: str) -> None:
    code, cs_code, text = refusal(call_with(cloud, {"command": "listZones", name: "1"}), "listzonesresponse")
    assert (code, cs_code) == (430, 9999)
    assert text.startswith(f"Unable to decode parameter {name}; if specifying an object array")


def test_a_missing_parameter_is_a_431_that_names_it(cloud: CloudStackEmulator) -> None:
    text = "Unable to execute API command startvirtualmachine due to missing parameter id"
    assert refusal(call(cloud, "startVirtualMachine"), "startvirtualmachineresponse") == (431, 9999, text)


def test_a_string_longer_than_declared_is_a_431(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", keyword="k" * 255).status == 200
    _, _, text = refusal(call(cloud, "listZones", keyword="k" * 256), "listzonesresponse")
    assert text.endswith("Value greater than max allowed length 255 for param: keyword")


def test_an_error_text_with_line_breaks_adds_no_header(cloud: CloudStackEmulator) -> None:
    reply = call(cloud, "listZones", id="a\r\nX-Injected: yes\r\n\u20ac")
    assert reply.status == 431
    assert "X-Injected" not in reply.headers
    assert "value=a  X-Injected: yes  ? due" in reply.headers["X-Description"]


def test_a_key_pair_is_made_once(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "createSSHKeyPair", name="laptop").status == 200
    again = refusal(call(cloud, "createSSHKeyPair", name="laptop"), "createsshkeypairresponse")
    assert again == (431, 4350, "A key pair with name 'laptop' already exists.")


def test_what_the_emulator_itself_gets_wrong_is_a_530() -> None:
    with CloudStackEmulator(now=lambda: 1e300) as cloud:
        error = deploy(cloud)
    assert (error["errorcode"], error["cserrorcode"]) == (530, 4250)
    assert error["errortext"].startswith("OverflowError: ")


@pytest.mark.parametrize("date", ["2026-11-20", "2026-11-20 12:00:00"])
def test_a_date_is_a_day_or_a_second(cloud: CloudStackEmulator, date: str) -> None:
    assert call(cloud, "listEvents", startdate=date).status == 200


@pytest.mark.parametrize("date", ["", "2026-11-20T12:00:00+0000", "20.11.2026", "2026-11-20 12:00", "1795176000"])
def test_a_date_in_another_form_is_a_431(cloud: CloudStackEmulator, date: str) -> None:
    code, _, text = refusal(call(cloud, "listEvents", enddate=date), "listeventsresponse")
    assert code == 431
    assert text.startswith(f"Unable to parse date {date} for command listeventsresponse, please pass dates in the")


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("duration", "", 200),
        ("duration", "-5", 200),
        ("duration", "five", 431),
        ("startid", "", 431),
        ("startid", "7", 200),
        ("startid", "five", 431),
    ],
)
def test_a_number_is_one_and_an_empty_integer_is_none(
    cloud: CloudStackEmulator, name: str, value: str, status: int
) -> None:
    assert call(cloud, "listEvents", **{name: value}).status == status
