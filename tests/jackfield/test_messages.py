"""Requests and responses as values: checked when made, frozen, and safe to print."""

from __future__ import annotations

import copy
import pickle
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import DecodeError, Headers, Model, Origin, Request, Response, Secret, StreamBody, Url, UsageError

HERE = Url.parse("https://api.example.test/v1")


class Node(Model):
    id: int
    tags: list[str] = []  # noqa: RUF012 - msgspec gives each its own


class Arriving:
    """A body that is still under way."""

    async def read(self) -> bytes:
        return b""

    async def close(self) -> None:
        pass


def test_the_target_is_path_and_encoded_query_in_the_order_given() -> None:
    request = Request("GET", HERE, query=[("b", "1 2"), ("a", "ü&="), ("b", "")])

    assert request.target == "/v1?b=1%202&a=%C3%BC%26%3D&b="
    assert Request("GET", HERE).target == "/v1"


def test_a_query_may_be_a_mapping_and_headers_may_be_anything_that_makes_headers() -> None:
    request = Request("GET", HERE, query={"a": "1", "b": "2"}, headers={"X": "y"})

    assert request.query == (("a", "1"), ("b", "2"))
    assert request.headers == Headers([("x", "y")])


@pytest.mark.parametrize("method", ["", "GET ", "GE T", "GET\n", "GET\r\nX: y", "GÉT", "G(T", None, b"GET"])
def test_a_method_that_is_no_token_is_refused(method: Any) -> None:
    with pytest.raises(UsageError):
        Request(method, HERE)


@pytest.mark.parametrize("url", ["https://api.example.test/", None, ("https", "h", 443)])
def test_a_url_that_is_not_a_url_value_is_refused_when_the_request_is_made(url: Any) -> None:
    with pytest.raises(UsageError):
        Request("GET", url)


@pytest.mark.parametrize(
    "url",
    [
        HERE._replace(path="/a\r\nX: y"),
        HERE._replace(path="/a b"),
        HERE._replace(path="/ü"),
        HERE._replace(path="/a?b=c"),
        HERE._replace(path="/a#b"),
        HERE._replace(path="a"),
        HERE._replace(path=""),
        HERE._replace(path="//evil.example/\x00"),
        Url(Origin("https", "h\r\nx", 443), "/"),
        Url(Origin("https", "h/a", 443), "/"),
        Url(Origin("https", "", 443), "/"),
        Url(Origin("ftp", "h", 21), "/"),
    ],
    ids=repr,
)
def test_a_url_value_that_was_put_together_wrongly_is_refused_when_the_request_is_made(url: Url) -> None:
    with pytest.raises(UsageError):
        Request("GET", url)


@pytest.mark.parametrize("body", ["text", None, bytearray(b"x"), {"a": 1}, 5])
def test_a_body_that_is_neither_bytes_nor_a_stream_is_refused(body: Any) -> None:
    with pytest.raises(UsageError, match="bytes or a StreamBody"):
        Request("PUT", HERE, body=body)


@pytest.mark.parametrize(
    "query", [{"a": 1}, {"a": None}, {"a": True}, [("a", b"b")], [(1, "b")], {"a": "\ud800"}, {"\udc00": "a"}]
)
def test_a_query_parameter_that_is_not_clean_text_is_refused(query: Any) -> None:
    with pytest.raises(UsageError, match="query parameter"):
        Request("GET", HERE, query=query)


@pytest.mark.parametrize("query", ["a=b+c&d&e=%2F~", "", "a=%ff", "?", "q=1&q=2"])
def test_a_query_that_is_encoded_already_is_sent_as_it_is(query: str) -> None:
    request = Request("GET", HERE, query=query)

    assert request.target == f"{HERE.path}?{query}"
    assert request.replace(method="HEAD").target == request.target
    assert request.with_headers(Headers({"a": "b"})).target == request.target
    assert copy.copy(request) == request
    assert request.replace(query=[("x", "y z")]).target == f"{HERE.path}?x=y%20z"


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (Node(id=7), b'{"id":7,"tags":[]}'),
        ({"a": [1, None, "\xfc"]}, '{"a":[1,null,"\xfc"]}'.encode()),
        (None, b"null"),
    ],
)
def test_a_json_request_says_what_its_body_is(value: Any, body: bytes) -> None:
    request = Request.json("POST", HERE, value, query={"q": "1"}, idempotent=True)

    assert request == Request(
        "POST", HERE, query={"q": "1"}, headers={"content-type": "application/json"}, body=body, idempotent=True
    )


