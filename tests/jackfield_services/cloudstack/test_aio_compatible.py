"""What callers of CloudStackAIO 0.0.8 touch (specification 4.1), and each of its defects, mended."""

from __future__ import annotations

import asyncio
import gc
import inspect
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from jackfield import Request, Response, UsageError
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack, CloudStackClientException
from jackfield_services.cloudstack.emulator import CloudStackEmulator

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

END_POINT = "https://cloud.test/client/api"
FAILED = "Async CloudStack call failed!"
NOT_JSON = "Could not decode content. Server did not return json content!"


def answers(*inside: Any, status: int = 200) -> FakeTransport:
    """A server whose answers hold these."""
    return FakeTransport([json_response({"xresponse": fields}, status) for fields in inside])


def job(**fields: Any) -> FakeTransport:
    """A server that starts a job, which has ended when it is asked for."""
    return answers({"jobid": 7}, fields)


def test_the_constructor_takes_its_arguments_in_their_order_and_nothing_connects() -> None:
    with pytest.warns(DeprecationWarning, match="event_loop"):
        client = AsyncCloudStack(END_POINT, "key", "secret", object(), 3, 100)

    assert (client.end_point, client.api_key, client.async_poll_latency, client.max_page_size) == (
        END_POINT,
        "key",
        3,
        100,
    )
    assert client.api_secret is not None
    assert client.api_secret.reveal() == "secret"


def test_the_constructor_takes_its_arguments_by_name_too() -> None:
    client = AsyncCloudStack(
        end_point=END_POINT, api_key="key", api_secret="secret", async_poll_latency=3, max_page_size=100
    )

    assert (client.async_poll_latency, client.max_page_size) == (3, 100)


def test_request_takes_the_command_by_name(converse: Converse) -> None:
    transport = answers({"text": "hello"})

    assert converse(lambda cs: cs.request(command="hello", a="1"), transport=transport) == {"text": "hello"}
    assert dict(transport.requests[0].query)["a"] == "1"


def test_a_commands_request_is_a_coroutine_which_sends_nothing_until_it_is_awaited() -> None:
    transport = answers({"text": "hello"})

    async def main() -> Any:
        client = AsyncCloudStack(END_POINT, "key", "secret", transport=transport, runtime=VirtualAsyncioRuntime())
        asked: Any = client.hello()
        assert inspect.isawaitable(asked)
        assert transport.requests == []
        return await asyncio.ensure_future(asked)

    assert asyncio.run(main()) == {"text": "hello"}


def test_the_clients_own_parameters_win_over_the_callers(converse: Converse) -> None:
    transport = answers({})
    theirs = {"apikey": "theirs", "response": "xml", "signature": "theirs"}

    converse(lambda cs: cs.request("hello", **theirs), transport=transport)

    sent = transport.requests[0].query
    assert len({name.lower() for name, _ in sent}) == len(sent) == 4
    assert dict(sent)["response"] == "json"
    assert "theirs" not in dict(sent).values()


@pytest.mark.parametrize("command", ["hello", "async_ok", "listVirtualMachines", "anyCommandThatMayCome4"])
def test_any_name_is_a_command(converse: Converse, command: str) -> None:
    transport = answers({"text": "hello"})

    assert converse(lambda cs: getattr(cs, command)(), transport=transport) == {"text": "hello"}
    assert dict(transport.requests[0].query)["command"] == command


def test_the_parameters_may_hold_the_command_again(converse: Converse) -> None:
    transport = answers({"text": "hello"})

    assert converse(lambda cs: cs.hello(command="hello", a="1"), transport=transport) == {"text": "hello"}


def paged(total: int, size: int = 500) -> FakeTransport:
    """A server with so many things, that counts those of a page."""

    def answer(request: Request) -> Response:
        asked = dict(request.query)
        start = (int(asked["page"]) - 1) * int(asked["pagesize"])
        items = list(range(total))[start : start + int(asked["pagesize"])]
        return json_response({"xresponse": {"count": len(items), "thing": [{"id": n} for n in items]} if items else {}})

    return FakeTransport(otherwise=answer)


def test_all_pages_of_a_list_are_joined_under_their_key_with_the_count_of_all(converse: Converse) -> None:
    transport = paged(1200)

    answer = converse(lambda cs: cs.listThings(), transport=transport)

    assert sorted(answer) == ["count", "thing"]
    assert answer["count"] == 1200
    assert [thing["id"] for thing in answer["thing"]] == list(range(1200))
    asked = [(dict(request.query)["page"], dict(request.query)["pagesize"]) for request in transport.requests]
    assert asked == [("1", "500"), ("2", "500"), ("3", "500")]


