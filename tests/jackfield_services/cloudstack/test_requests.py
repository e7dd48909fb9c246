"""`request` and its options: what is fetched, waited for, and made of the answer; and which commands page at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import Call, ConfigurationError, JobTimeoutError, Model, Request, Response, UsageError
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_services.cloudstack import (
    AsyncCloudStack,
    CloudStack,
    CloudStackClientException,
    CloudStackDecodeError,
    Login,
)
from jackfield_services.cloudstack._naming import pages, reads
from jackfield_services.cloudstack.emulator import CloudStackEmulator
from jackfield_services.cloudstack.models import VirtualMachine, Zone

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

END_POINT = "https://cloud.test/client/api"
ANY = "00000000-0000-4000-8000-000000000000"


def answers(*inside: Any) -> FakeTransport:
    return FakeTransport([json_response({"xresponse": fields}) for fields in inside])


def order(cloud: CloudStackEmulator) -> dict[str, Any]:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client:
        zone = client.listZones()["zone"][0]["id"]
    return {"name": "new", "zoneid": zone, "serviceofferingid": ANY, "templateid": ANY}


def asked(transport: FakeTransport) -> list[tuple[str | None, str | None]]:
    """Page and page size of each request."""
    return [(dict(r.query).get("page"), dict(r.query).get("pagesize")) for r in transport.requests]


class TestFetchList:
    """`fetch_list`, and the caller's own `page` and `pagesize`."""

    pages = ({"count": 3, "thing": [1, 2]}, {"count": 3, "thing": [3]})

    def test_true_is_a_bare_list_of_every_page(self, converse: Converse) -> None:
        transport = answers(*self.pages)

        assert converse(lambda cs: cs.listThings(fetch_list=True), transport=transport, max_page_size=2) == [1, 2, 3]

    def test_true_pages_whatever_the_command_is_called(self, converse: Converse) -> None:
        transport = answers(*self.pages)

        assert converse(lambda cs: cs.findThings(fetch_list=True), transport=transport, max_page_size=2) == [1, 2, 3]
        assert asked(transport) == [("1", "2"), ("2", "2")]

    def test_true_is_an_empty_list_where_there_is_none(self, converse: Converse) -> None:
        assert converse(lambda cs: cs.listThings(fetch_list=True), transport=answers({})) == []

    def test_false_is_one_page_as_it_is(self, converse: Converse) -> None:
        transport = answers(self.pages[0])

        assert converse(lambda cs: cs.listThings(fetch_list=False), transport=transport) == self.pages[0]
        assert asked(transport) == [(None, None)]

    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            ({"page": 2, "pagesize": 100}, ("2", "100")),
            ({"page": 2}, ("2", "500")),
            ({"pagesize": 100}, ("1", "100")),
            ({"pagesize": -1}, (None, "-1")),
            ({"pagesize": "-1"}, (None, "-1")),
        ],
    )
    @pytest.mark.parametrize("fetch_list", [None, False])
    def test_the_callers_own_page_is_asked_for_once_as_the_server_takes_it(
        self, converse: Converse, given: dict[str, Any], sent: Any, fetch_list: bool | None
    ) -> None:
        transport = answers({"count": 900, "thing": [1]})

        answer = converse(lambda cs: cs.listThings(fetch_list=fetch_list, **given), transport=transport)

        assert answer == {"count": 900, "thing": [1]}
        assert asked(transport) == [sent]

    def test_a_page_as_a_bare_list_is_that_page(self, converse: Converse) -> None:
        transport = answers({"count": 900, "thing": [1]})

        assert converse(lambda cs: cs.listThings(fetch_list=True, page=2), transport=transport) == [1]
        assert asked(transport) == [("2", "500")]

    def test_a_page_size_with_a_bare_list_is_that_of_every_page(self, converse: Converse) -> None:
        transport = answers(*self.pages)

        assert converse(lambda cs: cs.listThings(fetch_list=True, pageSize="2"), transport=transport) == [1, 2, 3]
        assert asked(transport) == [("1", "2"), ("2", "2")]

    @pytest.mark.parametrize("size", [0, -5, "many", 1.5, True])
    def test_a_page_size_that_is_none_is_refused(self, converse: Converse, size: Any) -> None:
        with pytest.raises(UsageError, match="pagesize"):
            converse(lambda cs: cs.listThings(fetch_list=True, pagesize=size), transport=answers())