def test_a_json_request_may_name_its_content_type_itself() -> None:
    request = Request.json("PATCH", HERE, {}, headers={"Content-Type": "application/merge-patch+json", "x-a": "1"})

    assert request.headers.pairs() == [("Content-Type", "application/merge-patch+json"), ("x-a", "1")]


@pytest.mark.parametrize("value", [object(), {1: {2j: 3}}, "\ud800", Secret("canary"), {("a",): 1}])
def test_what_has_no_form_in_json_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(UsageError, match="no form in JSON") as caught:
        Request.json("POST", HERE, {"it": value})

    assert "canary" not in str(caught.value)


def test_a_value_that_holds_itself_has_no_form_in_json() -> None:
    value: list[Any] = []
    value.append(value)

    with pytest.raises(UsageError, match="no form in JSON"):
        Request.json("POST", HERE, value)


def test_the_pairs_of_an_encoded_query_can_be_read_and_its_values_are_not_shown() -> None:
    request = Request("GET", HERE, query="a=b+c&d&e=%2F")

    assert request.query == (("a", "b c"), ("d", ""), ("e", "/"))
    assert request.redacted(frozenset({"a"})).endswith("?a=b%20c&d=***&e=***")


def test_a_query_from_a_peer_that_is_no_utf_8_can_be_shown() -> None:
    assert Request("GET", HERE, query="%ff=%fe").redacted().endswith("?%FF=***")
    assert Request("GET", HERE, query="a=%fe").redacted(frozenset({"a"})).endswith("?a=%FE")


@pytest.mark.parametrize("query", ["a b", "a=\n", "a=ä", "a#b", "a=%", "a=%zz", "a=[", 'a="'])
def test_a_query_that_is_not_encoded_is_refused(query: str) -> None:
    with pytest.raises(UsageError, match="must be percent-encoded"):
        Request("GET", HERE, query=query)


@pytest.mark.parametrize("query", [["ab=c"], [("a",)], [("a", "b", "c")], [None]])
def test_a_query_that_is_neither_a_mapping_nor_pairs_is_a_usage_error(query: Any) -> None:
    with pytest.raises(UsageError):
        Request("GET", HERE, query=query)


def test_the_error_for_a_query_parameter_does_not_show_its_value() -> None:
    with pytest.raises(UsageError) as caught:
        Request("GET", HERE, query={"password": "hunter2\ud800"})

    assert "password" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("method", "idempotent"),
    [
        ("GET", True),
        ("HEAD", True),
        ("PUT", True),
        ("DELETE", True),
        ("OPTIONS", True),
        ("TRACE", True),
        ("POST", False),
        ("PATCH", False),
        ("CONNECT", False),
        ("get", False),
        ("MERGE", False),
    ],
)
def test_the_method_tells_whether_a_request_is_idempotent(method: str, idempotent: bool) -> None:
    assert Request(method, HERE).is_idempotent is idempotent


def test_a_request_may_declare_itself_idempotent_or_not() -> None:
    assert Request("POST", HERE, idempotent=True).is_idempotent
    assert not Request("GET", HERE, idempotent=False).is_idempotent


def test_a_request_whose_method_is_replaced_is_as_idempotent_as_the_new_method() -> None:
    assert not Request("GET", HERE).replace(method="POST").is_idempotent
    assert Request("POST", HERE).replace(method="GET").is_idempotent
    assert not pickle.loads(pickle.dumps(Request("GET", HERE))).replace(method="POST").is_idempotent
    assert not Request("GET", HERE).with_headers(Headers()).replace(method="POST").is_idempotent


