"""Sessions: logging in with a name and a password, and all that can become of that."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import (
    Call,
    ConfigurationError,
    ConnectError,
    Event,
    Headers,
    JackfieldError,
    NetworkError,
    Observer,
    Request,
    Response,
    Secret,
    UnauthorizedError,
    UsageError,
    hookimpl,
)
from jackfield.testing import FakeTransport, VirtualAsyncioRuntime, VirtualSyncRuntime, json_response
from jackfield_services.cloudstack import (
    AsyncCloudStack,
    CloudStack,
    CloudStackClientException,
    CloudStackDecodeError,
    CloudStackParameterError,
    CloudStackSecondFactorError,
    CloudStackUnauthorizedError,
    Login,
)
from jackfield_services.cloudstack.emulator import CloudStackEmulator, User

END_POINT = "https://cloud.test/client/api"
PASSWORD = "pass-canary~ü&="
FACTOR = "123456"
METHODS: list[Literal["get", "post"]] = ["get", "post"]

Talk: TypeAlias = Callable[[Any], Any]


class Use(Protocol):
    """`use(talk, login, **options)`: makes a client, gives it to `talk`, and awaits what that gives if need be."""

    def __call__(self, talk: Talk, login: Login, *, end_point: str | None = None, **options: Any) -> Any: ...


@pytest.fixture
def user() -> User:
    return User(username="ann", password=PASSWORD, domain="/sales")


@pytest.fixture
def cloud(user: User) -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(machines=3, users=[user]) as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def use(request: pytest.FixtureRequest, cloud: CloudStackEmulator) -> Use:
    def plain(talk: Talk, login: Login, *, end_point: str | None = None, **options: Any) -> Any:
        options.setdefault("runtime", VirtualSyncRuntime())
        with CloudStack(end_point or cloud.end_point, login=login, **options) as client:
            return talk(client)

    def awaited(talk: Talk, login: Login, *, end_point: str | None = None, **options: Any) -> Any:
        options.setdefault("runtime", VirtualAsyncioRuntime())

        async def main() -> Any:
            async with AsyncCloudStack(end_point or cloud.end_point, login=login, **options) as client:
                return await talk(client)

        return asyncio.run(main())

    return plain if request.param == "sync" else awaited


def ann(**more: Any) -> Login:
    options: dict[str, Any] = {"domain": "/sales", **more}
    return Login("ann", PASSWORD, **options)


def commands(cloud: CloudStackEmulator) -> list[str]:
    return [request.command for request in cloud.requests]


def each(*calls: Talk) -> Talk:
    """One after the other, in either colour."""

    def talk(client: Any) -> Any:
        return [call(client) for call in calls] if isinstance(client, CloudStack) else later(client)

    async def later(client: Any) -> list[Any]:
        return [await call(client) for call in calls]

    return talk


def zones(client: Any) -> Any:
    return client.listZones()


def executed(client: Any) -> Any:
    return client.execute("listZones")


# --- the session


def test_a_client_logs_in_calls_and_logs_out(cloud: CloudStackEmulator, use: Use) -> None:
    answer = use(zones, ann())

    assert answer["count"] == 2
    assert commands(cloud) == ["login", "listZones", "logout"]
    assert [request.status for request in cloud.requests] == [200, 200, 200]
    login, listed, _ = cloud.requests
    assert login.http_method == "POST"
    assert login.parameters["password"] == PASSWORD
    assert listed.username == "ann"
    assert not {"apikey", "signature", "expires"} & {name.lower() for name in listed.parameters}
    assert cloud.sessions == ()


@pytest.mark.parametrize("method", METHODS)
def test_pages_and_jobs_go_on_in_a_session(use: Use, method: Any, user: User) -> None:
    with CloudStackEmulator(machines=1200, users=[user], job_polls=2) as cloud:
        cloud.inject(503, command="listVirtualMachines")

        def machines(client: Any) -> Any:
            return client.listVirtualMachines()

        def stop(client: Any) -> Any:
            cloud.end_sessions()
            return client.stopVirtualMachine(id=cloud.machine_id(1))

        listed, stopped = use(each(machines, stop), ann(), end_point=cloud.end_point, method=method)

    assert len({machine["id"] for machine in listed["virtualmachine"]}) == listed["count"] == 1200
    assert stopped["virtualmachine"]["state"] == "Stopped"
    assert commands(cloud) == [
        *("login", *["listVirtualMachines"] * 4, "stopVirtualMachine", "login", "stopVirtualMachine"),
        *(*["queryAsyncJobResult"] * 3, "logout"),
    ]


@pytest.mark.parametrize("check", ["CookieAndParameter", "CookieOrParameter", "ParameterOnly"])
@pytest.mark.parametrize("method", METHODS)
def test_the_key_goes_along_as_cookie_and_as_parameter(
    cloud: CloudStackEmulator, use: Use, method: Any, check: Any
) -> None:
    cloud.session_check = check

    use(zones, ann(), method=method)

    listed = cloud.requests[1]
    assert (listed.status, listed.http_method) == (200, method.upper())
    assert f"sessionkey={listed.parameters['sessionkey']}" in listed.headers["cookie"]
    assert "JSESSIONID=" in listed.headers["cookie"]


def test_one_session_serves_all_calls_and_all_clients_that_share_the_login(cloud: CloudStackEmulator, use: Use) -> None:
    login = ann()
    with CloudStack(cloud.end_point, login=login) as other:
        other.listZones()
        use(each(zones, zones), login, runtime=None)  # a clock for all
        assert len(cloud.sessions) == 1
        other.listZones()

    assert commands(cloud) == ["login", *["listZones"] * 4, "logout"]


@pytest.mark.parametrize(
    ("domain", "sent"),
    [
        (None, "/"),
        ("", "/"),
        ("/", "/"),
        ("ROOT", "/"),
        ("/ROOT", "/"),
        ("/root/", "/"),
        ("sales", "/sales/"),
        ("/sales/eu", "/sales/eu/"),
        ("ROOT/sales/eu", "/sales/eu/"),
        ("/rooted", "/rooted/"),
    ],
)
def test_a_domain_is_told_as_people_know_it_and_sent_as_the_server_looks_it_up(domain: Any, sent: str) -> None:
    transport = FakeTransport([logged_in(), EMPTY])
    with CloudStack(END_POINT, login=Login("ann", PASSWORD, domain=domain), transport=transport) as client:
        client.execute("listZones")

    assert form(transport.requests[0])["domain"] == sent


def test_a_domain_may_be_told_by_its_id(cloud: CloudStackEmulator, use: Use, user: User) -> None:
    assert use(zones, Login("ann", PASSWORD, domain_id=user.domain_id))["count"] == 2

    assert cloud.requests[0].parameters["domainId"] == user.domain_id
    assert "domain" not in cloud.requests[0].parameters


# --- its end


def test_a_session_that_the_server_forgot_is_replaced_and_the_command_sent_once_more(
    cloud: CloudStackEmulator, use: Use
) -> None:
    def forgotten(client: Any) -> Any:
        cloud.end_sessions()
        return client.createSSHKeyPair(name="k")  # it changes something; but a server that knows nobody did nothing

    answers = use(each(zones, forgotten), ann())

    assert answers[1]["keypair"]["name"] == "k"
    assert commands(cloud) == [
        *("login", "listZones", "createSSHKeyPair", "login", "createSSHKeyPair", "logout"),
    ]
    assert [request.status for request in cloud.requests] == [200, 200, 401, 200, 200, 200]


def test_it_is_replaced_once_only(use: Use) -> None:
    transport = FakeTransport([logged_in("one"), REFUSED, logged_in("two"), REFUSED], otherwise=EMPTY)

    with pytest.raises(CloudStackUnauthorizedError):
        use(lambda cs: cs.execute("deployVirtualMachine"), ann(), end_point=END_POINT, transport=transport)

    assert sent(transport) == ["login", "deployVirtualMachine", "login", "deployVirtualMachine"]


def test_a_command_that_the_role_may_not_run_is_an_error_and_no_reason_to_log_in(
    cloud: CloudStackEmulator, use: Use, user: User
) -> None:
    user.role = "User"

    with pytest.raises(CloudStackUnauthorizedError):
        use(lambda cs: cs.execute("listHosts"), ann())

    assert commands(cloud) == ["login", "listHosts", "logout"]


def test_a_session_that_was_idle_for_too_long_is_not_tried() -> None:
    runtime = VirtualSyncRuntime()
    with CloudStackEmulator(users=[User()], session_timeout=100, now=runtime.now) as cloud:
        login = Login("admin", User().password)
        with CloudStack(cloud.end_point, login=login, runtime=runtime) as client:
            for pause in (0, 80, 80, 95):
                runtime.run(runtime.sleep(pause))
                client.listZones()

    assert commands(cloud) == ["login", "listZones", "listZones", "listZones", "login", "listZones", "logout"]
    assert all(request.status == 200 for request in cloud.requests)


@pytest.mark.parametrize("timeout", [None, 0, -5, "x", 10**19, 10**400, "900", 1.5])
def test_whatever_a_server_says_of_its_timeout_the_session_is_used(timeout: Any) -> None:
    transport = FakeTransport([logged_in(timeout=timeout), EMPTY, EMPTY], otherwise=EMPTY)
    with CloudStack(END_POINT, login=ann(), transport=transport, runtime=VirtualSyncRuntime()) as client:
        client.execute("listZones")
        client.execute("listZones")

    assert sent(transport) == ["login", "listZones", "listZones", "logout"]


def test_retries_and_each_attempt_bear_the_session(use: Use) -> None:
    transport = FakeTransport([logged_in(), Response(503), EMPTY], otherwise=EMPTY)

    use(executed, ann(), end_point=END_POINT, transport=transport)

    assert sent(transport) == ["login", "listZones", "listZones", "logout"]
    assert all("JSESSIONID=id" in request.headers["cookie"] for request in transport.requests[1:])


# --- at once


def test_threads_that_come_together_log_in_once(cloud: CloudStackEmulator) -> None:
    login, start, failed = ann(), threading.Barrier(8), list[BaseException]()
    clients = [CloudStack(cloud.end_point, login=login) for _ in range(4)]

    def call(client: CloudStack) -> None:
        start.wait()
        try:
            client.listZones()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=call, args=(client,)) for client in clients * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()

    assert not failed
    assert sorted(commands(cloud)) == ["listZones"] * 8 + ["login", "logout"]


@pytest.mark.parametrize("lost", [False, True])
def test_tasks_that_come_together_log_in_once(cloud: CloudStackEmulator, lost: bool) -> None:
    async def main() -> None:
        async with AsyncCloudStack(cloud.end_point, login=ann()) as client:
            if lost:
                await client.listZones()
                cloud.end_sessions()
            await asyncio.gather(*(client.listZones() for _ in range(8)))

    asyncio.run(main())

    assert commands(cloud).count("login") == 1 + lost
    assert commands(cloud).count("logout") == 1


def test_who_was_refused_while_others_logged_in_takes_their_session(use: Use) -> None:
    login = ann()

    def answering(request: Request) -> Response:
        name = command(request)
        if name == "login":
            return logged_in(f"key{sent(transport).count('login')}")
        stale = dict(request.query).get("sessionkey") == "key1"
        return REFUSED if stale and name == "listZones" else EMPTY

    transport = FakeTransport(otherwise=answering)
    options: dict[str, Any] = {"end_point": END_POINT, "transport": transport}
    use(each(executed, executed, executed), login, **options)

    assert sent(transport) == ["login", "listZones", "login", *["listZones"] * 3, "logout"]


def test_a_session_that_came_after_the_refused_one_stays() -> None:
    replaced = asyncio.Event()

    async def answer(request: Request) -> Response:
        name = command(request)
        if name == "login":
            return logged_in(f"key{sent(transport).count('login')}")
        if name == "logout" or dict(request.query)["sessionkey"] != "key1":
            replaced.set()
            return EMPTY
        if dict(request.query).get("id") == "late":
            await replaced.wait()  # the other one has been refused, and has logged in again
        return REFUSED

    transport = FakeTransport(otherwise=answer)

    async def main() -> None:
        async with AsyncCloudStack(END_POINT, login=ann(), transport=transport) as client:
            await asyncio.gather(*(client.execute("listZones", id=name) for name in ("late", "early")))

    asyncio.run(main())

    assert sent(transport).count("login") == 2


class Forgetful:
    """A server that takes its time, and forgets every session after so many commands."""

    def __init__(self, runtime: VirtualAsyncioRuntime, delays: list[float], memory: int) -> None:
        self._runtime = runtime
        self._delays = itertools.cycle(delays)
        self._memory = memory
        self._known = set[str]()
        self._logging_in = 0
        self.logins = 0
        self.most_at_once = 0
        self.done: list[str] = []

    async def answer(self, request: Request) -> Response:
        name = command(request)
        if name == "logout":
            return EMPTY
        if name == "login":
            return await self._log_in()
        key, machine = (dict(request.query)[field] for field in ("sessionkey", "id"))
        await self._runtime.sleep(next(self._delays))
        if key not in self._known:
            return REFUSED
        self.done.append(machine)
        if len(self.done) % self._memory == 0:
            self._known.clear()
        await self._runtime.sleep(next(self._delays))
        return EMPTY

    async def _log_in(self) -> Response:
        self._logging_in += 1
        self.most_at_once = max(self.most_at_once, self._logging_in)
        await self._runtime.sleep(next(self._delays))
        self._logging_in -= 1
        self.logins += 1
        self._known.add(f"key{self.logins}")
        return logged_in(f"key{self.logins}")


@given(
    st.lists(st.sampled_from([0, 0.1, 1, 3]), min_size=1, max_size=8),
    st.integers(1, 6),
    st.lists(st.sampled_from([0, 0, 1, 5]), min_size=2, max_size=12),
)
@settings(deadline=None, max_examples=100)
def test_however_sessions_end_nothing_is_done_twice_and_one_logs_in_at_a_time(
    delays: list[float], memory: int, starts: list[float]
) -> None:
    runtime = VirtualAsyncioRuntime()
    server = Forgetful(runtime, delays, memory)

    async def call(client: AsyncCloudStack, number: int, start: float) -> str | None:
        await runtime.sleep(start)
        try:
            await client.execute("stopVirtualMachine", id=str(number))
        except CloudStackUnauthorizedError:
            return None  # forgotten twice in one call
        return str(number)

    async def main() -> list[str | None]:
        transport = FakeTransport(otherwise=server.answer)
        options: dict[str, Any] = {"transport": transport, "runtime": runtime, "timeout": 100_000}
        async with AsyncCloudStack(END_POINT, login=ann(), **options) as client:
            return await asyncio.gather(*(call(client, number, start) for number, start in enumerate(starts)))

    answered = asyncio.run(main())

    assert sorted(server.done) == sorted(number for number in answered if number is not None)
    assert server.most_at_once == 1
    assert server.logins <= 1 + 2 * len(starts)


# --- logging in fails


def test_a_wrong_password_is_an_error_that_shows_neither_it_nor_the_session(
    cloud: CloudStackEmulator, use: Use
) -> None:
    login = Login("ann", "wrong-canary", domain="/sales")

    with pytest.raises(CloudStackUnauthorizedError) as caught:
        use(zones, login)

    assert isinstance(caught.value, UnauthorizedError)
    assert (caught.value.status, caught.value.error_code, caught.value.command) == (531, 531, "login")
    assert commands(cloud) == ["login"]
    assert "canary" not in repr(vars(caught.value)) + str(caught.value) + repr(vars(login))


def test_credentials_that_never_were_good_are_sent_once(cloud: CloudStackEmulator) -> None:
    runtime, kept = VirtualSyncRuntime(), list[CloudStackUnauthorizedError]()
    with CloudStack(cloud.end_point, login=Login("ann", "wrong"), runtime=runtime) as client:
        for pause in (0, 1, 100_000):
            runtime.run(runtime.sleep(pause))
            with pytest.raises(CloudStackUnauthorizedError) as caught:
                client.listZones()
            kept.append(caught.value)

    assert commands(cloud) == ["login"]
    assert len({id(error) for error in kept}) == 3
    assert ["is not sent again" in str(error.__notes__) for error in kept] == [False, True, True]
    assert [len(error.__notes__) for error in kept[1:]] == [len(kept[1].__notes__)] * 2


def test_credentials_that_were_good_are_tried_again_after_a_minute(cloud: CloudStackEmulator, user: User) -> None:
    runtime = VirtualSyncRuntime()
    with CloudStack(cloud.end_point, login=ann(), runtime=runtime) as client:
        client.listZones()
        user.enabled = False
        cloud.end_sessions()
        for pause in (0, 59.9, 0.2):
            runtime.run(runtime.sleep(pause))
            with pytest.raises(CloudStackUnauthorizedError):
                client.listZones()
        user.enabled = True
        runtime.run(runtime.sleep(61))
        assert client.listZones()["count"] == 2

    assert commands(cloud).count("login") == 4


def test_each_of_those_who_waited_gets_an_error_of_its_own(cloud: CloudStackEmulator) -> None:
    async def main() -> list[Any]:
        async with AsyncCloudStack(cloud.end_point, login=Login("ann", "wrong")) as client:
            calls = [client.execute("listZones") for _ in range(5)]
            return list(await asyncio.gather(*calls, return_exceptions=True))

    errors = asyncio.run(main())

    assert all(type(error) is CloudStackUnauthorizedError for error in errors)
    assert len({id(error) for error in errors}) == 5
    assert commands(cloud) == ["login"]


def test_a_login_that_does_not_arrive_leaves_the_command_unsent_so_that_it_is_tried_again(use: Use) -> None:
    transport = FakeTransport([ConnectError("no"), logged_in(), EMPTY], otherwise=EMPTY)

    use(lambda cs: cs.execute("deployVirtualMachine"), ann(), end_point=END_POINT, transport=transport)

    assert sent(transport) == ["login", "login", "deployVirtualMachine", "logout"]


def test_a_second_login_that_does_not_arrive_does_not_make_the_command_doubtful() -> None:
    lost = NetworkError("gone")
    lost.sent = True
    transport = FakeTransport([logged_in(), REFUSED, lost, logged_in(), EMPTY], otherwise=EMPTY)
    with CloudStack(END_POINT, login=ann(), transport=transport, runtime=VirtualSyncRuntime()) as client:
        client.execute("deployVirtualMachine")

    assert sent(transport) == ["login", "deployVirtualMachine", "login", "login", "deployVirtualMachine", "logout"]


@pytest.mark.parametrize(
    "busy",
    [
        json_response({"loginresponse": {"errorcode": 503, "errortext": "busy"}}, 503),
        Response(502, body=b"<html>"),
        json_response({"loginresponse": {"errorcode": 429, "errortext": "retry after [5] ms"}}, 429),
    ],
    ids=lambda busy: str(busy.status),
)
def test_a_server_that_is_busy_is_asked_again(use: Use, busy: Response) -> None:
    transport = FakeTransport([busy, logged_in(), EMPTY], otherwise=EMPTY)

    use(lambda cs: cs.execute("deployVirtualMachine"), ann(), end_point=END_POINT, transport=transport)

    assert sent(transport) == ["login", "login", "deployVirtualMachine", "logout"]


# --- the second factor


@pytest.fixture
def guarded(user: User) -> User:
    user.second_factor = FACTOR
    return user


def asked() -> str:
    return f" {FACTOR}\n"


async def asked_later() -> Secret:
    return Secret(FACTOR)


@pytest.mark.parametrize("factor", [FACTOR, Secret(FACTOR), asked, asked_later])
@pytest.mark.usefixtures("guarded")
def test_a_second_factor_is_a_code_or_a_function_of_either_kind(
    cloud: CloudStackEmulator, use: Use, factor: Any
) -> None:
    assert use(zones, ann(second_factor=factor))["count"] == 2

    assert commands(cloud) == ["login", "validateUserTwoFactorAuthenticationCode", "listZones", "logout"]
    assert cloud.requests[1].http_method == "POST"


@pytest.mark.usefixtures("guarded")
def test_without_one_nothing_is_called(cloud: CloudStackEmulator, use: Use) -> None:
    with pytest.raises(CloudStackSecondFactorError, match="was given none"):
        use(zones, ann())

    assert "listZones" not in commands(cloud)


@pytest.mark.usefixtures("guarded")
def test_a_code_that_is_wrong_is_not_sent_again_but_a_function_is_asked_again(cloud: CloudStackEmulator) -> None:
    codes = iter(["000000", FACTOR])
    with CloudStack(cloud.end_point, login=ann(second_factor="wrong")) as client:
        for _ in range(2):
            with pytest.raises(CloudStackSecondFactorError) as caught:
                client.listZones()
            assert "wrong" not in repr(vars(caught.value))
    with CloudStack(cloud.end_point, login=ann(second_factor=lambda: next(codes))) as client:
        with pytest.raises(CloudStackSecondFactorError):
            client.listZones()
        client.listZones()

    verify = "validateUserTwoFactorAuthenticationCode"
    assert commands(cloud) == ["login", verify, "login", verify, "login", verify, "listZones", "logout"]


@pytest.mark.usefixtures("guarded")
def test_each_login_asks_for_a_code_of_its_own(cloud: CloudStackEmulator, use: Use) -> None:
    given = list[str]()

    def code() -> str:
        given.append(FACTOR)
        return FACTOR

    def forgotten(client: Any) -> Any:
        cloud.end_sessions()
        return client.listZones()

    use(each(zones, forgotten), ann(second_factor=code))

    assert len(given) == 2


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("code", [None, 123456, "", " ", "\ud800"])
def test_a_function_that_gives_no_code_is_a_mistake(cloud: CloudStackEmulator, use: Use, code: Any) -> None:
    with pytest.raises(UsageError, match="the code of second_factor"):
        use(zones, ann(second_factor=lambda: code))

    assert commands(cloud) == ["login", "logout"]


@pytest.mark.usefixtures("guarded")
def test_what_goes_wrong_in_the_function_is_the_callers_to_see(cloud: CloudStackEmulator, use: Use) -> None:
    def code() -> str:
        raise KeyError("no phone")

    with pytest.raises(KeyError, match="no phone"):
        use(zones, ann(second_factor=code))

    assert commands(cloud) == ["login", "logout"]


@pytest.mark.parametrize(
    ("enabled", "verified", "asked"),
    [
        ("true", "false", True),
        (True, False, True),
        ("TRUE", None, True),
        ("true", "true", False),
        (True, True, False),
        ("false", "false", False),
        (False, False, False),
        (None, None, False),
        (1, 0, False),
    ],
)
def test_the_server_says_whether_it_wants_one(use: Use, enabled: Any, verified: Any, asked: bool) -> None:
    transport = FakeTransport([logged_in(is2faenabled=enabled, is2faverified=verified)], otherwise=EMPTY)

    use(executed, ann(second_factor=FACTOR), end_point=END_POINT, transport=transport)

    verify = ["validateUserTwoFactorAuthenticationCode"] if asked else []
    assert sent(transport) == ["login", *verify, "listZones", "logout"]


def test_a_second_factor_that_is_wanted_from_now_on_is_given(use: Use) -> None:
    wanted = json_response({"errorresponse": {"errorcode": 411, "cserrorcode": 4295, "errortext": "2FA"}}, 411)
    wants = logged_in("two", is2faenabled="true", is2faverified="false")
    transport = FakeTransport([logged_in("one"), wanted, wants, EMPTY, EMPTY], otherwise=EMPTY)

    login = ann(second_factor=FACTOR)
    use(lambda cs: cs.execute("stopVirtualMachine"), login, end_point=END_POINT, transport=transport)

    verify = "validateUserTwoFactorAuthenticationCode"
    assert sent(transport) == ["login", "stopVirtualMachine", "login", verify, "stopVirtualMachine", "logout"]
    assert form(transport.requests[3])["codefor2fa"] == FACTOR
    assert form(transport.requests[3])["sessionkey"] == "two"


# --- what a server may say

EMPTY = json_response({"listzonesresponse": {}})
REFUSED = json_response({"listzonesresponse": {"errorcode": 401, "errortext": "unable to verify"}}, 401)
COOKIES = ("JSESSIONID=id.node0; Path=/client; HttpOnly", "sessionkey=cookie-key;HttpOnly")


def logged_in(key: Any = "the-key", *, cookies: tuple[str, ...] = COOKIES, **fields: Any) -> Response:
    answer = json_response({"loginresponse": {"sessionkey": key, "timeout": 1800, **fields}})
    pairs = [("content-type", "application/json"), *(("set-cookie", cookie) for cookie in cookies)]
    return answer.replace(headers=pairs)


def command(request: Request) -> str:
    return (form(request) or dict(request.query)).get("command", "")


def form(request: Request) -> dict[str, str]:
    assert isinstance(request.body, bytes)
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def sent(transport: FakeTransport) -> list[str]:
    return [command(request) for request in transport.requests]


def cookies_sent(*cookies: str, **options: Any) -> str:
    """The Cookie header of a call after a login that set these."""
    transport = FakeTransport([logged_in(cookies=cookies), EMPTY], otherwise=EMPTY)
    with CloudStack(END_POINT, login=ann(), transport=transport, **options) as client:
        client.execute("listZones")
    return transport.requests[1].headers["cookie"]


def test_of_all_cookies_two_are_kept() -> None:
    others = ("tracker=1; Domain=cloud.test", "jsessionid=other", "JSESSIONIDx=1", "=x", "", ";", "a")

    assert cookies_sent(*others, *COOKIES, *others) == "JSESSIONID=id.node0; sessionkey=cookie-key"


def test_a_cookie_that_comes_again_replaces_the_first() -> None:
    assert cookies_sent("JSESSIONID=old", *COOKIES, "sessionkey=new; Secure") == "JSESSIONID=id.node0; sessionkey=new"


def test_a_server_that_sets_no_cookie_for_the_key_gets_none() -> None:
    assert cookies_sent("JSESSIONID=id; Path=/client") == "JSESSIONID=id"


def test_cookies_of_the_callers_own_are_left_in_place() -> None:
    own = {"cookie": "node=7; sessionkey=mine; JSESSIONID=mine"}

    assert cookies_sent(*COOKIES, headers=own) == "node=7; JSESSIONID=id.node0; sessionkey=cookie-key"


@pytest.mark.parametrize(
    "value", ["", "a b", "a,b", 'a"b', "a\\b", "ü", "a\tb", "a\x00b", "a\r\nX-Evil: 1", "x" * 4097, "a\x7f"]
)
def test_a_cookie_that_cannot_be_sent_is_none(value: str) -> None:
    transport = FakeTransport([with_raw_cookie(f"JSESSIONID={value}")], otherwise=EMPTY)
    client = CloudStack(END_POINT, login=ann(), transport=transport)
    with client, pytest.raises(CloudStackDecodeError, match="the cookie JSESSIONID is missing or mal") as caught:
        client.execute("listZones")

    assert sent(transport) == ["login"]
    response = caught.value.response
    assert response is not None
    assert (response.status, response.content, len(response.headers)) == (200, b"", 0)  # the session is not in it


def with_raw_cookie(cookie: str) -> Response:
    answer = logged_in()
    return answer.replace(headers=Headers.received([("content-type", "application/json"), ("set-cookie", cookie)]))


@pytest.mark.parametrize("key", [None, "", 5, ["a"], "a b", "ü", "a\nb", "x" * 4097])
def test_a_key_that_cannot_be_sent_is_none(key: Any) -> None:
    transport = FakeTransport([logged_in(key)], otherwise=EMPTY)
    client = CloudStack(END_POINT, login=ann(), transport=transport)
    with client, pytest.raises(CloudStackDecodeError, match="sessionkey is missing or malformed"):
        client.execute("listZones")


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=30), max_size=4), st.text(max_size=20))
@settings(deadline=None, max_examples=100)
def test_whatever_a_login_sets_the_header_is_one_that_can_be_sent(lines: list[str], value: str) -> None:
    cookies = [f"JSESSIONID={value.encode('latin-1', 'replace').decode('latin-1')}", *lines]
    answer = logged_in().replace(headers=Headers.received([("set-cookie", cookie) for cookie in cookies]))
    transport = FakeTransport([answer], otherwise=EMPTY)
    with CloudStack(END_POINT, login=ann(), transport=transport) as client:
        try:
            client.execute("listZones")
        except JackfieldError:
            return

    names = [pair.partition("=")[0] for pair in transport.requests[1].headers["cookie"].split("; ")]
    assert "JSESSIONID" in names
    assert set(names) <= {"JSESSIONID", "sessionkey"}


def test_a_sessionkey_of_the_callers_own_is_replaced() -> None:
    transport = FakeTransport([logged_in(), EMPTY], otherwise=EMPTY)
    with CloudStack(END_POINT, login=ann(), transport=transport, method="get") as client:
        client.execute("listZones", SessionKey="mine")

    assert [value for name, value in transport.requests[1].query if name.lower() == "sessionkey"] == ["the-key"]


@pytest.mark.parametrize(
    "answer",
    [
        Response(200, body=b"<html>"),
        json_response([]),
        json_response({}),
        json_response({"loginresponse": "x"}),
        Response(302, headers={"location": "https://evil.test/"}),
        json_response({"errorresponse": {}}, 500),
    ],
)
def test_an_answer_that_is_none_is_an_error(use: Use, answer: Response) -> None:
    transport = FakeTransport([answer], otherwise=EMPTY)

    with pytest.raises(CloudStackClientException):
        use(executed, ann(), end_point=END_POINT, transport=transport)

    assert sent(transport) == ["login"]


# --- nothing is shown


class Ear:
    name = "ear"

    def __init__(self) -> None:
        self.heard: list[Event] = []

    @hookimpl
    def jackfield_observer(self) -> Observer:
        return self.heard.append


def test_neither_password_nor_session_is_seen_by_observers_errors_logs_or_explain(
    use: Use, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ear, shown = Ear(), list[str]()
    cookies = ("JSESSIONID=id-canary", "sessionkey=cookie-canary")
    refused = json_response({"listzonesresponse": {"errorcode": 431, "errortext": "no"}}, 431)
    transport = FakeTransport([logged_in("key-canary", cookies=cookies), refused], otherwise=refused)
    login = ann()

    def talk(client: Any) -> Any:
        return client.execute("listZones")

    with pytest.raises(CloudStackParameterError) as caught:
        use(talk, login, end_point=END_POINT, transport=transport, plugins=[ear], method="get")
    for method in METHODS:
        transport = FakeTransport([logged_in("key-canary", cookies=cookies)], otherwise=EMPTY)
        with CloudStack(END_POINT, login=login, transport=transport, method=method) as client:
            client.execute("listZones")
            request = client.execute.request("listZones")
            assert "key-canary" in dict(request.query or form(request)).values()
            shown += [str(client.execute.explain("listZones")), repr(client), str(client.chain), repr(request)]

    shown += [repr(ear.heard), caplog.text, str(caught.value), repr(vars(caught.value)), repr(vars(login))]
    shown += getattr(caught.value, "__notes__", [])
    assert len(ear.heard) >= 4
    assert "canary" not in "\n".join(shown)


def test_what_is_only_explained_logs_nobody_in() -> None:
    transport = FakeTransport()
    with CloudStack(END_POINT, login=ann(), transport=transport) as client:
        request = client.execute.request("listZones")

    assert transport.requests == []
    assert "not-logged-in" in request.headers["cookie"]


def test_the_session_goes_to_no_other_origin(use: Use) -> None:
    away = Response(302, {"location": "https://evil.test/x"})
    transport = FakeTransport([logged_in(), away, EMPTY], otherwise=EMPTY)

    with contextlib.suppress(JackfieldError):
        use(executed, ann(), end_point=END_POINT, transport=transport)

    for request in transport.requests:
        if request.url.origin.host != "cloud.test":
            assert "cookie" not in request.headers
            assert "sessionkey" not in dict(request.query)


def test_a_redirect_within_the_origin_is_followed_with_the_session_and_gets_no_password(use: Use) -> None:
    moved = Response(302, {"location": "/other/api"})
    transport = FakeTransport([logged_in(), moved, EMPTY], otherwise=EMPTY)

    use(executed, ann(), end_point=END_POINT, transport=transport)

    assert [(request.url.path, request.method) for request in transport.requests] == [
        *(("/client/api", "POST"), ("/client/api", "GET"), ("/other/api", "GET"), ("/client/api", "POST"))
    ]
    assert "JSESSIONID" in transport.requests[2].headers["cookie"]


def test_what_the_client_sends_with_every_request_goes_along_with_a_login(use: Use) -> None:
    transport = FakeTransport([logged_in()], otherwise=EMPTY)
    headers = {"x-gateway": "pass", "cookie": "node=7"}

    use(executed, ann(), end_point=END_POINT, transport=transport, headers=headers)

    assert [request.headers["x-gateway"] for request in transport.requests] == ["pass"] * 3
    assert [request.headers["cookie"].startswith("node=7") for request in transport.requests] == [True] * 3


def test_end_points_have_sessions_of_their_own(cloud: CloudStackEmulator, user: User) -> None:
    login = ann()
    with CloudStackEmulator(users=[user]) as other:
        with CloudStack(cloud.end_point, login=login) as one, CloudStack(other.end_point, login=login) as two:
            one.listZones()
            two.listZones()

        assert commands(other) == commands(cloud) == ["login", "listZones", "logout"]


def test_clients_of_one_login_are_one_identity_and_those_of_another_are_not() -> None:
    def identity(login: Login) -> bytes:
        with CloudStack(END_POINT, login=login, transport=FakeTransport()) as client:
            return client._wiring.identity

    assert identity(ann()) == identity(ann())
    others = [ann(), Login("ann", "x", domain="/sales"), Login("bob", PASSWORD, domain="/sales"), ann(domain="/")]
    assert len({identity(login) for login in others}) == 4


# --- the end


def test_a_client_that_never_called_does_not_log_out(cloud: CloudStackEmulator) -> None:
    CloudStack(cloud.end_point, login=ann()).close()

    assert cloud.requests == ()


def test_closing_twice_and_closing_views_log_out_once(cloud: CloudStackEmulator) -> None:
    login = ann()
    client, other = (CloudStack(cloud.end_point, login=login) for _ in range(2))
    client.listZones()
    client.with_options(timeout=5).close()
    client.close()
    client.close()
    assert commands(cloud) == ["login", "listZones"]
    other.close()

    assert commands(cloud) == ["login", "listZones", "logout"]


def test_clients_that_were_forgotten_keep_nobody_logged_in(cloud: CloudStackEmulator) -> None:
    login = ann()
    CloudStack(cloud.end_point, login=login)
    gc.collect()
    with CloudStack(cloud.end_point, login=login) as client:
        client.listZones()

    assert commands(cloud)[-1] == "logout"


@pytest.mark.parametrize(
    "answer", [ConnectError("gone"), Response(500), Response(200, body=b"<"), json_response({}, 401)]
)
def test_a_logout_that_fails_fails_nobody(use: Use, answer: Any) -> None:
    transport = FakeTransport([logged_in(), EMPTY, answer])

    use(executed, ann(), end_point=END_POINT, transport=transport)

    assert sent(transport) == ["login", "listZones", "logout"]


def test_a_logout_takes_no_longer_than_a_few_seconds(use: Use) -> None:
    limits = dict[str, float]()

    class Watching(FakeTransport):
        async def send(self, request: Request, call: Call) -> Response:
            limits[command(request)] = call.limit(1000)
            return await super().send(request, call)

    transport = Watching([logged_in()], otherwise=EMPTY)
    use(executed, ann(), end_point=END_POINT, transport=transport)

    assert limits == {"login": 60, "listZones": 60, "logout": 5}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_session_of_its_own_and_leaves_its_parents_alone(cloud: CloudStackEmulator) -> None:
    client = CloudStack(cloud.end_point, login=ann())
    client.listZones()
    child = os.fork()
    if child == 0:
        try:
            client.listZones()
            client.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    client.listZones()
    client.close()

    assert commands(cloud) == ["login", "listZones", "login", "listZones", "logout", "listZones", "logout"]


# --- mistakes


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"username": ""}, "username must be"),
        ({"username": 5}, "username must be"),
        ({"username": "\ud800"}, "username holds half of a surrogate pair"),
        ({"password": "canary\ud800"}, "password holds half of a surrogate pair"),
        ({"domain": "\ud800"}, "domain holds half of a surrogate pair"),
        ({"password": ""}, "password must be"),
        ({"password": None}, "password must be"),
        ({"domain": "/", "domain_id": "x"}, "not by both"),
        ({"domain": 5}, "domain must be a string"),
        ({"domain_id": 5}, "domain_id must be a string"),
        ({"domain_id": ""}, "domain_id must be a string"),
        ({"second_factor": 123456}, "second_factor is the code"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: Any, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        Login(**({"username": "ann", "password": "canary"} | arguments))

    assert "canary" not in str(caught.value)


def test_a_password_does_not_go_over_plain_http_to_another_machine_unasked() -> None:
    with pytest.raises(ConfigurationError, match=r"for all to read: use https, or say Login\(…, allow_http=True\)"):
        CloudStack("http://cloud.test:8080/client/api", login=ann())
    for end_point, login in (
        ("http://cloud.test/client/api", ann(allow_http=True)),
        ("http://localhost:8080/client/api", ann()),
        ("http://[::1]/client/api", ann()),
    ):
        CloudStack(end_point, login=login).close()


def test_login_and_keys_are_too_much() -> None:
    for key, secret in (("k", "s"), ("k", None), (None, "s")):
        with pytest.raises(ConfigurationError, match="not both"):
            CloudStack(END_POINT, key, secret, login=ann())
    with pytest.raises(ConfigurationError, match=r"login is a Login\(username, password\), not tuple"):
        CloudStack(END_POINT, login=("ann", "x"))  # type: ignore[arg-type]  # that is the mistake


# --- what the server repeats


def canary_in(error: CloudStackClientException) -> bool:
    response = error.response
    assert response is not None
    return "canary" in str(error) + repr(error.uuid_list) + response.content.decode() + repr(response.headers)


def test_a_password_that_the_server_repeats_is_not_in_the_error(use: Use) -> None:
    refused = json_response({"loginresponse": {"errorcode": 531, "errortext": "no such user ann/word-canary"}}, 531)

    with pytest.raises(CloudStackUnauthorizedError) as caught:
        use(
            lambda cs: cs.execute("listZones"),
            Login("ann", "word-canary"),
            end_point=END_POINT,
            transport=FakeTransport(otherwise=lambda request: refused),
        )

    assert caught.value.error_text == "no such user ann/***"
    assert not canary_in(caught.value)


def test_a_code_and_a_session_that_the_server_repeats_are_not_in_the_error(use: Use) -> None:
    def respond(request: Request) -> Response:
        assert isinstance(request.body, bytes)
        form = dict(parse_qsl(request.body.decode()))
        if form["command"] == "login":
            fields = {"sessionkey": "key-canary", "is2faenabled": "true", "is2faverified": "false"}
            return json_response({"loginresponse": fields}, headers={"Set-Cookie": "JSESSIONID=cookie-canary"})
        said = f"{form.get('codefor2fa')} in {form['sessionkey']} and {request.headers['cookie']}"
        return json_response({"r": {"errorcode": 431, "errortext": said}}, 431)

    with pytest.raises(CloudStackClientException) as caught:
        use(
            lambda cs: cs.execute("listZones"),
            Login("ann", "word", second_factor="code-canary"),
            end_point=END_POINT,
            transport=FakeTransport(otherwise=respond),
        )

    assert caught.value.error_text == "*** in *** and JSESSIONID=***"
    assert not canary_in(caught.value)


def test_a_session_that_the_server_repeats_is_not_in_a_commands_error(use: Use) -> None:
    def respond(request: Request) -> Response:
        if request.method == "POST":
            fields = {"loginresponse": {"sessionkey": "key-canary"}}
            return json_response(fields, headers={"Set-Cookie": "JSESSIONID=cookie-canary"})
        return json_response({"r": {"errorcode": 431, "errortext": f"bad {dict(request.query)}"}}, 431)

    with pytest.raises(CloudStackClientException) as caught:
        use(
            lambda cs: cs.execute("listZones"),
            Login("ann", "word"),
            end_point=END_POINT,
            transport=FakeTransport(otherwise=respond),
        )

    assert "'sessionkey': '***'" in str(caught.value)
    assert not canary_in(caught.value)
