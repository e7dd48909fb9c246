"""What a download is called: by its origin's words, and harmless (RFC 6266, RFC 8187)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.jackfield_services.buffy.buffy_world import BOTH, ORIGIN, FakeBuffy, get, version

from jackfield_services.buffy import ResponseContentAttributes
from jackfield_services.buffy._names import name_of

NAMELESS = "http://h/data"


def named(disposition: str | None = None, url: str = NAMELESS, kind: str | None = None, **more: Any) -> str | None:
    told = ResponseContentAttributes(content_disposition=disposition, media_type=kind, **more)
    return name_of(told, url, "fallback")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="blob file.bin"', "blob file.bin"),
        ("attachment; filename=a.txt", "a.txt"),
        ("inline; FILENAME=a.txt", "a.txt"),
        ('attachment; filename="a\\"b.txt"', "a_b.txt"),
        ("attachment; filename=\"x.txt\"; filename*=UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
        ("attachment; filename*=iso-8859-1'en'%A3.txt", "£.txt"),
        ("attachment; filename=\"x.txt\"; filename*=UTF-8''%ff", "x.txt"),
        ('attachment; filename="a;b=c.txt"; size=5', "a;b=c.txt"),
        ("attachment; filename=a=b.txt", "fallback"),
        ("attachment; filename=a.txt; filename=b.txt", "fallback"),
        ("attachment", "fallback"),
        ("", "fallback"),
        (None, "fallback"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        ('attachment; filename="..\\..\\boot.ini"', "boot.ini"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename*=UTF-8''..%5Cx.txt", "x.txt"),
        ('attachment; filename=".."', "fallback"),
        ('attachment; filename="."', "fallback"),
        ('attachment; filename=""', "fallback"),
        ('attachment; filename="a/"', "fallback"),
        ('attachment; filename="C:evil.txt"', "evil.txt"),
        ("attachment; filename*=UTF-8''a%00b%0A.txt", "ab.txt"),
        ("attachment; filename*=UTF-8''a%E2%80%AEtxt.exe", "atxt.exe"),
        ('attachment; filename=".bashrc"', "bashrc"),
        ('attachment; filename="-rf"', "rf"),
        ('attachment; filename="CON"', "_CON"),
        ('attachment; filename="nul.txt"', "_nul.txt"),
        ('attachment; filename="a.txt. . "', "a.txt"),
        ('attachment; filename="aa:b|c?.txt"', "aa_b_c_.txt"),
        (f'attachment; filename="{"a" * 300}.txt"', f"{'a' * 196}.txt"),
    ],
)
def test_names_that_content_disposition_gives(disposition: str | None, name: str) -> None:
    assert named(disposition) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/a/b.txt", "b.txt"),
        ("http://h/b.txt?x=c.pdf#d.e", "b.txt"),
        ("http://h/b%20c.txt", "b c.txt"),
        ("http://h/%ff.txt", "\ufffd.txt"),
        ("http://h/a/", "fallback"),
        ("http://h", "fallback"),
        ("http://h.test", "fallback"),
        ("http://h/data", "fallback"),
        ("http://h/.htaccess", "fallback"),
        ("http://h/data.", "fallback"),
        ("http://h/..", "fallback"),
        ("http://h/...%2e", "fallback"),
        ("http://h/..%2f..%2fetc%2fpasswd.txt", "passwd.txt"),
        ("http://h/a.b%00c", "a.bc"),
        ("http://h/x;v=1.txt", "x;v=1.txt"),
        ("http://h/con.txt", "_con.txt"),
    ],
)
def test_names_that_a_url_gives(url: str, name: str) -> None:
    assert named(url=url) == name
    assert name_of(None, url, "fallback") == name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text/html", "download.html"),
        ("application/json", "download.json"),
        ("text/html; charset=utf-8", "download.html"),
        ("text/html ;charset=utf-8", "download.html"),
        ("x/unheard-of", "fallback"),
        ("../../etc", "fallback"),
        ("", "fallback"),
        (None, "fallback"),
    ],
)
def test_names_that_a_media_type_gives(kind: str | None, name: str) -> None:
    assert named(kind=kind) == name


def test_content_disposition_goes_first_then_the_url_then_the_media_type() -> None:
    assert named("attachment; filename=a.txt", "http://h/b.txt", "text/html") == "a.txt"
    assert named("attachment; filename=..", "http://h/b.txt", "text/html") == "b.txt"
    assert named("attachment", NAMELESS, "text/html") == "download.html"


@pytest.mark.parametrize("filename", ["..", "", "........tmpworkbuffyevil.txt", "/etc/passwd"])
def test_the_servers_own_reading_is_not_used(filename: str) -> None:
    assert named(filename=filename) == "fallback"


@pytest.mark.parametrize("fallback", [None, "", "x", "download"])
def test_the_fallback_is_the_callers(fallback: str | None) -> None:
    assert name_of(None, NAMELESS, fallback) == fallback
    assert name_of(ResponseContentAttributes(), NAMELESS, fallback) == fallback


@settings(deadline=None, max_examples=100)
@given(st.text(), st.sampled_from(["attachment; filename=", 'attachment; filename="', "attachment; filename*=utf-8''"]))
def test_whatever_is_said_a_name_stays_in_its_folder(text: str, start: str) -> None:
    for name in (named(f'{start}{text}"'), name_of(None, f"http://h/{text}", None)):
        if name is None:
            continue
        folder = Path("/folder")
        assert (folder / name).parent == folder
        assert name not in ("", ".", "..")
        assert name.isprintable()
        assert len(name.encode()) <= 200


@BOTH
def test_a_handle_asks_for_the_name_of_what_is_served(colour: str) -> None:
    told = {"content_disposition": 'attachment; filename="../blob file.bin"', "filename": "blob"}
    buffy = FakeBuffy(version(content_attributes=told))
    made = buffy.client(colour)

    assert get(get(made.create_request("http://origin.test/x")).get_filename()) == "blob file.bin"


@BOTH
def test_a_handle_gives_the_fallback_where_nothing_is_said(colour: str) -> None:
    made = FakeBuffy().client(colour)
    asked = get(made.create_request("http://origin.test/x"))

    assert get(asked.get_filename()) == "download"
    assert get(asked.get_filename("other")) == "other"
    assert get(asked.get_filename(fallback_filename=None)) is None
    assert get(get(made.create_request(ORIGIN)).get_filename()) == "file.txt"
