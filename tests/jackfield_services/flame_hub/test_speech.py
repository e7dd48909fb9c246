"""What one answer tells of the generation of its Hub."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import ContractError, Response
from jackfield.testing import json_response
from jackfield_services.flame_hub._model import NEW, OLD, Generation
from jackfield_services.flame_hub._speech import Speech, generation_of

SAYS_NO = {"statusCode": 404, "code": "NOT_FOUND", "message": ""}


@pytest.mark.parametrize(
    ("body", "generation"),
    [
        ({"id": "a", "created_at": "b"}, OLD),
        ({"id": "a", "createdAt": "b"}, NEW),
        ({"created_at": "b", "someThing": 1}, OLD),
        ({"createdAt": "b", "some_thing": 1}, NEW),
        ({"realm_id": "a"}, OLD),
        ({"realmId": "a"}, NEW),
        ({"id": "a", "name": "b"}, None),
        ({}, None),
        ({"data": {"id": "a"}, "meta": {}}, NEW),
        ({"data": {"id": "a", "some_thing": "b"}, "meta": {}}, NEW),
        ({"data": {"id": "a", "created_at": "b"}, "meta": {}}, OLD),
        ({"data": [], "meta": {"total": 0}}, OLD),
        ({"data": [], "meta": {"total": 0, "schema": {}}}, NEW),
        ({"data": [], "meta": {"total": 0, "schema": None}}, NEW),
        ({"data": []}, None),
        ({"data": [{"id": "a"}], "meta": {"total": 1}}, None),
        ({"data": [{"id": "a"}], "meta": {"total": 1, "schema": {}}}, NEW),
        ({"data": [{"id": "a", "created_at": "b"}], "meta": {"total": 1}}, OLD),
        ({"data": [{"id": "a", "createdAt": "b"}], "meta": {"total": 1}}, NEW),
        ({"data": [{"id": "a", "actor_id": "b"}]}, OLD),
        ({"data": [{"id": "a", "actorId": "b"}]}, NEW),
        ({"data": [5], "meta": {}}, None),
        ({"data": [None, {"created_at": "b"}]}, None),
        ({"data": None, "meta": {}}, None),
        ({"data": "text", "meta": {}}, None),
        ({"created_at": "b", "data": {"a": 1}}, OLD),
        ({"created_at": "b", "data": None, "meta": 5}, OLD),
        (SAYS_NO, NEW),  # of an answer that says yes, these are the names of fields
        ([], None),
        (None, None),
        (5, None),
        ("created_at", None),
    ],
)
def test_an_answer_tells_the_generation(body: Any, generation: Generation | None) -> None:
    assert generation_of(json_response(body)) == generation


REFUSALS: list[tuple[Any, Generation | None]] = [
    (SAYS_NO, OLD),
    (SAYS_NO | {"children": []}, OLD),
    (SAYS_NO | {"issues": []}, NEW),
    ({"statusCode": 404, "message": "Cannot GET /", "error": "Not Found"}, None),
    ({"code": "not_found"}, None),
    ({"error_code": 5, "created_at": "b"}, None),
    ({"data": {}, "meta": {}}, None),
    ([], None),
]


@pytest.mark.parametrize(("body", "generation"), REFUSALS)
def test_a_refusal_tells_the_generation_if_it_is_the_hubs(body: Any, generation: Generation | None) -> None:
    assert generation_of(json_response(body, 404)) == generation


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"{", b'{"a":' * 100_000])
def test_what_cannot_be_read_tells_nothing(body: bytes) -> None:
    assert generation_of(Response(200, body=body)) is None
    assert generation_of(Response(500, body=body)) is None


def test_what_is_not_known_is_read_as_the_new_generation() -> None:
    speech = Speech(None)

    assert (speech.learn(json_response({})), speech.generation) == (NEW, None)
    assert (speech.learn(json_response({"created_at": 1})), speech.generation) == (OLD, OLD)
    assert (speech.learn(json_response({})), speech.generation) == (OLD, OLD)
    assert (speech.learn(json_response({"createdAt": 1})), speech.generation) == (NEW, NEW)


def test_what_the_user_says_is_held_to() -> None:
    speech = Speech(OLD)

    assert (speech.learn(json_response({})), speech.learn(json_response({"created_at": 1}))) == (OLD, OLD)
    with pytest.raises(ContractError, match=r"of generation 1\.1\.0, .* generation='0\.1\.1'"):
        speech.learn(json_response({"createdAt": 1}))
    assert speech.generation == OLD
