"""What is known of an attempt that failed, and what may therefore be sent again."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import (
    BodyTooLargeError,
    CallSummary,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    Headers,
    NetworkError,
    PoolTimeoutError,
    ProtocolError,
    RateLimitedError,
    ReadTimeoutError,
    Request,
    Response,
    ServiceError,
    StreamBody,
    TLSError,
    TruncatedBodyError,
    UnavailableError,
    Url,
)
from jackfield_plugins.retry._failure import FAILURES, Failure, Kind, Known, of_error, of_response

URL = Url.parse("https://h/thing")
PROOF = frozenset({408, 421, 425, 429})
STREAM = StreamBody(lambda: [b"a"])


def request(method: str, body: bytes | StreamBody = b"", idempotent: bool | None = None) -> Request:
    return Request(method, URL, body=body, idempotent=idempotent)


@pytest.mark.parametrize(
    ("error", "kind", "known"),
    [
        (ConnectError("x"), Kind.TRANSIENT, Known.UNSENT),
        (ConnectTimeoutError("x"), Kind.TIMEOUT, Known.UNSENT),
        (PoolTimeoutError("x"), Kind.TIMEOUT, Known.UNSENT),
        (ConnectionLostError("x"), Kind.TRANSIENT, Known.UNSURE),
        (ReadTimeoutError("x"), Kind.TIMEOUT, Known.UNSURE),
        (TruncatedBodyError("x"), Kind.TRANSIENT, Known.UNSURE),
        (NetworkError("x"), Kind.TRANSIENT, Known.UNSURE),
    ],
)
def test_an_error_tells_whether_anything_was_sent(error: Any, kind: Kind, known: Known) -> None:
    assert of_error(error, PROOF, handed_over=True) == Failure(type(error).__name__, kind, known)


@pytest.mark.parametrize("error", [TLSError("x"), ProtocolError("x"), BodyTooLargeError("x")])
def test_what_would_be_wrong_again_is_no_failure_to_mend(error: Any) -> None:
    assert of_error(error, PROOF, handed_over=True) is None


def test_an_error_that_says_itself_that_it_is_permanent_is_believed() -> None:
    unknown_host = ConnectError("no such host")
    unknown_host.permanent = True

    assert of_error(unknown_host, PROOF, handed_over=True) is None


@pytest.mark.parametrize("kind", [UnavailableError, RateLimitedError])
def test_what_another_service_refused_before_the_request_was_handed_over_was_not_sent(
    kind: type[UnavailableError | RateLimitedError],
) -> None:
    answer = Response(503, {"retry-after": "7"})

    failure = of_error(kind("x", status=503, response=answer), PROOF, handed_over=False)

    assert failure is not None
    assert failure.known is Known.UNSENT
    assert failure.headers == Headers({"retry-after": "7"})
    assert failure.kind is (Kind.THROTTLE if kind is RateLimitedError else Kind.TRANSIENT)


@pytest.mark.parametrize(
    ("status", "known"), [(503, Known.UNSURE), (429, Known.REFUSED), (None, Known.UNSURE), (408, Known.REFUSED)]
)
def test_what_is_refused_after_the_request_was_handed_over_is_known_by_its_status(
    status: int | None, known: Known
) -> None:
    failure = of_error(UnavailableError("x", status=status), PROOF, handed_over=True)

    assert failure == Failure("UnavailableError", Kind.TRANSIENT, known)


def summarised(error: NetworkError) -> NetworkError:
    error.attach(CallSummary("x (token)", "POST", "https://login", 1, 0.1, True))
    return error


def test_a_request_on_the_side_that_was_lost_says_that_the_request_itself_was_not_sent() -> None:
    before = of_error(summarised(ReadTimeoutError("x")), PROOF, handed_over=False)
    after = of_error(summarised(ReadTimeoutError("x")), PROOF, handed_over=True)
    of_itself = of_error(ReadTimeoutError("x"), PROOF, handed_over=False)

    assert before is not None
    assert before.known is Known.UNSENT
    for failure in (after, of_itself):
        assert failure is not None
        assert failure.known is Known.UNSURE


@pytest.mark.parametrize("status", [408, 421, 425, 429, 500, 502, 503, 504])
def test_an_answer_is_a_proof_by_its_status(status: int) -> None:
    failure = of_response(Response(status, {"retry-after": "1"}), PROOF)

    assert failure.reason == str(status)
    assert failure.known is (Known.REFUSED if status in PROOF else Known.UNSURE)
    assert failure.kind is (Kind.THROTTLE if status == 429 else Kind.TRANSIENT)
    assert failure.headers["retry-after"] == "1"


def failed(known: Known) -> Failure:
    return Failure("x", Kind.TRANSIENT, known)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST", "PATCH"])
@pytest.mark.parametrize("body", [b"", b"bytes", STREAM])
def test_what_may_have_been_processed_is_repeated_only_if_that_is_idempotent(
    method: str, body: bytes | StreamBody
) -> None:
    safe = method not in ("POST", "PATCH")

    assert failed(Known.UNSENT).may_repeat(request(method, body))
    assert failed(Known.REFUSED).may_repeat(request(method, body))
    assert failed(Known.UNSURE).may_repeat(request(method, body)) is safe
    assert failed(Known.UNSURE).may_repeat(request(method, body, idempotent=True))
    assert not failed(Known.UNSURE).may_repeat(request(method, body, idempotent=False))


def test_a_body_that_was_read_and_can_be_read_once_only_is_not_repeated() -> None:
    put = request("PUT", StreamBody.once([b"a"]))

    assert failed(Known.UNSENT).may_repeat(put)
    assert not failed(Known.REFUSED).may_repeat(put)
    assert not failed(Known.UNSURE).may_repeat(put)


def test_no_error_of_the_service_says_by_its_class_that_it_is_mended_but_the_two() -> None:
    mended = {kind for kind in ServiceError.__subclasses__() if issubclass(kind, FAILURES)}

    assert mended == {UnavailableError, RateLimitedError}
