"""What `help()` and editors see of a command."""

from __future__ import annotations

import pydoc
from inspect import Parameter, signature

from jackfield_services.cloudstack import Command, CommandParameter, ResponseField
from jackfield_services.cloudstack._help import described, signature_of, text_of

DEPLOY = Command(
    "deployVirtualMachine",
    "Creates and \n starts a machine",
    True,
    (
        CommandParameter("details", "map", description="as details[0].cpuNumber=2", since="4.3"),
        CommandParameter("zoneid", "uuid", required=True, description="the zone"),
        CommandParameter("startvm", "boolean"),
        CommandParameter("size", "long"),
        CommandParameter("class", "string"),
        CommandParameter("odd-name", "string"),
        CommandParameter("networkids", "list"),
    ),
    (
        ResponseField("nic", "set", "the cards", (ResponseField("secondaryip", "list", "", (ResponseField("id"),)),)),
        ResponseField("id", "string", "the ID"),
    ),
    "2.2",
)


def test_help_tells_description_parameters_and_fields() -> None:
    def run(**parameters: object) -> None: ...

    told = pydoc.plain(pydoc.render_doc(described(run, DEPLOY)))

    assert "deployVirtualMachine(*, zoneid: str," in told
    assert "Creates and   starts a machine" in told
    assert "starts a job: fetch_result, job_timeout and poll_interval" in told
    assert "Since CloudStack 2.2." in told
    assert "zoneid (uuid, required): the zone" in told
    assert "details (map): as details[0].cpuNumber=2 Since 4.3." in told
    assert "id (string): the ID" in told
    assert "in module jackfield_services.cloudstack\n" in told


def test_required_parameters_come_first_and_nested_fields_are_indented() -> None:
    lines = text_of(DEPLOY).splitlines()

    assert lines.index("    zoneid (uuid, required): the zone") < lines.index("    class (string)")
    assert lines[lines.index("Fields of the answer, of which into=… makes a type:") + 1 :] == [
        "    id (string): the ID",
        "    nic (set): the cards",
        "        secondaryip (list)",
        "            id (string)",
    ]


def test_what_is_nested_without_end_is_shown_to_three_levels() -> None:
    field = ResponseField("x")
    for _ in range(50):
        field = ResponseField("x", response=(field,))

    assert text_of(Command("c", response=(field,))).count("x (string)") == 3


def test_the_signature_has_python_types_and_takes_what_it_does_not_name() -> None:
    parameters = signature_of(DEPLOY).parameters

    assert list(parameters) == ["zoneid", "details", "networkids", "size", "startvm", "more"]
    kinds = {name: one.annotation for name, one in parameters.items()}
    assert [kinds[name] for name in ("zoneid", "details", "networkids", "size", "startvm")] == [
        str,
        dict,
        list,
        int,
        bool,
    ]
    assert parameters["zoneid"].default is Parameter.empty
    assert parameters["size"].default is None
    assert parameters["zoneid"].kind is Parameter.KEYWORD_ONLY


def test_parameters_may_have_any_name_and_be_listed_twice() -> None:
    parameters = (CommandParameter("more"), CommandParameter("id"), CommandParameter("ID"), CommandParameter("id"))

    assert list(signature_of(Command("c", parameters=parameters)).parameters) == ["id", "more", "more_"]


def test_a_described_function_is_still_the_function() -> None:
    def run(**parameters: object) -> object:
        return parameters

    told = described(run, DEPLOY)

    assert told(zoneid="z") == {"zoneid": "z"}
    assert (told.__name__, told.__qualname__) == ("deployVirtualMachine", "deployVirtualMachine")
    assert "zoneid" in signature(told).parameters


def test_text_and_signature_are_made_once() -> None:
    def run(**parameters: object) -> None: ...

    assert DEPLOY.text is DEPLOY.text
    assert described(run, DEPLOY).__doc__ is DEPLOY.text
    assert signature(described(run, DEPLOY)) is DEPLOY.signature


def test_control_characters_do_not_reach_the_terminal() -> None:
    command = Command("c", "a\x1b[31mred", parameters=(CommandParameter("p", description="b\x9b"),))

    assert "\x1b" not in text_of(command)
    assert "\x9b" not in text_of(command)


def test_a_list_says_how_it_is_fetched() -> None:
    assert "fetch_list" in text_of(Command("c", parameters=(CommandParameter("pagesize"),)))


def test_no_description_is_longer_than_a_person_reads() -> None:
    assert len(text_of(Command("c", "x" * 3_000_000))) < 10_000


def test_a_command_without_words_is_told_by_its_name() -> None:
    assert text_of(Command("listZones")) == "listZones"