class TestFetchResult:
    """`fetch_result`, `job_timeout` and `poll_interval`."""

    def test_false_is_the_answer_that_a_job_starts_with(self, converse: Converse, cloud: CloudStackEmulator) -> None:
        given = order(cloud)

        answer = converse(lambda cs: cs.deployVirtualMachine(fetch_result=False, **given))

        assert sorted(answer) == ["id", "jobid"]
        assert cloud.requests[-1].command == "deployVirtualMachine"

    def test_a_call_may_wait_longer_or_shorter_than_the_client(self, cloud: CloudStackEmulator) -> None:
        given, runtime = order(cloud), VirtualSyncRuntime()
        cloud.plan_job(polls=9)
        with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, runtime=runtime, job_timeout=600) as client:
            with pytest.raises(JobTimeoutError):
                client.request("deployVirtualMachine", job_timeout=10, poll_interval=3, **given)

            assert runtime.sleeps == [3, 3, 3, 1]
            assert (client.job_timeout, client.async_poll_latency) == (600, 2)

    def test_a_call_may_ask_more_often(self, converse: Converse, cloud: CloudStackEmulator) -> None:
        given = order(cloud)
        cloud.plan_job(polls=2)

        assert converse(lambda cs: cs.deployVirtualMachine(poll_interval=0, **given))["virtualmachine"]["name"] == "new"

    @pytest.mark.parametrize("wrong", [{"job_timeout": -1}, {"poll_interval": float("nan")}, {"job_timeout": "1"}])
    def test_times_that_make_no_sense_are_refused_before_anything_is_sent(
        self, converse: Converse, wrong: dict[str, Any]
    ) -> None:
        transport = answers()

        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            converse(lambda cs: cs.request("deployThing", **wrong), transport=transport)

        assert transport.requests == []


def test_headers_go_along_with_each_request_of_the_call_and_with_no_other(converse: Converse) -> None:
    transport = answers({"jobid": "7"}, {"jobstatus": 1, "jobresult": {}}, {}, {})

    async def both(cs: AsyncCloudStack) -> None:
        await cs.deployThing(headers={"x-trace": "1"})
        await cs.hello()

    def one_by_one(cs: CloudStack) -> None:
        cs.deployThing(headers={"x-trace": "1"})
        cs.hello()

    converse(lambda cs: both(cs) if isinstance(cs, AsyncCloudStack) else one_by_one(cs), transport=transport)

    assert [request.headers.get("x-trace") for request in transport.requests] == ["1", "1", None]


