"""Origins, URLs and query strings (RFC 3986): the URL that is checked is the one that is used."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Origin, Request, Url, UsageError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize(
    ("text", "origin", "path"),
    [
        ("https://api.example.com", Origin("https", "api.example.com", 443), "/"),
        ("https://api.example.com/", Origin("https", "api.example.com", 443), "/"),
        ("http://api.example.com:8080/client/api", Origin("http", "api.example.com", 8080), "/client/api"),
        ("HTTPS://API.Example.COM:443/Path", Origin("https", "api.example.com", 443), "/Path"),
        ("http://127.0.0.1:80/", Origin("http", "127.0.0.1", 80), "/"),
        ("http://[::1]:8080/a", Origin("http", "::1", 8080), "/a"),
        ("http://h:/", Origin("http", "h", 80), "/"),
        ("https://xn--bcher-kva.example/%C3%BC", Origin("https", "xn--bcher-kva.example", 443), "/%C3%BC"),
        ("https://example.com./a//b/", Origin("https", "example.com.", 443), "/a//b/"),
    ],
)
def test_an_absolute_http_url_is_read(text: str, origin: Origin, path: str) -> None:
    assert Url.parse(text) == Url(origin, path)


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin("https", "h", 443), "https://h"),
        (Origin("http", "h", 80), "http://h"),
        (Origin("https", "h", 80), "https://h:80"),
        (Origin("http", "h", 443), "http://h:443"),
        (Origin("http", "::1", 8080), "http://[::1]:8080"),
    ],
)
def test_an_origin_prints_without_its_default_port_and_is_read_back(origin: Origin, text: str) -> None:
    assert str(origin) == text
    assert Url.parse(text).origin == origin


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "scheme"),
        ("api.example.com/client", "scheme"),
        ("//api.example.com/", "scheme"),
        ("http:/host", "scheme"),
        ("ftp://h/", "'ftp'"),
        ("file:///etc/passwd", "'file'"),
        ("javascript://h/", "'javascript'"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://:443/", "host"),
        ("https://-h/", "host"),
        ("https://[::1%25eth0]/", "host"),
        ("https://user@h/", "user name"),
        ("https://user:pass@h/", "user name"),
        ("https://@h/", "user name"),
        ("https://h/?a=1", "query"),
        ("https://h?", "query"),
        ("https://h/#f", "fragment"),
        ("https://h/#", "fragment"),
        ("https://h:99999/", "not a URL"),
        ("https://h:-1/", "not a URL"),
        ("https://h:x/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://[nonsense]/", "not a URL"),
        ("https://bücher.example/", "punycode"),
        ("https://h/ü", "percent-encode"),
        ("https://h/a b", "blanks"),
        ("https://h/a\nb", "blanks"),
        (" https://h/", "blanks"),
        ("https://h\t/", "blanks"),
        ("https://h\x00/", "blanks"),
        ("https://h\\@evil.example/", "percent-encode"),
        ("https://h/{id}", "percent-encode"),
        ("https://h/[id]", "percent-encode"),
    ],
)
def test_what_is_no_plain_absolute_url_is_refused_and_the_error_says_why(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Url.parse(text)


@pytest.mark.parametrize("text", ["https://h/%", "https://h/100%", "https://h/%zz", "https://h/%4", "https://h/a%/b"])
def test_a_percent_sign_that_encodes_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Url.parse(text)


@pytest.mark.parametrize("text", ["https://[v1.example.org]/", "https://.../", "https://./", "https://a..b/"])
def test_what_only_looks_like_a_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Url.parse(text)


@pytest.mark.parametrize("given_value", [None, b"https://h/", 5, Url.parse("https://h/")])
def test_what_is_not_text_is_a_usage_error(given_value: Any) -> None:
    with pytest.raises(UsageError):
        Url.parse(given_value)


@pytest.mark.parametrize(
    "text",
    [
        "https://admin:hunter2@h/",
        "https://admin:hunter2@h:x/",
        "admin:hunter2@h/",
        "https://admin:hunter2/",
        "https://admin:hunter2/more@h/",
        "ftp://admin:hunter2@h/",
        "h/?password=hunter2",
        "https://h/?password=hunter2",
        "https://h/#hunter2",
    ],
)
def test_no_error_about_a_url_shows_a_password_in_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Url.parse(text)

    assert "hunter2" not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("base", "segments", "path"),
    [
        ("https://h", ("a", "b"), "/a/b"),
        ("https://h/v1", ("a",), "/v1/a"),
        ("https://h/v1/", ("a",), "/v1/a"),
        ("https://h/v1/", (), "/v1/"),
        ("https://h", ("a/b",), "/a%2Fb"),
        ("https://h", ("../x",), "/..%2Fx"),
        ("https://h", ("%2e%2e",), "/%252e%252e"),
        ("https://h", ("a?b#c;d",), "/a%3Fb%23c%3Bd"),
        ("https://h", ("a b+c",), "/a%20b%2Bc"),
        ("https://h", ("ü~-._",), "/%C3%BC~-._"),
        ("https://h", ("\\", "a\nb"), "/%5C/a%0Ab"),
    ],
)
def test_a_segment_is_escaped_so_that_it_stays_one(base: str, segments: tuple[str, ...], path: str) -> None:
    assert Url.parse(base).at(*segments).path == path


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_that_would_name_another_resource_is_refused(segment: str) -> None:
    with pytest.raises(UsageError, match="another resource"):
        Url.parse("https://h/a").at("b", segment)


@pytest.mark.parametrize("segment", [5, None, b"a", ["a"]])
def test_a_segment_that_is_not_text_is_a_usage_error(segment: Any) -> None:
    with pytest.raises(UsageError):
        Url.parse("https://h/").at("a", segment)


def test_half_of_a_surrogate_pair_in_a_segment_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        Url.parse("https://h/").at("\ud800")


@given(st.lists(TEXT.filter(lambda text: text not in ("", ".", "..")), min_size=1, max_size=4))
@settings(deadline=None, max_examples=200)
def test_whatever_the_segments_they_are_read_back_as_they_were(segments: list[str]) -> None:
    base = Url.parse("https://h/v1")

    url = base.at(*segments)

    assert urlsplit(str(url)).netloc == "h"
    assert [unquote(part) for part in url.path.split("/")] == ["", "v1", *segments]
    assert Url.parse(str(url)) == url


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
@settings(deadline=None, max_examples=200)
def test_whatever_the_query_it_is_read_back_as_it_was(query: list[tuple[str, str]]) -> None:
    target = Request("GET", Url.parse("https://h/a"), query=query).target

    path, mark, encoded = target.partition("?")
    assert path == "/a"
    assert bool(mark) == bool(query)
    assert target.isascii()
    assert "+" not in encoded
    assert parse_qsl(encoded, keep_blank_values=True, max_num_fields=10) == query or query == []


@given(st.text(st.characters(max_codepoint=0x7F), max_size=20))
@settings(deadline=None, max_examples=300)
def test_whatever_the_text_a_url_that_is_accepted_names_the_host_that_others_see(tail: str) -> None:
    try:
        url = Url.parse(f"https://{tail}")
    except UsageError:
        return

    assert url.origin.host == urlsplit(f"https://{tail}").hostname
    assert Url.parse(str(url)) == url
