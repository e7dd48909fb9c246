"""S16: whatever is put into a form stays in its place, and nobody foretells where its parts end."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from jackfield import JackfieldError, StreamBody
from jackfield_plugins.uploads import FilePart, MultipartForm

if TYPE_CHECKING:
    from tests.security.conftest import Caller
    from tests.servers import Peer, Serve

VECTORS = Path(__file__).parents[1] / "vectors"


class Form(NamedTuple):
    """What is sent."""

    content_type: str
    body: bytes | StreamBody


Encode = Callable[[dict[str, str]], Form]  # name, filename, content_type and value of one part


def ours(part: dict[str, str]) -> Form:
    given = part["value"].encode("utf-8", "surrogatepass")
    file = FilePart(given, filename=part["filename"], content_type=part["content_type"])
    form = MultipartForm([(part["name"], file)])
    return Form(form.headers["content-type"], form.body)


def naive(part: dict[str, str]) -> Form:
    """Broken on purpose: writes what it is given, between boundaries that a seed makes."""
    boundary = f"{random.Random(1).randrange(10**24):024}"
    head = f'Content-Disposition: form-data; name="{part["name"]}"; filename="{part["filename"]}"'
    lines = [f"--{boundary}", head, f"Content-Type: {part['content_type']}", "", part["value"], f"--{boundary}--", ""]
    return Form(f"multipart/form-data; boundary={boundary}", "\r\n".join(lines).encode("utf-8", "replace"))


USUAL = {"name": "field", "filename": "file.txt", "content_type": "text/plain", "value": "content"}
POISONS = [
    *("x\r\nx-evil: 1", "x\nx-evil: 1", "x\rx-evil: 1", "x\0x-evil: 1", "x\vx-evil: 1", "\r\n\r\nx-evil: 1"),
    *('x"; filename="evil', 'x"\r\nx-evil: 1', "x\u010ax-evil: 1", "x\u560d\u560ax-evil: 1", "x\u2028x-evil: 1"),
    *("x\x85x-evil: 1", "x\ud80ax-evil: 1", "x\r\n\r\nevil\r\n--0\r\nx-evil: 1", 'x\\"; name="evil'),
    "x\r\n--{boundary}\r\nContent-Disposition: form-data; name=evil\r\n\r\nevil\r\n--{boundary}--\r\n",
]
# RFC 7578 §4.2, §4.8: a part has a Content-Disposition, and may have a Content-Type; nothing else counts.
_head = re.compile(
    rb'Content-Disposition: form-data; name="[^"\r\n\0\v]*"(?:; filename="[^"\r\n\0\v]*")?\r\n'
    rb"Content-Type: [^\r\n\0\v]*"
).fullmatch


def fine(peer: Peer) -> None:
    for _ in peer.requests():
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def parts(content_type: str, body: bytes) -> list[bytes]:
    """What a server finds in the form (RFC 2046 §5.1.1)."""
    found = re.fullmatch(r"multipart/form-data; boundary=([0-9A-Za-z]+)", content_type)
    assert found
    preamble, *inner = (b"\r\n" + body).split(b"\r\n--" + found[1].encode())
    assert (preamble, inner[-1]) == (b"", b"--\r\n")
    return [part.removeprefix(b"\r\n") for part in inner[:-1]]


@pytest.mark.subjects(ours=ours, naive=naive)
@pytest.mark.parametrize("place", ["name", "filename", "content_type"])
def test_s16_no_name_gets_out_of_its_place(subject: Encode, place: str, serve: Serve, caller: Caller) -> None:
    server = serve(fine)

    for poison in [*POISONS, USUAL[place]]:
        server.requests.clear()
        with suppress(JackfieldError):
            form = subject({**USUAL, place: poison})
            caller.ask(server.url, method="POST", headers={"content-type": form.content_type}, body=form.body)
        for request in server.requests:
            (part,) = parts(request.get_all("content-type")[0], request.body)
            head, _, content = part.partition(b"\r\n\r\n")
            assert (poison, head, bool(_head(head))) == (poison, head, True)
            assert content == b"content"

    assert len(server.requests) == 1  # that with nothing to refuse


@pytest.mark.subjects(ours=ours, naive=naive)
def test_s16_no_content_ends_its_part(subject: Encode, serve: Serve, caller: Caller) -> None:
    """Of a sender that always has the same boundary, whoever has seen one knows where the next part ends."""
    server = serve(fine)
    known = subject(USUAL).content_type.rpartition("=")[2]

    for poison in POISONS:
        value = poison.replace("{boundary}", known)
        form = subject({**USUAL, "value": value})
        caller.ask(server.url, method="POST", headers={"content-type": form.content_type}, body=form.body)
        request = server.requests[-1]
        assert [part.partition(b"\r\n\r\n")[2] for part in parts(form.content_type, request.body)] == [
            value.encode("utf-8", "surrogatepass")
        ]


@pytest.mark.subjects(ours=ours, naive=naive)
def test_s16_names_are_on_the_wire_as_the_vectors_have_them(subject: Encode) -> None:
    cases: list[dict[str, Any]] = json.loads((VECTORS / "multipart_form_data.json").read_text())["cases"]
    seen = 0

    for case in cases:
        if "wire_any_of" not in case and "must_not_contain" not in case:
            continue
        try:
            named = {"name": case.get("field", "field"), "filename": case.get("filename", "file.txt")}
            raw = b"".join([body] if isinstance(body := subject({**USUAL, **named}).body, bytes) else body).decode()
        except JackfieldError:
            assert case.get("may_raise")
            continue
        seen += 1
        assert any(expected in raw for expected in case.get("wire_any_of", [""])), case
        assert not any(forbidden in raw for forbidden in case.get("must_not_contain", [])), case

    assert seen >= 3


@pytest.mark.subjects(ours=ours, naive=naive)
def test_s16_a_thousand_boundaries_are_a_thousand_and_nobody_foretells_them(subject: Encode) -> None:
    boundaries: set[str] = set()

    for _ in range(1000):
        random.seed(1)
        boundaries.add(subject(USUAL).content_type.rpartition("boundary=")[2])

    assert len(boundaries) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{32,70}", boundary) for boundary in boundaries)  # 128 bits; RFC 2046: at most 70
    assert all(len({boundary[at] for boundary in boundaries}) == 16 for at in range(32))