class TestInto:
    """`into`: the resource inside an answer, as a type."""

    @pytest.fixture
    def machines(self) -> dict[str, Any]:
        return {"count": 2, "virtualmachine": [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]}

    def test_a_list(self, converse: Converse, machines: dict[str, Any]) -> None:
        found = converse(lambda cs: cs.request("listX", into=list[VirtualMachine]), transport=answers(machines))

        assert [type(machine) for machine in found] == [VirtualMachine] * 2
        assert [machine.name for machine in found] == ["a", "b"]

    def test_a_bare_list_takes_the_items_type(self, converse: Converse, machines: dict[str, Any]) -> None:
        found = converse(lambda cs: cs.listX(into=VirtualMachine, fetch_list=True), transport=answers(machines))

        assert [machine.name for machine in found] == ["a", "b"]

    def test_a_jobs_result(self, converse: Converse) -> None:
        transport = answers({"jobid": 1}, {"jobstatus": 1, "jobresult": {"virtualmachine": {"id": "1", "name": "a"}}})

        assert converse(lambda cs: cs.deployX(into=VirtualMachine), transport=transport).name == "a"

    def test_items_as_they_come(self, machines: dict[str, Any]) -> None:
        client = CloudStack(END_POINT, "key", "secret", transport=answers(machines))

        assert [zone.name for zone in client.listing.all("listX", into=Zone)] == ["a", "b"]

    @pytest.mark.parametrize("name", ["page", "pagesize", "pageSize", "PAGE"])
    def test_listing_pages_by_itself_and_takes_no_page(self, name: str) -> None:
        client = CloudStack(END_POINT, "key", "secret", transport=answers())

        with pytest.raises(UsageError, match="leave out page and pagesize"):
            client.listing("listX", **{name: 1})

    def test_a_page_says_its_total_and_keeps_its_answer(self, machines: dict[str, Any]) -> None:
        client = CloudStack(END_POINT, "key", "secret", transport=answers({**machines, "count": 9}), max_page_size=2)

        page = client.listing("listX", into=Zone)

        assert (page.total, page.raw["count"], page[0].name) == (9, 9, "a")
        assert page.next is not None

    def test_pages_that_look_alike_as_a_type_are_still_told_apart(self) -> None:
        class Id(Model):
            id: str

        pages = [{"count": 2, "x": [{"id": "1", "more": n}, {"id": "2"}]} for n in range(3)]
        client = CloudStack(END_POINT, "key", "secret", transport=answers(*pages, {}), max_page_size=2)

        assert [item.id for item in client.listing.all("listX", into=Id)] == ["1", "2"] * 3

    def test_a_command_that_ignores_paging_ends_as_a_type_too(self) -> None:
        page = {"count": 2, "x": [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]}
        transport = answers(page, page)
        client = CloudStack(END_POINT, "key", "secret", transport=transport, max_page_size=2)

        assert [zone.name for zone in client.listing.all("listX", into=Zone)] == ["a", "b"]
        assert len(transport.requests) == 2

    def test_what_does_not_fit_is_an_error_that_names_the_field(self, converse: Converse) -> None:
        with pytest.raises(CloudStackDecodeError, match="cpunumber") as caught:
            converse(
                lambda cs: cs.request("listX", into=list[VirtualMachine]),
                transport=answers({"x": [{"id": "1", "cpunumber": "many"}]}),
            )

        assert caught.value.call is not None
        assert caught.value.call.operation == "listX"


PAGED = ["listVirtualMachines", "LISTZONES", "quotaTariffList", "findHostsForMigration", "searchLdap", "quotaSummary"]
WHOLE = ["createNetworkACLList", "replaceNetworkACLList", "deployVirtualMachine", "queryAsyncJobResult", "getUser"]
ONCE = ["importLdapUsers", "removeVirtualMachinesFromKubernetesCluster", "listAndSwitchSamlAccount", "updateBlackList"]


@pytest.mark.parametrize(("command", "paged"), [(c, True) for c in PAGED] + [(c, False) for c in WHOLE + ONCE])
def test_the_name_of_a_command_tells_whether_it_pages(command: str, paged: bool) -> None:
    assert pages(command) is paged


READS = ["listZones", "getApiLimit", "queryAsyncJobResult", "findHostsForMigration", "quotaTariffList", "searchLdap"]
CHANGES = ["deployVirtualMachine", "getUploadParamsForVolume", "getDiagnosticsData", "listAndSwitchSamlAccount"]
MORE_CHANGES = [
    "quotaTariffCreate",
    "quotaCredits",
    "createNetworkACLList",
    "login",
    "issueCertificate",
    "assignVolume",
]