def test_what_a_request_declared_outlives_every_copy() -> None:
    request = Request("POST", HERE, idempotent=True)

    assert request.replace(method="PATCH").is_idempotent
    assert request.with_headers(Headers({"a": "b"})).is_idempotent
    assert pickle.loads(pickle.dumps(request)).is_idempotent
    assert not request.replace(idempotent=False).is_idempotent


def test_replace_changes_only_what_is_named_and_checks_it() -> None:
    request = Request("PUT", HERE, query={"a": "1"}, headers={"x": "y"}, body=b"z")

    changed = request.replace(body=b"other")

    assert changed == Request("PUT", HERE, query={"a": "1"}, headers={"x": "y"}, body=b"other")
    assert request.body == b"z"
    with pytest.raises(UsageError):
        request.replace(headers={"bad name": "y"})
    with pytest.raises(TypeError):
        request.replace(colour="red")


def test_with_headers_changes_the_headers_and_nothing_else() -> None:
    request = Request("PUT", HERE, query={"a": "1"}, headers={"x": "y"}, body=b"z", idempotent=False)

    changed = request.with_headers(Headers({"n": "m"}))

    assert changed == request.replace(headers={"n": "m"})
    assert request.headers == Headers({"x": "y"})


@pytest.mark.parametrize("message", [Request("GET", HERE), Response(200)])
def test_a_message_cannot_be_changed(message: Any) -> None:
    for name in ("headers", "body", "something_else"):
        with pytest.raises(AttributeError, match="frozen"):
            setattr(message, name, b"")
    with pytest.raises(AttributeError, match="frozen"):
        del message.headers


def test_equal_messages_are_equal_and_hash_alike_and_a_request_is_no_response() -> None:
    one, same = (Request("GET", HERE, query={"a": "1"}, headers={"x": "y"}) for _ in range(2))

    assert one == same
    assert hash(one) == hash(same)
    assert one != one.replace(query={"a": "2"})
    assert Response(200, {"a": "b"}, b"c") == Response(200, {"A": "b"}, b"c")
    assert Response(200) != Response(201)
    assert Response(200) != Response(200, redirects=[303]) == Response(200, redirects=(303,))
    assert one != Response(200)
    assert one != "GET"


@pytest.mark.parametrize(
    "message",
    [
        Request("PUT", HERE, query=[("a", "1"), ("a", "2")], headers={"x": "y"}, body=b"z", idempotent=False),
        Response(404, [("A", "1"), ("a", "2")], b"no", redirects=[301, 303]),
    ],
)
def test_a_message_survives_pickling_and_copying(message: Request | Response) -> None:
    assert pickle.loads(pickle.dumps(message)) == message
    assert copy.copy(message) == message
    assert copy.deepcopy(message) == message


def test_a_request_prints_no_value_of_its_query_and_nothing_of_headers_and_body() -> None:
    request = Request("POST", HERE, query={"token": "hunter2"}, headers={"authorization": "hunter2"}, body=b"hunter2")

    assert repr(request) == "<Request POST https://api.example.test/v1?token=***>"
    assert "hunter2" not in f"{request!r} {request!s} {request.redacted()}"


def test_a_redacted_url_shows_the_values_of_the_names_given_only() -> None:
    request = Request("GET", HERE, query=[("page", "1 2"), ("token", "hunter2"), ("Page", "3")])

    assert request.redacted(frozenset({"page"})) == "https://api.example.test/v1?page=1%202&token=***&Page=***"
    assert Request("GET", HERE).redacted() == "https://api.example.test/v1"


@given(
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), st.just("hunter2")), max_size=3)
)
@settings(deadline=None, max_examples=100)
def test_whatever_the_parameters_a_request_prints_on_one_line_without_their_values(
    query: list[tuple[str, str]],
) -> None:
    request = Request("GET", HERE, query=query)

    assert repr(request).isprintable()
    assert request.redacted().isascii()
    assert "hunter2" not in repr(request)