def test_an_empty_list_is_an_empty_dictionary(converse: Converse) -> None:
    assert converse(lambda cs: cs.listThings(), transport=paged(0)) == {}


def test_several_lists_in_one_answer_are_joined_each(converse: Converse) -> None:
    pages = [{"count": 2, "a": [1], "b": [2]}, {"count": 1, "a": [3]}]

    answer = converse(lambda cs: cs.listThings(), transport=answers(*pages), max_page_size=2)

    assert answer == {"count": 3, "a": [1, 3], "b": [2]}


@pytest.mark.parametrize("job_id", [7, "7", "d9b6"])
def test_a_job_is_waited_for_and_its_result_given(converse: Converse, job_id: Any) -> None:
    result = {"jobstatus": 1, "jobresultcode": 0, "jobresult": {"virtualmachine": {"id": "1"}}}
    transport = answers({"jobid": job_id}, {"jobstatus": 0}, result)

    assert converse(lambda cs: cs.deployThing(), transport=transport) == {"virtualmachine": {"id": "1"}}
    assert [dict(request.query).get("jobid") for request in transport.requests] == [None, str(job_id), str(job_id)]


def test_polls_wait_for_async_poll_latency() -> None:
    runtime = VirtualSyncRuntime()
    client = CloudStack(END_POINT, "key", "secret", 3, runtime=runtime, transport=job(jobstatus=1, jobresult={}))

    assert client.deployThing() == {}
    assert runtime.sleeps == [3]


def test_query_async_job_result_is_given_as_it_is(converse: Converse) -> None:
    transport = answers({"jobid": "7", "jobstatus": 0})

    assert converse(lambda cs: cs.queryAsyncJobResult(jobid="7"), transport=transport) == {"jobid": "7", "jobstatus": 0}
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("data", "inside"),
    [
        ({"listzonesresponse": {"count": 1}}, {"count": 1}),
        ({"a": 1, "b": {"c": 2}, "d": {}}, {"c": 2}),
        ({"message": "no Route matched"}, {"message": "no Route matched"}),
        ({}, {}),
        ({"a": {}}, {}),
        ([1, 2], [1, 2]),
    ],
)
@pytest.mark.parametrize("of", [AsyncCloudStack, CloudStack(END_POINT, "key", "secret")])
def test_transform_data_takes_the_first_object_out_of_the_envelope(of: Any, data: Any, inside: Any) -> None:
    assert of._transform_data(data) == inside


@pytest.mark.parametrize("kind", [CloudStack, AsyncCloudStack])
def test_sign_puts_the_signature_into_the_dictionary_it_is_given(kind: type[Any]) -> None:
    # The vendor's guide has these keys and this signature.
    key = "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM-kAYMmAiLqzzq1ElZLYq_u38zCm0bewzGUdP66mg"
    secret = "VDaACYb0LV9eNjTetIOElcVQkvJck_J_QljX_FcHRj87ZKiy0z0ty0ZsYBkoXkY9b7eq1EhwJaw7FF3akA3KBQ"
    client = kind(END_POINT, key, secret)
    parameters = {"command": "listUsers", "response": "json", "apikey": key, "signature": "an old one"}

    signed = client._sign(parameters)

    assert signed is parameters
    assert signed["signature"] == "TTpdDq/7j/J58XCRHomKoQXEQds="
    assert list(signed) == ["command", "response", "apikey", "signature"]
    assert client._sign({}) == {}


def test_sign_computes_what_the_server_does_where_cloudstackaio_did_not(cloud: CloudStackEmulator) -> None:
    from jackfield_services.cloudstack.emulator._signature import signature_of

    client = CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret)
    parameters = {"apikey": cloud.api_key, "command": "x", "password": "Of4N~H$JP9", "tags[0].key": "a", "B": "x*y"}

    assert client._sign(dict(parameters))["signature"] == signature_of(parameters, cloud.api_secret)


def test_sign_needs_a_secret() -> None:
    with pytest.raises(UsageError, match="api_secret"):
        CloudStack(END_POINT)._sign({"command": "x"})


@pytest.mark.parametrize(("wait", "result"), [(True, {"id": 1}), (False, {"jobid": "7"})])
def test_handle_response_gives_what_an_answer_holds(converse: Converse, wait: bool, result: Any) -> None:
    started = json_response({"xresponse": {"jobid": "7"}})
    transport = answers({"jobstatus": 1, "jobresult": {"id": 1}})

    def talk(cs: Any) -> Any:
        return cs._handle_response(response=started, await_final_result=wait)

    assert converse(talk, transport=transport) == result