@pytest.mark.parametrize(
    ("command", "harmless"), [(c, True) for c in READS] + [(c, False) for c in CHANGES + MORE_CHANGES]
)
def test_the_name_of_a_command_tells_whether_it_only_reads(command: str, harmless: bool) -> None:
    assert reads(command) is harmless


class TestKnownCommands:
    """Once the server has told of its commands."""

    @pytest.fixture(autouse=True)
    def forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("jackfield_services.cloudstack._discovery._known", {})

    def described(self, name: str, *parameters: str, is_async: bool = False) -> dict[str, Any]:
        about = [{"name": parameter, "type": "string", "required": False} for parameter in parameters]
        return {"name": name, "isasync": is_async, "params": about, "response": [{}]}

    def client(self, *inside: Any) -> tuple[CloudStack, FakeTransport]:
        commands = [
            self.described("listPlain", "id"),
            self.described("listThings", "page", "pagesize"),
            self.described("searchThings", "page", "pagesize"),
            self.described("removeThings", "page", "pagesize"),
            self.described("listOnce", "page", "pagesize", is_async=True),
            self.described("queryAsyncJobResult", "jobid"),
        ]
        transport = answers({"count": len(commands), "api": commands}, *inside)
        client = CloudStack(END_POINT, "key", "secret", transport=transport, runtime=VirtualSyncRuntime())
        client.commands()
        transport.requests.clear()
        return client, transport

    @pytest.mark.parametrize(
        ("command", "paged"),
        [
            ("listPlain", False),
            ("listThings", True),
            ("searchThings", True),
            ("removeThings", False),
            ("listOnce", False),
        ],
    )
    def test_they_page_as_the_server_says(self, command: str, paged: bool) -> None:
        client, transport = self.client({"count": 1, "thing": [1]})

        client.request(command)

        assert asked(transport) == [("1", "500") if paged else (None, None)]

    def test_a_wrong_name_is_refused_before_anything_is_sent(self) -> None:
        client, transport = self.client()

        with pytest.raises(UsageError, match="'listThings'"):
            client.listThing()
        with pytest.raises(UsageError, match="no parameter 'name'"):
            client.listThings(name="x")

        assert transport.requests == []

    @pytest.mark.parametrize(("command", "waits"), [("listOnce", True), ("removeThings", False)])
    def test_a_job_is_waited_for_where_the_server_says_that_the_command_starts_one(
        self, command: str, waits: bool
    ) -> None:
        client, transport = self.client({"jobid": "7"}, {"jobstatus": 1, "jobresult": {"id": "1"}})

        answer = client.request(command)

        assert answer == ({"id": "1"} if waits else {"jobid": "7"})
        assert len(transport.requests) == 1 + waits

    def test_help_and_dir_tell_of_them(self) -> None:
        client, _ = self.client()

        assert {"listPlain", "removeThings", "request"} <= set(dir(client))
        assert client.listPlain.__name__ == "listPlain"  # type: ignore[attr-defined]  # a function, as it happens
        assert "id" in str(client.listPlain.__doc__)


def test_from_config_makes_a_client_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENDPOINT": END_POINT, "KEY": "key", "SECRET": "secret", "METHOD": "post"}.items():
        monkeypatch.setenv(f"CLOUDSTACK_{name}", value)

    client = CloudStack.from_config(max_page_size=7)

    assert (client.end_point, client.api_key, client.max_page_size) == (END_POINT, "key", 7)
    assert str(client.request.explain("listZones")).count("POST") == 1


@pytest.mark.parametrize("way", ["request", "listing"])
def test_a_job_that_a_listing_starts_is_not_lost(way: str) -> None:
    with CloudStack(END_POINT, "k", "s", transport=answers({"id": "1", "jobid": "7"})) as client:
        with pytest.raises(CloudStackClientException, match="deployThing is no list, and has started the") as caught:
            client.listing("deployThing") if way == "listing" else client.request("deployThing", fetch_list=True)

        assert client.job.resume('["job","7","deployThing"]').token in caught.value.hint

    assert (caught.value.command, caught.value.job_id) == ("deployThing", "7")