def test_a_response_prints_its_status_and_size_but_no_content() -> None:
    assert repr(Response(200, {"set-cookie": "hunter2"}, b"hunter2")) == "<Response 200, 7 bytes>"
    assert repr(Response(200, body=Arriving())) == "<Response 200, a stream>"


def test_content_is_the_body_and_of_a_stream_it_says_where_to_read() -> None:
    assert Response(200, body=b"abc").content == b"abc"
    with pytest.raises(UsageError, match=r"response\.body"):
        Response(200, body=Arriving()).content  # noqa: B018 - the property raises


def test_json_is_decoded_into_the_type_asked_for() -> None:
    response = Response(200, body=b'{"id": 7, "tags": ["a"], "later": null}')

    assert response.decode(Node) == Node(id=7, tags=["a"])
    assert response.decode(dict[str, Any]) == {"id": 7, "tags": ["a"], "later": None}
    assert Response(200, body=b"[1, 2]").decode(list[int]) == [1, 2]


def test_types_that_compare_alike_are_not_decoded_alike() -> None:
    assert Response(200, body=b"1").decode(int) == 1
    with pytest.raises(DecodeError):
        Response(200, body=b"1").decode(bool)
    assert Response(200, body=b"1").decode(Literal[1]) == 1
    assert Response(200, body=b"1.0").decode(float) == 1.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>",
        b"null",
        b"[]",
        b'{"id": "7"}',
        b'{"id": null}',
        b'{"tags": []}',
        b'{"id": 1, "tags": [1]}',
        b'{"id": 1}{"id": 2}',
        b'\xff\xfe{\x00"\x00',
        b'{"id": NaN}',
        b'{"id": 1, "tags": ["\xff"]}',
        b'{"id": 1e400}',
        b"[" * 100000,
        b'{"id":' * 100000,
        b'{"id": ' + b"9" * 100000 + b"}",
        b'{"id": 1, "tags": ["\\ud800"]}',
    ],
    ids=lambda body: repr(body[:16]),
)
def test_an_answer_that_is_not_the_json_expected_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError, match="200") as caught:
        Response(200, body=body).decode(Node)

    not_text = "not UTF-8" in str(caught.value)  # whose error would hold the string that cannot be read
    assert (caught.value.__cause__ is None) is not_text
    assert caught.value.__context__ is caught.value.__cause__
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000])
@pytest.mark.parametrize("into", [list[Any], dict[str, Any], Node])
def test_an_answer_nested_without_end_is_a_decode_error(body: bytes, into: Any) -> None:
    padded = b'{"later": ' + body if into is Node else body

    with pytest.raises(DecodeError):
        Response(200, body=padded).decode(into)


def test_a_decode_error_says_where_in_the_answer() -> None:
    with pytest.raises(DecodeError, match=r"\$\.tags\[1\]"):
        Response(200, body=b'{"id": 1, "tags": ["hunter2", 2]}').decode(Node)


def test_a_decode_error_can_be_pickled_and_does_not_quote_the_answer() -> None:
    with pytest.raises(DecodeError) as caught:
        Response(200, body=b'{"id": "hunter2"}').decode(Node)

    assert "hunter2" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_stream_is_not_decoded() -> None:
    with pytest.raises(UsageError):
        Response(200, body=Arriving()).decode(Node)


@given(
    st.binary(max_size=20) | st.lists(st.none() | st.integers() | st.floats()).map(lambda items: repr(items).encode())
)
@settings(deadline=None, max_examples=300)
def test_whatever_the_answer_decoding_gives_the_type_or_a_decode_error(body: bytes) -> None:
    try:
        decoded = Response(200, body=body).decode(list[int])
    except DecodeError:
        return

    assert isinstance(decoded, list)
    assert all(type(item) is int for item in decoded)


def test_a_stream_body_is_kept_as_it_is() -> None:
    body = StreamBody(lambda: [b"a"])

    assert Request("PUT", HERE, body=body).replace(method="POST").body is body