def test_handle_response_takes_aiohttps_too() -> None:
    class Answered:
        status = 431

        async def read(self) -> bytes:
            return b'{"xresponse":{"errorcode":431,"errortext":"bad"}}'

    async def main() -> None:
        await AsyncCloudStack(END_POINT, "key", "secret")._handle_response(Answered(), await_final_result=True)

    with pytest.raises(CloudStackClientException) as caught:
        asyncio.run(main())

    assert caught.value.error_text == "bad"


def test_the_session_can_be_closed_and_tells_whether_it_is(converse: Converse) -> None:
    client = CloudStack(END_POINT, "key", "secret")
    assert not client.client_session.closed

    client.client_session.close()

    assert client.client_session.closed
    with pytest.raises(UsageError, match="closed"):
        client.listZones()


def test_the_async_session_is_closed_by_awaiting_it_or_close_session() -> None:
    async def main() -> None:
        one, other = AsyncCloudStack(END_POINT, "key", "secret"), AsyncCloudStack(END_POINT, "key", "secret")
        await one.client_session.close()
        await other._close_session()
        await other._close_session()
        assert one.client_session.closed
        assert other.client_session.closed
        assert one.event_loop is asyncio.get_running_loop()

    asyncio.run(main())
    with pytest.raises(RuntimeError):
        _ = AsyncCloudStack(END_POINT, "key", "secret").event_loop
    assert CloudStack(END_POINT, "key", "secret").event_loop is None


def test_the_session_is_no_aiohttp_session_and_says_so() -> None:
    with pytest.raises(AttributeError, match="no aiohttp session"):
        _ = CloudStack(END_POINT, "key", "secret").client_session.get


def test_a_client_that_nobody_closes_leaves_no_task_and_no_warning_behind() -> None:
    async def main() -> weakref.ref[AsyncCloudStack]:
        client = AsyncCloudStack(END_POINT, "key", "secret", transport=answers({"count": 0}))
        await client.listZones()
        assert len(asyncio.all_tasks()) == 1
        return weakref.ref(client)

    left = asyncio.run(main())
    gc.collect()

    assert left() is None


class TestException:
    """CloudStackClientException: attributes, text, and what is not in it."""

    def test_it_is_made_of_its_four_arguments(self) -> None:
        answer = Response(431)

        error = CloudStackClientException(message="m", error_code=431, error_text="t", response=answer)

        assert (error.message, error.error_code, error.error_text, error.response) == ("m", 431, "t", answer)
        assert str(error) == repr(error) == "(message=m, errorcode=431, errortext=t)"
        assert error.args == ()

    def test_it_takes_a_dictionary_for_its_response(self) -> None:
        error = CloudStackClientException("m", 535, "Quota Exceeded", {"errorcode": 535})

        assert isinstance(error.response, Response)
        assert error.response == {"errorcode": 535}
        assert error.status is None

    def test_only_the_message_is_needed(self) -> None:
        error = CloudStackClientException("m")

        assert (error.error_code, error.error_text, error.response) == (None, None, None)
        assert str(error) == "(message=m, errorcode=None, errortext=None)"

    def test_an_answer_that_is_no_json(self, converse: Converse) -> None:
        with pytest.raises(CloudStackClientException) as caught:
            converse(lambda cs: cs.hello(), transport=FakeTransport([Response(200, body=b"hello")]))

        assert str(caught.value) == f"(message={NOT_JSON}, errorcode=None, errortext=None)"

    @pytest.mark.parametrize(
        ("body", "code", "text"),
        [
            ({"xresponse": {"errorcode": 431, "errortext": "bad"}}, 431, "bad"),
            ({"message": "no Route matched"}, 500, None),
        ],
    )
    def test_an_answer_that_is_an_error(self, converse: Converse, body: Any, code: int, text: str | None) -> None:
        with pytest.raises(CloudStackClientException) as caught:
            converse(lambda cs: cs.hello(), transport=FakeTransport([json_response(body, 500)]))

        assert str(caught.value) == f"(message={FAILED}, errorcode={code}, errortext={text})"
        answer: Any = caught.value.response
        assert answer.get("errortext") == text

    @pytest.mark.parametrize(
        "ended",
        [
            {"jobstatus": 2, "jobresultcode": 530},
            {"jobstatus": 2},
            {"jobstatus": 1, "jobresultcode": 255, "jobresult": {"id": "1"}},
            {"jobstatus": 1, "jobresultcode": 0},
        ],
    )
    def test_a_job_that_failed_or_has_no_result(self, converse: Converse, ended: dict[str, Any]) -> None:
        with pytest.raises(CloudStackClientException) as caught:
            converse(lambda cs: cs.deployThing(), transport=job(**ended))

        assert caught.value.message == FAILED
        answer: Any = caught.value.response
        assert answer["jobstatus"] == ended["jobstatus"]


