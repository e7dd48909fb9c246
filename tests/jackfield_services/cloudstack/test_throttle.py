"""The rate limit (specification 2.7): its wait stands in the error's text, and whatever asks again keeps to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jackfield import Response, Without
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_plugins.retry import Retry
from jackfield_services.cloudstack import CloudStack, CloudStackRateLimitedError
from jackfield_services.cloudstack.emulator import CloudStackEmulator, Throttle, User

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

END_POINT = "https://cloud.test/client/api"


def limited(milliseconds: int = 4000, headers: dict[str, str] | None = None) -> Response:
    text = f"The given user has reached his/her account api limit, please retry after [{milliseconds}] ms."
    said: dict[str, Any] = {"uuidList": [], "errorcode": 429, "cserrorcode": 4545, "errortext": text}
    return json_response({"listzonesresponse": said}, 429, headers)


def answer(**fields: Any) -> Response:
    return json_response({"xresponse": fields})


def client_of(runtime: VirtualSyncRuntime, *answers: Response, **options: Any) -> CloudStack:
    return CloudStack(END_POINT, "key", "secret", transport=FakeTransport(answers), runtime=runtime, **options)


@pytest.mark.parametrize("command", ["listZones", "deployThing"])
@pytest.mark.parametrize("plugins", [[], [Retry(max_attempts=5, base=0.01, throttle_base=0.01)]])
def test_a_call_waits_as_long_as_it_is_told_whoever_retries_and_whatever_it_does(
    command: str, plugins: list[Any]
) -> None:
    runtime = VirtualSyncRuntime()
    client = client_of(runtime, limited(), limited(6000), answer(count=0), plugins=plugins)

    client.request(command)

    first, second = runtime.sleeps
    assert 4 <= first <= 4 * 1.5 + 1
    assert 6 <= second <= 6 * 1.5 + 2


def test_a_retry_after_of_a_proxy_goes_before_the_text() -> None:
    runtime = VirtualSyncRuntime()

    client_of(runtime, limited(4000, {"Retry-After": "20"}), answer(count=0)).listZones()

    assert 20 <= runtime.sleeps[0] <= 31


def test_a_wait_that_is_too_long_is_not_begun_and_is_told() -> None:
    runtime = VirtualSyncRuntime()

    with pytest.raises(CloudStackRateLimitedError) as caught:
        client_of(runtime, limited(61_000)).listZones()

    assert runtime.sleeps == []
    assert caught.value.retry_after == 61


@pytest.mark.parametrize("body", [b"", b"<html>slow down</html>", b'{"x":{"errortext":"retry after [] ms"}}'])
def test_a_429_that_says_nothing_is_tried_again_by_our_own_backoff(body: bytes) -> None:
    runtime = VirtualSyncRuntime()

    client_of(runtime, Response(429, body=body), answer(count=0)).listZones()

    assert runtime.sleeps[0] <= 1


def test_polls_of_a_job_keep_to_it_too() -> None:
    runtime = VirtualSyncRuntime()
    answers = [answer(jobid="7"), limited(9000), answer(jobstatus=1, jobresult={"id": "1"})]
    client = client_of(runtime, *answers, plugins=[Without("retry")])

    assert client.deployThing() == {"id": "1"}
    assert runtime.sleeps[0] == 2
    assert 9 <= runtime.sleeps[1] <= 9.9


def test_without_retries_it_is_its_own_error_with_the_wait(converse: Converse) -> None:
    transport = FakeTransport([limited(70)])

    with pytest.raises(CloudStackRateLimitedError) as caught:
        converse(lambda cs: cs.listZones(), transport=transport, plugins=[Without("retry")])

    assert caught.value.retry_after == 0.07
    assert caught.value.response is not None
    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1", "70")


def test_a_server_that_throttles_gets_its_rest() -> None:
    runtime = VirtualSyncRuntime()
    user = User(username="joe", role="User")
    with (
        CloudStackEmulator(users=[user], throttle=Throttle(calls=5, seconds=10), now=runtime.now) as cloud,
        CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, runtime=runtime) as client,
    ):
        for _ in range(12):
            client.listZones()

        assert [request.status for request in cloud.requests].count(200) == 12
        assert sum(runtime.sleeps) >= 20
        assert client.getApiLimit()["apilimit"]["apiAllowed"] >= 0
