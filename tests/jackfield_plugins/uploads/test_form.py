"""Forms: names, values and files as they stand on the wire, read back by a parser that is not ours."""

from __future__ import annotations

import io
import json
import re
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import StreamBody, UsageError
from jackfield_plugins.uploads import FilePart, MultipartForm, body_of

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "multipart_form_data.json").read_text())["cases"]
OCTETS = "application/octet-stream"


def wire(form: MultipartForm) -> bytes:
    return b"".join(form.body)


def boundary(form: MultipartForm) -> bytes:
    found = re.fullmatch(r"multipart/form-data; boundary=([0-9A-Za-z]+)", form.headers["content-type"])
    assert found
    return found[1].encode()


def only_head(form: MultipartForm) -> str:
    """Of the one part, without the delimiter."""
    return wire(form).partition(b"\r\n\r\n")[0].partition(b"\r\n")[2].decode()


class Found(NamedTuple):
    name: str
    filename: str | None
    content_type: str | None
    content: bytes


def parsed(form: MultipartForm) -> list[Found]:
    """By the standard library's parser of e-mail."""
    head = f"Content-Type: {form.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + wire(form))
    assert message.is_multipart()
    assert not message.defects
    return [_found(part) for part in cast("list[Message]", message.get_payload())]


def _found(part: Message) -> Found:
    name: Any = part.get_param("name", header="content-disposition")
    content: Any = part.get_payload(decode=True)
    assert part.get_content_disposition() == "form-data"
    return Found(name, part.get_filename(), part.get("content-type"), content)


# --- the shared vectors


@pytest.mark.parametrize("case", [c for c in VECTORS if "filename" in c or "field" in c], ids=lambda case: case["name"])
def test_names_are_on_the_wire_as_the_vectors_have_them(case: dict[str, Any]) -> None:
    name, filename = case.get("field", "f"), case.get("filename")
    try:
        form = MultipartForm({name: FilePart(b"x", filename=filename)})
    except UsageError:
        assert case.get("may_raise")
        return

    raw = wire(form)

    assert any(expected.encode() in raw for expected in case["wire_any_of"])
    assert not any(forbidden.encode() in raw for forbidden in case.get("must_not_contain", []))
    assert b"filename*" not in raw


# --- what a form looks like


def test_a_form_as_it_stands_on_the_wire() -> None:
    form = MultipartForm({"title": "Tea", "file": FilePart(b"leaves", filename="t.txt", content_type="text/plain")})

    mark = boundary(form)
    assert wire(form) == (
        b"--" + mark + b'\r\nContent-Disposition: form-data; name="title"\r\n\r\nTea\r\n'
        b"--" + mark + b'\r\nContent-Disposition: form-data; name="file"; filename="t.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nleaves\r\n--" + mark + b"--\r\n"
    )
    assert form.body.length == len(wire(form))
    assert form.body.replayable


def test_a_form_without_parts_is_its_end() -> None:
    form = MultipartForm({})

    assert wire(form) == b"--" + boundary(form) + b"--\r\n"
    assert form.body.length == len(wire(form))


def test_parts_keep_their_order_and_names_may_come_again() -> None:
    form = MultipartForm([("b", "1"), ("a", b"2"), ("b", FilePart(b"3", filename="x"))])

    assert [(part.name, part.content) for part in parsed(form)] == [("b", b"1"), ("a", b"2"), ("b", b"3")]