class TestDefects:
    """Each was seen in CloudStackAIO 0.0.8."""

    @pytest.fixture
    def cloud(self) -> Iterator[CloudStackEmulator]:
        with CloudStackEmulator(machines=1200) as running:
            yield running

    @pytest.mark.parametrize(
        "parameters",
        [
            {"keyword": "Of4N~H$JP9"},
            {"tags[0].key": "a", "tags[0].value": "b"},
            {"tags": [{"key": "a", "value": "b"}]},
            {"details": {"cpuNumber": 2}},
            {"ids": ["a", "b"]},
            {"listall": True},
            {"keyword": "ä & = + ,"},
        ],
    )
    def test_what_it_signed_wrongly_or_could_not_send(self, converse: Converse, parameters: dict[str, Any]) -> None:
        assert converse(lambda cs: cs.execute("listHypervisors", **parameters))["hypervisor"]

    @pytest.mark.parametrize("machines", [500, 1200])
    def test_a_count_of_all_ends_the_list_and_is_not_added_up(self, machines: int) -> None:
        with (
            CloudStackEmulator(machines=machines, count="total") as cloud,
            CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client,
        ):
            answer = client.listVirtualMachines()

            assert (len(answer["virtualmachine"]), answer["count"]) == (machines, machines)
            assert len(cloud.requests) == (2 if machines == 500 else 3)

    @pytest.mark.parametrize("command", ["findHostsForMigration", "addHost"])
    def test_commands_with_a_count_and_no_list_in_their_name(self, converse: Converse, command: str) -> None:
        transport = answers({"count": 1, "host": [{"id": "1"}]})

        answer = converse(lambda cs: cs.request(command), transport=transport)

        assert answer == {"count": 1, "host": [{"id": "1"}]}

    def test_a_failed_jobs_error_stands_in_its_result(self, converse: Converse) -> None:
        ended = {"jobstatus": 2, "jobresultcode": 530, "jobresult": {"errorcode": 533, "errortext": "no room"}}

        with pytest.raises(CloudStackClientException) as caught:
            converse(lambda cs: cs.deployThing(), transport=job(**ended))

        assert (caught.value.error_code, caught.value.error_text) == (533, "no room")

    @pytest.mark.parametrize("status", [2, 3])
    def test_a_job_that_failed_with_a_result_code_of_0_has_failed(self, converse: Converse, status: int) -> None:
        ended = {"jobstatus": status, "jobresultcode": 0, "jobresult": {"errortext": "cancelled"}}

        with pytest.raises(CloudStackClientException, match="cancelled"):
            converse(lambda cs: cs.deployThing(), transport=job(**ended))

    def test_text_javascript_is_json_too(self, converse: Converse) -> None:
        old = Response(200, {"content-type": "text/javascript; charset=UTF-8"}, b'{"xresponse":{"id":1}}')

        assert converse(lambda cs: cs.hello(), transport=FakeTransport([old])) == {"id": 1}

    @pytest.mark.parametrize("body", [b'{"xresponse":{"id":', b"[]", b"5", b'""', b"null", b"", b"\xff"])
    def test_what_is_malformed_or_no_object_is_its_own_exception(self, converse: Converse, body: bytes) -> None:
        with pytest.raises(CloudStackClientException):
            converse(lambda cs: cs.hello(), transport=FakeTransport([Response(200, body=body)]))

    def test_it_is_an_async_context_manager(self, cloud: CloudStackEmulator) -> None:
        async def main() -> Any:
            async with AsyncCloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client:
                return await client.listZones()

        assert asyncio.run(main())["count"] == 2

    def test_private_names_are_no_commands(self) -> None:
        assert not hasattr(AsyncCloudStack(END_POINT, "key", "secret"), "_private")

    def test_polls_and_pages_are_signed_by_post_too_where_that_is_wanted(self, cloud: CloudStackEmulator) -> None:
        with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, method="post", expires=60) as client:
            assert client.listVirtualMachines()["count"] == 1200

        assert {request.http_method for request in cloud.requests} == {"POST"}
        assert all("expires" in request.parameters for request in cloud.requests)


def test_requests_are_get_with_everything_in_the_query() -> None:
    transport = answers({})

    CloudStack(END_POINT, "key", "secret", transport=transport).request("hello", a="1")

    (request,) = transport.requests
    assert (request.method, request.body) == ("GET", b"")
    assert [name for name, _ in parse_qsl(request.target.partition("?")[2])] == [
        "a",
        "apikey",
        "command",
        "response",
        "signature",
    ]
