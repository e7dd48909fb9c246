"""The tree of errors: as it is drawn, as plain data, and without a secret."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import jackfield
from jackfield import (
    BadRequestError,
    CallSummary,
    ConflictError,
    ConnectError,
    DeadlineExceededError,
    ForbiddenError,
    JackfieldError,
    JobCancelledError,
    JobTimeoutError,
    NetworkError,
    NotFoundError,
    PluginError,
    PoolTimeoutError,
    RateLimitedError,
    ReadTimeoutError,
    Request,
    Response,
    Service,
    ServiceError,
    TLSError,
    TruncatedBodyError,
    UnauthorizedError,
    UnavailableError,
    operation,
)
from jackfield import _errors as module
from jackfield.testing import FakeTransport

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour

CANARY = "-".join(("hunter2", "canary"))  # not as one word: a traceback shows source lines
CALL = CallSummary("get_node", "GET", "https://h/nodes?id=***", 3, 1.234, False)


def every_kind() -> list[type[JackfieldError]]:
    """The root and all below it that the core defines, in the order of their names."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, JackfieldError)]
    return sorted(kinds, key=lambda kind: kind.__name__)


def filled(kind: type[JackfieldError]) -> JackfieldError:
    """One of the kind with everything it can hold."""
    if issubclass(kind, ServiceError):
        response = Response(404, {"a": "b"}, b"no")
        error: JackfieldError = kind("it is gone", status=404, code="E7", text="gone", response=response)
    else:
        error = kind("it is gone")
    error.attach(CALL)
    error.add_note("seen by the test")
    return error


KINDS = pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)


def test_the_tree_drawn_in_the_docstring_is_the_tree_of_the_classes() -> None:
    drawn: dict[str, str] = {}
    above: list[str] = []
    for line in (module.__doc__ or "").splitlines():
        if match := re.match(r"((?:[│ ]   )*(?:[├└]── )?)([A-Z]\w+Error)\b", line):
            depth = len(match[1]) // 4
            above[depth:] = [match[2]]
            drawn[match[2]] = above[depth - 1] if depth else "Exception"

    built = {kind.__name__: kind.__bases__[0].__name__ for kind in every_kind()}

    assert drawn == built
    assert len(drawn) > 25


@KINDS
def test_every_error_has_one_parent_says_what_it_means_and_is_exported(kind: type[JackfieldError]) -> None:
    assert len(kind.__bases__) == 1
    assert (vars(kind)["__doc__"] or "").splitlines()[0].endswith(".")
    assert getattr(jackfield, kind.__name__) is kind


@KINDS
def test_an_error_says_its_message_and_after_it_in_which_call_it_happened(kind: type[JackfieldError]) -> None:
    error = kind("it is gone")

    assert str(error) == "it is gone"
    error.attach(CALL)
    assert str(error) == "it is gone [get_node: GET https://h/nodes?id=***, 3 attempts, 1.23 s]"
    assert error.message == "it is gone"


@KINDS
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling_with_all_it_holds(kind: type[JackfieldError], protocol: int) -> None:
    error = filled(kind)

    again = pickle.loads(pickle.dumps(error, protocol))

    assert type(again) is kind
    assert again.args == error.args
    assert vars(again) == vars(error)
    assert vars(again).keys() >= {"message", "call"}
    assert str(again) == str(error)


@KINDS
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_of_an_error_holds_the_same_and_shares_no_notes(kind: type[JackfieldError], duplicate: Any) -> None:
    error = filled(kind)

    again = duplicate(error)
    again.add_note("seen by one only")

    assert type(again) is kind
    assert {**vars(again), "__notes__": []} == {**vars(error), "__notes__": []}
    assert error.__notes__ == ["seen by the test"]
    assert again.__notes__ == ["seen by the test", "seen by one only"]


def test_an_error_of_a_bundle_with_a_constructor_of_its_own_survives_pickling() -> None:
    error = BundleError(507, detail="full")
    error.attach(CALL)

    again = pickle.loads(pickle.dumps(error))

    assert (type(again), again.number, again.detail, again.call) == (BundleError, 507, "full", CALL)
    assert str(again) == str(error)