def test_a_path_is_sent_under_its_own_name_unless_another_is_given(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_bytes(b"x")
    path = tmp_path / "own.txt"

    own, other = parsed(MultipartForm([("f", FilePart(path)), ("f", FilePart(path, filename="other.txt"))]))

    assert own == Found("f", "own.txt", OCTETS, b"x")
    assert other == Found("f", "other.txt", OCTETS, b"x")


def test_a_part_without_a_file_name_says_none() -> None:
    form = MultipartForm({"f": FilePart(io.BytesIO(b"x"), content_type="application/json")})

    assert only_head(form) == 'Content-Disposition: form-data; name="f"\r\nContent-Type: application/json'


def test_a_file_name_may_be_empty() -> None:
    assert 'filename=""' in only_head(MultipartForm({"f": FilePart(b"", filename="")}))


def test_a_plain_field_has_no_content_type() -> None:
    assert [part.content_type for part in parsed(MultipartForm({"a": "x", "b": b"y"}))] == [None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", b"a\r\nb"),
        ("a\rb", b"a\r\nb"),
        ("a\r\nb", b"a\r\nb"),
        ("\n\r\n\r", b"\r\n\r\n\r\n"),
        ("ä€", "ä€".encode()),
    ],
    ids=ascii,
)
def test_text_is_utf_8_with_line_ends_of_crlf(text: str, expected: bytes) -> None:
    form = MultipartForm({"a": text})

    assert b"\r\n\r\n" + expected + b"\r\n--" in wire(form)
    assert form.body.length == len(wire(form))


def test_bytes_keep_their_line_ends() -> None:
    assert b"\r\n\r\na\nb\rc\r\n--" in wire(MultipartForm({"a": b"a\nb\rc"}))


@pytest.mark.parametrize(
    ("name", "on_the_wire"),
    [
        ('a"b', "a%22b"),
        ("a\nb", "a%0D%0Ab"),
        ("a\rb", "a%0D%0Ab"),
        ("a\r\nb", "a%0D%0Ab"),
        ("a%22b", "a%22b"),  # "no other escapes"
        ("a\\b", "a\\b"),
        ("a\tb;c=d", "a\tb;c=d"),
        ("ä\u010a\u560a\u2028\x85", "ä\u010a\u560a\u2028\x85"),
    ],
    ids=ascii,
)
def test_a_field_name_is_escaped_as_browsers_do(name: str, on_the_wire: str) -> None:
    assert only_head(MultipartForm({name: "x"})) == f'Content-Disposition: form-data; name="{on_the_wire}"'


@pytest.mark.parametrize(
    ("filename", "on_the_wire"),
    [
        ('"', "%22"),
        ("a\nb", "a%0Ab"),
        ("a\rb", "a%0Db"),
        ("a\r\nb", "a%0D%0Ab"),
        ("\\", "\\"),
        ("💾", "💾"),
        ("%", "%"),
    ],
    ids=ascii,
)
def test_the_line_ends_of_a_file_name_stay_what_they_are(filename: str, on_the_wire: str) -> None:
    head = only_head(MultipartForm({"f": FilePart(b"x", filename=filename)}))

    assert head == f'Content-Disposition: form-data; name="f"; filename="{on_the_wire}"\r\nContent-Type: {OCTETS}'


# --- what is refused


CONTROLS = [chr(code) for code in (*range(0x20), 0x7F) if chr(code) not in "\t\r\n"]


@pytest.mark.parametrize("character", CONTROLS, ids=ascii)
def test_control_characters_in_names_are_refused(character: str) -> None:
    with pytest.raises(UsageError, match="control character"):
        MultipartForm({f"a{character}b": "x"})
    with pytest.raises(UsageError, match="control character"):
        FilePart(b"x", filename=f"a{character}b")


@pytest.mark.parametrize("name", [b"a", 5, None])
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(UsageError, match="is a str"):
        MultipartForm({name: "x"})


@pytest.mark.parametrize("filename", [b"a", 5])
def test_a_file_name_that_is_no_text_is_refused(filename: Any) -> None:
    with pytest.raises(UsageError, match="is a str"):
        FilePart(b"x", filename=filename)


def test_half_a_surrogate_pair_is_refused_wherever_it_is() -> None:
    for make in (
        lambda: MultipartForm({"\ud800": "x"}),
        lambda: MultipartForm({"a": "\ud800"}),
        lambda: FilePart(b"x", filename="\udcff"),
    ):
        with pytest.raises(UsageError, match="surrogate"):
            make()


