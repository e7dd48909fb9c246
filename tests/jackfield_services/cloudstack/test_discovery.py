"""Discovery: who asks for the list of commands, how often, and which calls are refused by it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import ConfigurationError, DecodeError, Response, UsageError
from jackfield.testing import FakeTransport, VirtualSyncRuntime, json_response
from jackfield_services.cloudstack import (
    AsyncCloudStack,
    CloudStack,
    CloudStackClientException,
    CloudStackParameterError,
    _commands_file,
    _discovery,
)
from jackfield_services.cloudstack.emulator import CloudStackEmulator, User

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse

END_POINT = "https://cloud.test/client/api"


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    """What one test has learned, the next does not know."""
    _discovery._known.clear()
    yield
    _discovery._known.clear()


def apis(*names: str, **about: Any) -> Response:
    """An answer of listApis; each command has a parameter `id`, unless `about` says more."""
    usual = {"params": [{"name": "id", "type": "uuid"}], **about}
    return json_response({"listapisresponse": {"count": len(names), "api": [{"name": n, **usual} for n in names]}})


def answering(*responses: Response) -> FakeTransport:
    return FakeTransport(list(responses), otherwise=json_response({"x": {}}))


def client(transport: FakeTransport, **options: Any) -> CloudStack:
    options.setdefault("runtime", VirtualSyncRuntime())
    return CloudStack(END_POINT, "key", "secret", transport=transport, **options)


def sent(transport: FakeTransport) -> list[str]:
    return [dict(request.query)["command"] for request in transport.requests]


def asked(cloud: CloudStackEmulator) -> list[str]:
    return [request.command for request in cloud.requests]


def test_the_list_is_asked_for_once_and_then_known(cloud: CloudStackEmulator, converse: Converse) -> None:
    async def awaited(cs: Any) -> Any:
        return await cs.commands(), await cs.commands()

    def plain(cs: Any) -> Any:
        return cs.commands(), cs.commands()

    first, again = converse(lambda cs: plain(cs) if isinstance(cs, CloudStack) else awaited(cs))

    assert first is again
    assert first["listvirtualmachines"].pages
    assert first["deployVirtualMachine"].is_async
    assert asked(cloud) == ["listApis"]


def test_nobody_asks_before_somebody_wants_to_know() -> None:
    transport = answering()

    client(transport).execute("listNothing", what=1)

    assert sent(transport) == ["listNothing"]


def test_other_clients_and_views_of_the_same_credentials_know_it_too() -> None:
    transport = answering(apis("listZones"))
    first = client(transport)

    commands = first.commands()

    assert first.with_options(timeout=5).commands() is commands
    assert client(transport).commands() is commands
    with pytest.raises(UsageError, match="no command 'listPods'"):
        client(transport).execute("listPods")
    assert sent(transport) == ["listApis"]


@pytest.mark.parametrize(
    "other",
    [
        (END_POINT, "another", "different"),
        (END_POINT, "key", "different"),
        ("https://other.test/client/api", "key", "secret"),
    ],
)
def test_other_credentials_and_end_points_are_asked_for_on_their_own(other: tuple[str, str, str]) -> None:
    transport = answering(apis("listZones"), apis("listZones", "addHost"))
    client(transport).commands()

    assert "addHost" in CloudStack(*other, transport=transport).commands()
    assert "addHost" not in client(transport).commands()
    assert sent(transport) == ["listApis", "listApis"]


def test_a_view_with_a_credential_of_its_own_is_asked_for_on_its_own() -> None:
    transport = answering(apis("listZones"), apis("listZones", "addHost"))
    cs = client(transport)
    cs.commands()

    assert "addHost" in cs.with_options(headers={"authorization": "another"}).commands()
    assert "addHost" not in cs.commands()


def test_it_is_asked_for_again_on_demand() -> None:
    transport = answering(apis("listZones"), apis("listZones", "addHost"))
    cs = client(transport)
    cs.commands()

    assert "addHost" in cs.commands(refresh=True)
    assert "addHost" in cs.commands()
    assert sent(transport) == ["listApis", "listApis"]


def test_threads_that_want_it_at_one_time_send_one_request(cloud: CloudStackEmulator) -> None:
    keys = (cloud.end_point, cloud.api_key, cloud.api_secret)
    together = threading.Barrier(8)

    with CloudStack(*keys) as one, CloudStack(*keys) as other, ThreadPoolExecutor(8) as threads:

        def ask(number: int) -> Any:
            together.wait()
            return (one if number % 2 else other).commands()

        lists = list(threads.map(ask, range(8)))

    assert len({id(commands) for commands in lists}) == 1
    assert asked(cloud) == ["listApis"]


def test_tasks_that_want_it_at_one_time_send_one_request(cloud: CloudStackEmulator) -> None:
    async def main() -> list[Any]:
        async with AsyncCloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as cs:
            return list(await asyncio.gather(*(cs.commands() for _ in range(8))))

    lists = asyncio.run(main())

    assert len({id(commands) for commands in lists}) == 1
    assert asked(cloud) == ["listApis"]


def test_users_of_different_roles_who_ask_at_one_time_are_answered_each_for_himself() -> None:
    users = [User(username="root"), User(username="ada", role="User")]

    async def main(cloud: CloudStackEmulator) -> list[Any]:
        keys = [(user.api_key, user.api_secret) for user in cloud.users]
        async with (
            AsyncCloudStack(cloud.end_point, *keys[0]) as one,
            AsyncCloudStack(cloud.end_point, *keys[1]) as other,
        ):
            return list(await asyncio.gather(one.commands(), other.commands()))

    with CloudStackEmulator(users=users) as cloud:
        admins, users_ = asyncio.run(main(cloud))

    assert "listHosts" in admins
    assert "listHosts" not in users_


def test_what_the_role_may_not_use_is_refused_with_a_word_about_roles() -> None:
    with (
        CloudStackEmulator(users=[User(username="ada", role="User")]) as cloud,
        CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret) as cs,
    ):
        cs.commands()
        with pytest.raises(UsageError, match="your role may not use it"):
            cs.listHosts()
        assert asked(cloud) == ["listApis"]


def test_no_more_is_kept_than_a_process_can_use() -> None:
    for number in range(40):
        transport = answering(apis("listZones"))
        CloudStack(f"https://cloud{number}.test/", "key", "secret", transport=transport).commands()

    assert [end_point for end_point, _ in _discovery._known] == [f"https://cloud{n}.test/" for n in range(24, 40)]


# --- calls that cannot be right


def talk(command: str, **parameters: Any) -> Callable[[Any], Any]:
    """A conversation: learn, then call."""

    async def awaited(cs: Any) -> Any:
        await cs.commands()
        return await getattr(cs, command)(**parameters)

    def plain(cs: Any) -> Any:
        cs.commands()
        return getattr(cs, command)(**parameters)

    return lambda cs: plain(cs) if isinstance(cs, CloudStack) else awaited(cs)


@pytest.mark.parametrize(
    ("command", "parameters", "says"),
    [
        ("listVirtualMachin", {}, "did you mean 'listVirtualMachines'"),
        ("lstZones", {}, r"no command 'lstZones'.*did you mean 'listZones'.*your role"),
        ("frobnicate", {}, r"no command 'frobnicate' for these credentials: it has no such"),
        ("listVirtualMachines", {"zonid": "1"}, r"Machines has no parameter 'zonid' \(did you mean 'zoneid'"),
        ("listVirtualMachines", {"qqq": "1"}, r"has no parameter 'qqq', or not for your role"),
        ("listVirtualMachines", {"fetchlist": True}, "did you mean 'fetch_list'"),
        ("listVirtualMachines", {"poll_intervall": 1}, r"did you mean 'poll_interval'"),
        ("listVirtualMachines", {"timeout": 5}, r"no parameter 'timeout': that is with_options\(timeout=…\)\."),
        ("deployVirtualMachine", {"zoneid": "1"}, "needs the parameters 'serviceofferingid', 'templateid'"),
        ("stopVirtualMachine", {}, "stopVirtualMachine needs the parameter 'id'"),
        ("stopVirtualMachine", {"id": None}, "stopVirtualMachine needs the parameter 'id'"),
        ("createTags", {"tag": [{"key": "a"}], "resourceids": "1", "resourcetype": "x"}, "did you mean 'tags'"),
    ],
)
def test_a_call_that_cannot_be_right_is_refused_before_it_is_made(
    cloud: CloudStackEmulator, converse: Converse, command: str, parameters: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        converse(talk(command, **parameters))

    assert asked(cloud) == ["listApis"]


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("LISTVIRTUALMACHINES", {}),
        ("deployvirtualmachine", {"zoneid": "1", "SERVICEOFFERINGID": "1", "templateid": "1"}),
        ("listVirtualMachines", {"NaMe": "vm-0001"}),
        ("listVirtualMachines", {"page": 1, "pagesize": 2}),
        ("listHypervisors", {"page": 1, "pagesize": 2}),
        ("listVirtualMachines", {"ctxuserid": 1, "cmdEventType": "x", "httpmethod": "GET", "_": 5}),
    ],
)
def test_names_without_case_and_what_every_command_takes_are_let_through(
    cloud: CloudStackEmulator, converse: Converse, command: str, parameters: dict[str, Any]
) -> None:
    with contextlib.suppress(CloudStackParameterError):  # there is no zone 1
        converse(talk(command, **parameters))

    sent = asked(cloud)[1]
    assert sent.lower() == command.lower()
    assert sent in ("listVirtualMachines", "deployVirtualMachine", "listHypervisors")


def test_map_parameters_are_known_by_their_name_before_the_bracket() -> None:
    params = [{"name": "tags", "type": "map", "required": True}, {"name": "details", "type": "map"}]
    transport = answering(apis("createTags", params=params))
    cs = client(transport)
    cs.commands()

    cs.execute("createTags", tags=[{"key": "a", "value": "b"}], details={"x": 1})
    cs.execute("createTags", **{"Tags[0].key": "a"})
    with pytest.raises(UsageError, match=r"no parameter 'tag\[0\].key'"):
        cs.execute("createTags", **{"tag[0].key": "a"})
    tags: Any
    for tags in ("a=b", {"owner": "x"}, [{"key": "a"}, {"name": "b"}]):
        with pytest.raises(UsageError, match=r"createTags takes \[\{'key': …, 'value': …\}\] as 'tags'"):
            cs.execute("createTags", tags=tags)
    with pytest.raises(UsageError, match=r"createTags takes a map, or a list of them, as 'details'"):
        cs.execute("createTags", tags=[{"key": "a"}], details="x=1")

    assert sent(transport) == ["listApis", "createTags", "createTags"]


@pytest.mark.parametrize("command", ["listApis", "login", "logout", "LISTAPIS", "samlSso", "oauthlogin"])
def test_what_the_servers_front_door_answers_is_not_in_its_list(command: str) -> None:
    transport = answering(apis("listZones"), apis("listZones"))
    cs = client(transport)
    cs.commands()

    cs.execute(command, anything="x")

    assert sent(transport) == ["listApis", command]


def test_a_list_that_is_old_is_asked_for_again_before_it_says_no() -> None:
    transport, runtime = answering(apis("listZones"), apis("listZones", "listPods")), VirtualSyncRuntime()
    cs = client(transport, runtime=runtime)
    cs.commands()
    runtime.run(runtime.sleep(300))

    cs.execute("listPods")

    assert sent(transport) == ["listApis", "listApis", "listPods"]


def test_a_list_that_is_new_says_no_at_once() -> None:
    transport, runtime = answering(apis("listZones")), VirtualSyncRuntime()
    cs = client(transport, runtime=runtime)
    cs.commands()
    runtime.run(runtime.sleep(299))

    with pytest.raises(UsageError, match="listPods"):
        cs.execute("listPods")

    assert sent(transport) == ["listApis"]


def test_an_old_list_whose_word_is_confirmed_says_no() -> None:
    transport, runtime = answering(apis("listZones"), apis("listZones")), VirtualSyncRuntime()
    cs = client(transport, runtime=runtime)
    cs.commands()
    runtime.run(runtime.sleep(4000))

    for _ in range(2):
        with pytest.raises(UsageError, match="listPods"):
            cs.execute("listPods")

    assert sent(transport) == ["listApis", "listApis"]


def test_who_cannot_ask_again_lets_the_call_tell() -> None:
    transport, runtime = answering(apis("listZones"), json_response({}, 500)), VirtualSyncRuntime()
    cs = client(transport, runtime=runtime)
    cs.commands()
    runtime.run(runtime.sleep(4000))

    cs.execute("listPods")

    assert sent(transport) == ["listApis", "listApis", "listPods"]


def test_nothing_is_sent_to_explain_a_call() -> None:
    transport, runtime = answering(apis("listZones")), VirtualSyncRuntime()
    cs = client(transport, runtime=runtime)
    cs.commands()
    runtime.run(runtime.sleep(4000))

    assert dict(cs.execute.request("listZones", id=1).query)["id"] == "1"
    with pytest.raises(UsageError, match="listPods"):
        cs.execute.request("listPods")
    assert sent(transport) == ["listApis"]


def test_who_does_not_want_it_is_not_checked() -> None:
    transport = answering(apis("listZones"))
    cs = client(transport, discovery=False)

    assert "listZones" in cs.commands()
    cs.execute("listPods", what=1)

    assert sent(transport) == ["listApis", "listPods"]


def test_an_answer_that_is_no_list_of_commands_is_an_error_and_is_not_kept() -> None:
    transport = answering(json_response({"listapisresponse": {}}), apis("listZones"))
    cs = client(transport)

    with pytest.raises(DecodeError, match="list of its commands"):
        cs.commands()
    assert "listZones" in cs.commands()


def test_a_server_that_refuses_the_list_is_its_own_error() -> None:
    refusal = json_response({"listapisresponse": {"errorcode": 401, "errortext": "no"}}, 401)

    with pytest.raises(CloudStackClientException) as caught:
        client(answering(refusal)).commands()

    assert caught.value.error_text == "no"


# --- what a person sees


def test_an_attribute_is_a_function_that_help_knows(converse: Converse) -> None:
    def plain(cs: Any) -> Any:
        before = cs.deployvirtualmachine
        cs.commands()
        return before, cs.deployvirtualmachine

    async def awaited(cs: Any) -> Any:
        before = cs.deployvirtualmachine
        await cs.commands()
        return before, cs.deployvirtualmachine

    before, after = converse(lambda cs: plain(cs) if isinstance(cs, CloudStack) else awaited(cs))

    assert inspect.isfunction(before)
    assert before.__name__ == "deployvirtualmachine"
    assert inspect.isfunction(after)
    assert after.__name__ == "deployVirtualMachine"
    assert "zoneid (uuid, required)" in str(inspect.getdoc(after))
    assert "serviceofferingid" in inspect.signature(after).parameters


def test_a_call_that_nobody_awaits_is_told_by_its_name() -> None:
    async def main() -> object:
        async with AsyncCloudStack(END_POINT, transport=answering()) as cs:
            call: Any = cs.listZones()
            await call
            return call.__qualname__  # what Python's warning says

    assert asyncio.run(main()) == "listZones"


def test_what_is_known_is_offered_to_who_asks() -> None:
    cs = client(answering(apis("listZones")))

    assert cs.discovery.names() == []
    assert cs.discovery.known("listzones") is None
    cs.commands()

    assert cs.discovery.names() == ["listZones"]
    known = cs.discovery.known("listzones")
    assert known is not None
    assert known.name == "listZones"


def test_what_another_client_has_learned_is_offered_after_a_call() -> None:
    transport = answering(apis("listZones"))
    client(transport).commands()
    other = client(transport)

    other.execute("listZones")

    assert other.discovery.names() == ["listZones"]


# --- files


def test_another_process_begins_with_what_is_in_the_file(tmp_path: Path) -> None:
    transport = answering(apis("listZones"))
    client(transport, discovery=tmp_path / "known").commands()
    _discovery._known.clear()  # another process

    later = client(transport, discovery=str(tmp_path / "known"))
    for _ in range(2):
        with pytest.raises(UsageError, match="listPods"):
            later.execute("listPods")
    assert "listZones" in client(transport, discovery=tmp_path / "known").commands()

    assert sent(transport) == ["listApis"]
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "known").iterdir()] == [0o600]


def test_the_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cs = client(answering(), discovery=tmp_path)
    assert cs.discovery._file is not None
    reads: list[bytes] = []
    monkeypatch.setattr(cs.discovery._file, "read", reads.append)

    cs.execute("listZones")
    cs.execute("listZones")

    assert len(reads) == 1


def test_what_others_learned_meanwhile_goes_before_the_file(tmp_path: Path) -> None:
    transport = answering(apis("listZones"), apis("listZones", "listPods"))
    cs = client(transport, discovery=tmp_path)
    cs.commands()
    client(transport).commands(refresh=True)

    cs.execute("listPods")

    assert sent(transport) == ["listApis", "listApis", "listPods"]


def test_a_file_for_other_credentials_or_end_points_is_not_theirs(tmp_path: Path) -> None:
    transport = answering(apis("listZones"))
    client(transport, discovery=tmp_path).commands()

    CloudStack(END_POINT, "another", "different", transport=transport, discovery=tmp_path).execute("listPods")
    CloudStack("https://other.test/", "key", "secret", transport=transport, discovery=tmp_path).execute("listPods")

    assert sent(transport) == ["listApis", "listPods", "listPods"]


def the_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("damage", ["flipped", "renamed", "cut", "emptied", "foreign", "long"])
def test_a_damaged_file_is_no_file(tmp_path: Path, damage: str) -> None:
    transport = answering(apis("listZones"), apis("listPods"))
    client(transport, discovery=tmp_path).commands()
    _discovery._known.clear()
    path = the_file(tmp_path)
    data = path.read_bytes()
    changed = {
        "flipped": data[:40] + bytes([data[40] ^ 1]) + data[41:],
        "renamed": data.replace(b"listZones", b"listZonez"),
        "cut": data[:-1],
        "emptied": b"",
        "foreign": b"listApis = {}",
        "long": data + b"x",
    }
    path.write_bytes(changed[damage])

    assert "listPods" in client(transport, discovery=tmp_path).commands()

    _discovery._known.clear()
    assert "listPods" in client(answering(), discovery=tmp_path).commands()


def test_a_file_of_another_version_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = answering(apis("listZones"), apis("listPods"))
    with monkeypatch.context() as later:
        later.setattr(_commands_file, "_VERSION", _commands_file._VERSION + 1)
        client(transport, discovery=tmp_path).commands()
    _discovery._known.clear()

    assert "listPods" in client(transport, discovery=tmp_path).commands()


def test_a_file_that_others_may_write_is_not_believed_and_that_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    transport = answering(apis("listZones"), apis("listZones"))
    client(transport, discovery=tmp_path).commands()
    _discovery._known.clear()
    the_file(tmp_path).chmod(0o666)
    cs = client(transport, discovery=tmp_path)

    with caplog.at_level(logging.WARNING, "jackfield"):
        cs.execute("listPods")
        cs.with_options(headers={"authorization": "x"}).execute("listPods")

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "chmod 600" in caplog.text


def test_a_folder_that_takes_nothing_is_no_reason_to_fail(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cs = client(answering(apis("listZones")), discovery=tmp_path / "known")
    (tmp_path / "known").rmdir()
    (tmp_path / "known").touch()

    with caplog.at_level(logging.WARNING, "jackfield"):
        assert "listZones" in cs.commands()

    assert "is not kept in a file" in caplog.text


@pytest.mark.parametrize(
    ("place", "says"), [(True, "or False: not True"), ("", "no name"), (7, "7 cannot be a folder")]
)
def test_what_is_no_folder_is_refused(place: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        client(answering(), discovery=place)


def test_no_secret_is_in_the_file(tmp_path: Path) -> None:
    cs = client(answering(apis("listZones")), discovery=tmp_path)
    cs.commands()

    data = the_file(tmp_path).read_bytes()
    assert b"secret" not in data
    (identity,) = [identity for _, identity in _discovery._known]
    assert identity not in data


def test_who_asked_is_kept_in_a_form_that_is_slow_to_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[int] = []

    def scrypt(*_: object, n: int, **__: object) -> bytes:  # of a name and a password, after a login
        costs.append(n)
        return b""

    monkeypatch.setattr(_commands_file, "scrypt", scrypt)
    client(answering(apis("listZones")), discovery=tmp_path).commands()

    assert costs == [2**14]


def test_words_of_a_whole_call_are_told_to_be_that() -> None:
    cs = client(answering(apis("listZones")))
    cs.commands()

    with pytest.raises(UsageError, match=r"no parameter 'fetch_list': that is of listZones\(…\) and request\(…\)"):
        cs.execute("listZones", fetch_list=True)