class BundleError(ServiceError):
    """Its constructor takes something else than the message."""

    def __init__(self, number: int, *, detail: str) -> None:
        super().__init__(f"number {number}", status=number)
        self.number = number
        self.detail = detail


def test_the_innermost_call_is_the_one_an_error_tells_of() -> None:
    error = NotFoundError("gone")

    error.attach(CALL)
    error.attach(CALL._replace(operation="outer"))

    assert error.call == CALL


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (CALL, "get_node: GET https://h/nodes?id=***, 3 attempts, 1.23 s"),
        (CALL._replace(attempts=1), "get_node: GET https://h/nodes?id=***, 1 attempt, 1.23 s"),
        (CallSummary("get_node", "", "", 0, 0.0, False), "get_node: 0 attempts, 0.00 s"),
        (
            CALL._replace(may_have_been_processed=True),
            "get_node: GET https://h/nodes?id=***, 3 attempts, 1.23 s, may have been processed",
        ),
    ],
)
def test_a_summary_reads_as_a_line(summary: CallSummary, text: str) -> None:
    assert str(summary) == text


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, NotFoundError),
        (412, ConflictError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (502, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
        (418, ServiceError),
        (500, ServiceError),
        (501, ServiceError),
        (599, ServiceError),
        (999, ServiceError),
    ],
)
def test_a_status_has_an_error_that_says_what_it_means(status: int, kind: type[ServiceError]) -> None:
    response = Response(status, {"set-cookie": "hunter2"}, b"hunter2")

    error = ServiceError.from_response(response)

    assert type(error) is kind
    assert error.status == status
    assert error.response == response
    assert str(status) in str(error)
    assert "hunter2" not in f"{error!s} {error!r} {vars(error)}"


@pytest.mark.parametrize("kind", [kind for kind in every_kind() if issubclass(kind, NetworkError)])
def test_only_what_happens_before_the_connection_stands_was_certainly_not_sent(kind: type[NetworkError]) -> None:
    assert kind("x").sent is not issubclass(kind, ConnectError)


def test_the_kinds_that_share_a_reaction_share_a_parent() -> None:
    assert issubclass(PoolTimeoutError, ConnectError)
    assert issubclass(TLSError, ConnectError)
    assert issubclass(TruncatedBodyError, NetworkError)
    assert issubclass(JobTimeoutError, DeadlineExceededError)
    assert issubclass(JobCancelledError, ServiceError)
    assert issubclass(PluginError, jackfield.UsageError)
    assert not issubclass(DeadlineExceededError, NetworkError)


def test_no_error_class_hides_one_of_pythons_names() -> None:
    import builtins

    assert not [kind.__name__ for kind in every_kind() if hasattr(builtins, kind.__name__)]


def test_an_overdue_call_says_how_long_it_had() -> None:
    assert "within 2.5 s" in str(DeadlineExceededError.after(2.5))
    assert isinstance(JobTimeoutError.after(1), JobTimeoutError)


class Vault(Service):
    @operation
    async def open(self, key: str) -> bytes:
        """Sends the key in every place where a secret may be."""
        secret = {"authorization": f"Bearer {key}", "x-api-key": key, "cookie": key}
        return (
            await self.send(Request("POST", self.url(), query={"key": key}, headers=secret, body=key.encode()))
        ).content


@pytest.mark.parametrize(
    "answer", [Response(401, {"www-authenticate": "x"}, b"no"), ReadTimeoutError("late"), ConnectError("down")]
)
def test_an_error_of_a_call_shows_and_holds_no_secret_of_the_request(colour: Colour, answer: Any) -> None:
    client = colour.client(Vault, FakeTransport([answer]))

    with pytest.raises(JackfieldError) as caught:
        colour.get(client.open(CANARY))

    shown = "".join(traceback.format_exception(caught.value, chain=True))
    shown += f"{caught.value!s} {caught.value!r} {caught.value.call!r} {vars(caught.value)!r}"
    assert CANARY not in shown
    assert CANARY.encode() not in pickle.dumps(caught.value)