def test_a_secret_value_that_cannot_be_sent_is_not_in_the_error() -> None:
    with pytest.raises(UsageError) as caught:
        MultipartForm({"password": "hunter2\ud800"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", [5, None, 1.5, ["x"], Path("x"), bytearray(b"x")], ids=repr)
def test_a_value_of_another_kind_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="give a str, bytes or a FilePart"):
        MultipartForm({"a": value})


@pytest.mark.parametrize("parts", [5, None, "text", ["a"], [("a", "b", "c")]], ids=repr)
def test_what_is_neither_a_mapping_nor_pairs_is_refused(parts: Any) -> None:
    with pytest.raises(UsageError, match="mapping, or pairs"):
        MultipartForm(parts)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain\r\nX-Evil: 1",
        "text/plain\nX-Evil: 1",
        "text/plain\r",
        "text/plain\n",
        "text/plain; charset=utf-8\r\n\r\nbody",
        'text/plain; a="\r\n"',
        "text/plain\0",
        "text/plain; a=\x0b",
        "text/plain; a=ä",
        "text/plain\u010a",
        "text",
        "text/",
        "/plain",
        "text /plain",
        "text/plain;",
        "",
        None,
        b"text/plain",
    ],
    ids=ascii,
)
def test_a_content_type_that_is_none_is_refused(content_type: Any) -> None:
    with pytest.raises(UsageError, match="no media type"):
        FilePart(b"x", filename="x", content_type=content_type)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "image/svg+xml", "text/plain; charset=utf-8", 'text/x;a="b c;d" ; e=f']
)
def test_a_content_type_is_sent_as_it_is(content_type: str) -> None:
    head = only_head(MultipartForm({"f": FilePart(b"x", content_type=content_type)}))

    assert head.endswith(f"\r\nContent-Type: {content_type}")


# --- the boundary


def test_a_thousand_boundaries_are_all_different_and_of_128_bits() -> None:
    marks = {boundary(MultipartForm({})) for _ in range(1000)}

    assert len(marks) == 1000
    assert {len(bytes.fromhex(mark.decode())) for mark in marks} == {16}
    for place in range(32):
        assert len({mark[place] for mark in marks}) == 16


def test_the_boundary_is_not_to_be_foretold_from_the_seed_of_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    random.seed(1)
    one = boundary(MultipartForm({}))
    random.seed(1)

    assert boundary(MultipartForm({})) != one


def test_a_value_that_holds_another_forms_boundary_is_one_value() -> None:
    old = MultipartForm({"a": "x"})
    value = b"\r\n--" + boundary(old) + b'\r\nContent-Disposition: form-data; name="evil"\r\n\r\n1'

    assert [(part.name, part.content) for part in parsed(MultipartForm({"a": value}))] == [("a", value)]


# --- lengths, and sending again


def test_the_length_is_known_if_that_of_every_part_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000)
    parts: list[tuple[str, str | bytes | FilePart]] = [
        ("a", "text"),
        ("b", FilePart(path)),
        ("c", FilePart(io.BytesIO(b"abc"), filename="c")),
        ("d", FilePart([b"ab", b"c"], filename="d", length=3)),
        ("e", b"y" * 100_000),
    ]
    form = MultipartForm(parts)

    assert form.body.length == len(wire(form))
    assert MultipartForm([*parts, ("f", FilePart([b"x"]))]).body.length is None


def test_a_form_is_sent_again_with_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000)
    form = MultipartForm({"a": "text", "f": FilePart(path), "g": FilePart(lambda: iter([b"y"]))})

    assert form.body.replayable
    assert wire(form) == wire(form) == b"".join(form.body.pieces())


def test_a_form_with_a_part_that_can_be_sent_once_is_sent_once() -> None:
    form = MultipartForm({"a": "text", "f": FilePart(iter([b"x", b"y"]), filename="f")})

    assert not form.body.replayable
    assert parsed(form)[1].content == b"xy"
    with pytest.raises(UsageError, match="replayed"):
        next(iter(form.body))


def test_small_values_are_sent_together_and_big_ones_in_pieces() -> None:
    few = {f"field{number}": "x" for number in range(100)}
    form = MultipartForm({**few, "big": b"y" * 1_000_000, "file": FilePart(b"z" * 200_000)})

    sizes = [len(piece) for piece in form.body]

    assert len(sizes) == 1 + 4 + 1 + 1 + 1
    assert max(sizes) <= 256 * 1024