def test_a_command_that_is_known_to_start_a_job_is_not_listed(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as client:
        client.commands()
        with pytest.raises(UsageError, match="deployVirtualMachine starts a job, and is no list"):
            client.deployVirtualMachine(fetch_list=True, **order(cloud))

    assert "deployVirtualMachine" not in [request.command for request in cloud.requests]


@pytest.mark.parametrize("option", [{"fetch_list": "yes"}, {"fetch_list": 1}, {"fetch_result": "no"}])
def test_what_is_neither_true_nor_false_is_refused(option: dict[str, Any]) -> None:
    (name,) = option
    transport = answers({})
    with (
        CloudStack(END_POINT, "k", "s", transport=transport) as client,
        pytest.raises(UsageError, match=f"^{name} must be"),
    ):
        client.listZones(**option)

    assert not transport.requests


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("fetchlist", "fetch_list"),
        ("fetchResult", "fetch_result"),
        ("poll_intervall", "poll_interval"),
    ],
)
def test_an_option_that_is_misspelt_is_not_sent_as_a_parameter(name: str, meant: str) -> None:
    transport = answers({})
    with (
        CloudStack(END_POINT, "k", "s", transport=transport) as client,
        pytest.raises(UsageError, match=f"did you mean {meant!r}"),
    ):
        client.listZones(**{name: 1})

    assert not transport.requests


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, asyncio.CancelledError])
def test_who_is_interrupted_while_waiting_for_a_job_learns_how_to_go_on(colour: str, fault: Any) -> None:
    class Interrupted(FakeTransport):
        async def send(self, request: Request, call: Call) -> Response:
            if dict(request.query)["command"] == "queryAsyncJobResult":
                raise fault
            return await super().send(request, call)

    transport = Interrupted([json_response({"r": {"jobid": "7"}})])

    async def awaited() -> Any:
        async with AsyncCloudStack(END_POINT, "k", "s", async_poll_latency=0, transport=transport) as client:
            await client.deployThing()

    def plain() -> Any:
        CloudStack(END_POINT, "k", "s", 0, transport=transport).deployThing()

    with pytest.raises(fault) as caught:
        plain() if colour == "sync" else asyncio.run(awaited())

    (note,) = caught.value.__notes__
    assert note.startswith("the job of deployThing goes on: wait for it with job.resume(")
    assert '["job","7","deployThing"]' in note


@pytest.mark.parametrize(
    ("end_point", "says"),
    [
        ("cloud.test/client/api", "end_point='cloud.test/client/api': the URL needs a scheme"),
        ("https://cloud.test/client/api\n", r"blanks or a line break around it: was it read from a file\?"),
        (None, "end_point must be a string, 'https://host/client/api', not NoneType"),
        ("", "end_point=''"),
    ],
)
def test_an_end_point_that_is_none_is_named(end_point: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        CloudStack(end_point, "k", "s")


def test_an_end_point_with_a_password_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        CloudStack("https://ann:canary@cloud.test/client/api", "k", "s")

    assert "canary" not in str(caught.value)


def test_a_login_in_the_place_of_a_key_is_told_where_it_goes() -> None:
    with pytest.raises(ConfigurationError, match=r"write login=Login\(…\)"):
        CloudStack(END_POINT, Login("ann", "word"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # wrong


@pytest.mark.parametrize("name", ["end_point", "api_key", "api_secret"])
def test_who_a_client_is_and_where_it_sends_is_settled(name: str) -> None:
    with CloudStack(END_POINT, "k", "s") as client:
        with pytest.raises(AttributeError):
            setattr(client, name, "other")

        assert (client.end_point, client.api_key) == (END_POINT, "k")
        assert client.with_options(timeout=5).api_secret == client.api_secret
