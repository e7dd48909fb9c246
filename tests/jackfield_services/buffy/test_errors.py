"""The errors: by whom they are caught, that they can be sent to other processes, and what they do not show."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from tests.jackfield_services.buffy.buffy_world import BOTH, ORIGIN, client, get

import jackfield_services.buffy as buffy
from jackfield import (
    ContractError,
    DeadlineExceededError,
    JackfieldError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    Response,
    ServiceError,
    SignatureError,
    UsageError,
)
from jackfield.testing import FakeTransport
from jackfield_services.buffy import BuffyError, BuffyServerError, BuffyUnknownError

KINDS: list[tuple[type[BuffyError], tuple[type[BaseException], ...]]] = [
    (BuffyError, (JackfieldError,)),
    (buffy.BuffyValueError, (UsageError, ValueError)),
    (BuffyServerError, (ServiceError,)),
    (BuffyUnknownError, (BuffyServerError, NotFoundError)),
    (buffy.BuffyCacheEmptyError, (JobFailedError, ServiceError)),
    (buffy.BuffyNoMatchError, (NotFoundError, ValueError)),
    (buffy.BuffyTimeoutError, (JobTimeoutError, DeadlineExceededError, TimeoutError)),
    (buffy.BuffyIntegrityError, (SignatureError, ContractError)),
    (buffy.BuffyNotAppliedError, (ContractError,)),
]


def test_every_error_is_listed_here() -> None:
    public = [kind for name in buffy.__all__ if name.endswith("Error") and (kind := getattr(buffy, name))]
    assert set(public) == {kind for kind, _ in KINDS}


@pytest.mark.parametrize(("kind", "bases"), KINDS)
def test_errors_are_caught_by_their_meaning(kind: type[BuffyError], bases: tuple[type[BaseException], ...]) -> None:
    assert issubclass(kind, BuffyError)
    for base in bases:
        assert issubclass(kind, base)


@pytest.mark.parametrize(("kind", "bases"), KINDS)
def test_errors_come_whole_to_other_processes(kind: Any, bases: Any) -> None:
    error = kind("it went wrong")
    error.note = 5
    copied = pickle.loads(pickle.dumps(error))

    assert type(copied) is kind
    assert (str(copied), copied.note) == ("it went wrong", 5)
    assert kind.__module__ == "jackfield_services.buffy"


class OfAUser(BuffyError):
    """Somebody's own."""


def test_an_error_of_a_users_own_is_the_users() -> None:
    assert OfAUser.__module__ == __name__
    assert isinstance(pickle.loads(pickle.dumps(OfAUser("why"))), OfAUser)


@BOTH
@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 409, 422, 429, 500, 501])
def test_what_a_server_refuses_has_its_status_and_its_words(colour: str, status: int) -> None:
    answer = Response(status, {"retry-after": "0", "location": "http://elsewhere.test/"}, b'{"detail": "no"}')
    made = client(colour, transport=FakeTransport(otherwise=answer))

    with pytest.raises(BuffyServerError, match=f'Buffy answered {status}: {{"detail": "no"}}') as caught:
        get(made.create_request(ORIGIN))
    assert (caught.value.status, caught.value.text) == (status, '{"detail": "no"}')
    assert isinstance(caught.value, BuffyUnknownError) == (status == 404)
    assert pickle.loads(pickle.dumps(caught.value)).status == status


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"Internal Server Error", "Internal Server Error"),
        (b"<html>" + b"x" * 10_000, "<html>" + "x" * 194),
        (b"\xff\xfe\n ", "\ufffd\ufffd"),
        ("ä".encode() * 500, "ä" * 200),
    ],
)
def test_of_an_answer_a_piece_is_kept(body: bytes, text: str) -> None:
    error = BuffyServerError.of(Response(500, body=body))

    assert error.text == text
    assert str(error) == (f"Buffy answered 500: {text}" if text else "Buffy answered 500")