def test_a_part_that_is_read_partly_is_closed() -> None:
    closed: list[str] = []

    def pieces() -> Any:
        try:
            yield b"x"
            yield b"y"
        finally:
            closed.append("closed")

    reading = iter(MultipartForm({"f": FilePart(pieces)}).body)
    next(reading)
    next(reading)
    reading.close()

    assert closed == ["closed"]


def test_a_part_that_cannot_be_read_is_the_callers_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    form = MultipartForm({"f": FilePart(path)})
    path.write_bytes(b"xy")

    with pytest.raises(UsageError, match="has changed"):
        wire(form)


class Source:
    """Notes that it was aborted."""

    def __init__(self) -> None:
        self.aborted = False

    def __iter__(self) -> Any:
        return iter([b"x", b"y"])

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None: ...


def test_an_abort_reaches_the_part_that_is_being_read_or_will_be() -> None:
    first, second = Source(), Source()
    form = MultipartForm({"a": FilePart(StreamBody(lambda: first)), "b": FilePart(StreamBody(lambda: second))})
    reading = iter(form.body)
    next(reading)
    reading.abort()
    assert (first.aborted, second.aborted) == (False, False)

    next(reading)
    assert (first.aborted, second.aborted) == (True, False)

    list(reading)
    assert second.aborted


def test_an_abort_reaches_a_part_in_its_middle() -> None:
    source = Source()
    reading = iter(MultipartForm({"a": FilePart(StreamBody(lambda: source))}).body)
    next(reading)
    next(reading)

    reading.abort()

    assert source.aborted


def test_progress_of_a_form_counts_all_of_it() -> None:
    told: list[tuple[int, int | None]] = []
    form = MultipartForm({"a": "x"})
    size = form.body.length

    b"".join(body_of(form.body, progress=lambda done, total, rate: told.append((done, total))))

    assert told == [(0, size), (size, size), (size, size)]


def test_a_form_and_its_parts_print_no_content() -> None:
    part = FilePart(b"hunter2", filename="f")

    assert "hunter2" not in repr(part) + repr(MultipartForm({"a": "hunter2", "f": part}))


# --- read back by another parser


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters='\\"'), min_size=1).map(
    str.strip
)
VALUES = st.one_of(
    st.binary(max_size=100),
    st.binary(max_size=100).map(lambda content: FilePart(content, filename="f")),
    st.lists(st.binary(max_size=50), max_size=4).map(lambda pieces: FilePart(pieces, filename="f")),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
)


def content_of(value: Any) -> bytes:
    if isinstance(value, FilePart):
        return b"".join(value.body)
    return value if isinstance(value, bytes) else re.sub(r"\r\n|\r|\n", "\r\n", value).encode()


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_another_parser_finds_the_same_parts(parts: list[tuple[str, Any]]) -> None:
    form = MultipartForm(parts)

    raw = wire(form).split(b"--" + boundary(form))
    assert (raw[0], raw[-1]) == (b"", b"--\r\n")
    heads = [part.partition(b"\r\n\r\n")[0].decode() for part in raw[1:-1]]
    assert [re.findall(r' name="([^"]*)"', head)[0] for head in heads] == [name for name, _ in parts]
    assert [part.partition(b"\r\n\r\n")[2] for part in raw[1:-1]] == [content_of(value) + b"\r\n" for _, value in parts]
    if form.body.length is not None:
        assert form.body.length == len(wire(form))


@given(st.lists(st.tuples(st.from_regex(r"[a-zA-Z0-9 ._-]{1,20}", fullmatch=True), VALUES), min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_the_parser_of_e_mail_finds_the_same_parts(parts: list[tuple[str, Any]]) -> None:
    found = parsed(MultipartForm(parts))

    assert [part.name for part in found] == [name for name, _ in parts]
    assert [part.content for part in found] == [content_of(value) for _, value in parts]
