"""Making and using the two clients: bad input, commands as attributes, and that there is one definition for both."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import ConfigurationError, Pure, Stage, Step, UsageError, Without, hookimpl
from jackfield._operations import Definition
from jackfield.testing import FakeTransport, json_response
from jackfield_services.cloudstack import AsyncCloudStack, CloudStack, CloudStackService
from jackfield_services.cloudstack.emulator import CloudStackEmulator

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse


END_POINT = "https://cloud.test/client/api"


@pytest.mark.parametrize("kind", [CloudStack, AsyncCloudStack])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"end_point": "cloud.test/client/api"}, "needs a scheme"),
        ({"end_point": "https:///client/api"}, "needs a valid host"),
        ({"end_point": "ftp://cloud.test/"}, "'ftp'"),
        ({"end_point": ""}, "needs a scheme"),
        ({"end_point": "https://user:pass@cloud.test/"}, "user name or password"),
        ({"end_point": "https://cloud.test/\r\nX: y"}, "printable ASCII"),
        ({"end_point": "https://cloud.test/api?apikey=x"}, "no '\\?query'"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "a\nb"}, "api_key"),
        ({"api_key": None}, "api_key"),
        ({"api_key": 5}, "api_key"),
        ({"api_secret": ""}, "api_secret"),
        ({"api_secret": b"bytes"}, "api_secret"),
        ({"api_secret": "from a file\n"}, "api_secret holds a line break"),
        ({"max_page_size": 0}, "max_page_size must be a whole number of 1 or more, not 0"),
        ({"max_page_size": "500"}, "max_page_size"),
        ({"max_page_size": True}, "max_page_size"),
        ({"async_poll_latency": -1}, "async_poll_latency"),
        ({"async_poll_latency": float("nan")}, "async_poll_latency"),
        ({"job_timeout": float("inf")}, "job_timeout"),
        ({"method": "put"}, "'auto', 'get' or 'post'"),
        ({"discovery": True}, "discovery is a folder"),
        ({"cert": "/no/such/file"}, "/no/such/file"),
        ({"verify": "/no/such/file"}, "/no/such/file"),
        ({"verify": False, "transport": FakeTransport()}, "verify and cert are for the client's own transport"),
        ({"timeout": 0}, "timeout"),
        ({"plugins": ["retyr"]}, "no plugin 'retyr' \\(did you mean 'retry'\\?\\); installed are:.*retry"),
        ({"plugins": [Without("cache")]}, "no plugin 'cache'; this client has:.*signing"),
        ({"plugins": [object()]}, "is no plugin"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(kind: type[Any], change: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {"end_point": END_POINT, "api_key": "key", "api_secret": "canary", **change}

    with pytest.raises(UsageError, match=says) as caught:
        kind(**arguments)

    assert "canary" not in str(caught.value)


class Other:
    """A plugin of another name that wants to own RETRY as well."""

    name = "other"

    @hookimpl
    def jackfield_steps(self) -> list[Step]:
        async def run(request: Any, call: Any, proceed: Any) -> Any:
            return await proceed(request, call)

        return [Step(self.name, Stage.RETRY, run)]


def test_a_second_owner_of_retry_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="RETRY has two owners, the plugins 'other' and 'retry'"):
        CloudStack(END_POINT, "key", "secret", plugins=[Other()])

    assert "other" in str(CloudStack(END_POINT, "key", "secret", plugins=[Without("retry"), Other()]).chain)


def test_a_step_that_awaits_something_foreign_is_refused_before_anything_is_sent() -> None:
    import asyncio

    class Foreign(Other):
        name = "retry"

        @hookimpl
        def jackfield_steps(self) -> list[Step]:
            async def run(request: Any, call: Any, proceed: Any) -> Any:
                await asyncio.sleep(0)
                return await proceed(request, call)

            return [Step(self.name, Stage.RETRY, run)]

    transport = FakeTransport()
    client = CloudStack(END_POINT, "key", "secret", plugins=[Foreign()], transport=transport)

    with pytest.raises(UsageError, match="awaited something foreign in a sync client"):
        client.listZones()

    assert transport.requests == []


def test_any_command_is_an_attribute_but_private_names_are_not(converse: Converse) -> None:
    assert converse(lambda cs: cs.listZones())["count"] == 2
    client = CloudStack(END_POINT, "key", "secret")
    for name in ("_private", "__deepcopy__", "_sign_", "__len__", "aclose"):
        with pytest.raises(AttributeError, match=name):
            getattr(client, name)


def test_clients_are_not_copied_with_their_credentials() -> None:
    client = CloudStack(END_POINT, "key", "secret")

    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="holds connections and credentials"):
            attempt(client)


def test_the_constructors_settings_are_attributes_and_the_secret_stays_one() -> None:
    client = AsyncCloudStack(END_POINT, "key", "canary", None, 3, 100)

    settings = (client.end_point, client.api_key, client.async_poll_latency, client.max_page_size)
    assert settings == (END_POINT, "key", 3, 100)
    assert client.api_secret is not None
    assert client.api_secret.reveal() == "canary"
    assert "canary" not in repr(vars(client)) + repr(client)


def test_event_loop_is_accepted_and_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="event_loop is ignored"):
        AsyncCloudStack(END_POINT, "key", "secret", event_loop=object())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AsyncCloudStack(END_POINT, "key", "secret")


def test_both_clients_have_the_same_operations_and_each_is_defined_once() -> None:
    def operations(kind: type) -> dict[str, Any]:
        return {name: found for name, found in inspect.getmembers(kind) if isinstance(found, Definition)}

    assert operations(CloudStack) == operations(AsyncCloudStack) == operations(CloudStackService)
    public = {name for name in operations(CloudStack) if not name.startswith("_")}
    assert public == {"commands", "execute", "job", "listing", "request"}


@pytest.mark.parametrize("kind", [CloudStack, AsyncCloudStack])
def test_a_client_defines_no_operation_of_its_own(kind: type) -> None:
    own = {name for name in vars(kind) if not name.startswith("__")}

    assert own - {"close", "aclose"} == {"_close_session", "client_session", "event_loop"}  # as CloudStackAIO has them
    assert not any(isinstance(found, Definition) for found in vars(kind).values())


def test_a_step_of_the_users_sees_every_attempt_before_it_is_signed() -> None:
    seen: list[bool] = []

    class Watcher:
        name = "watcher"

        @hookimpl
        def jackfield_steps(self) -> list[Pure]:
            def look(request: Any, call: Any) -> Any:
                seen.append(any(name == "signature" for name, _ in request.query))
                return request

            return [Pure(self.name, Stage.LIMIT, request=look)]

    transport = FakeTransport([json_response({}, 503), json_response({"listzonesresponse": {"zone": []}})])
    client = CloudStack(END_POINT, "key", "secret", transport=transport, plugins=[Watcher()])
    client.with_options(headers={"x-test": "1"}).execute("listZones")

    assert seen == [False, False]
    assert all(dict(request.query)["signature"] for request in transport.requests)
    assert [request.headers["x-test"] for request in transport.requests] == ["1", "1"]


def test_explain_shows_the_way_and_sends_nothing(cloud: CloudStackEmulator) -> None:
    with CloudStack(cloud.end_point, cloud.api_key, "canary") as client:
        told = str(client.request.explain("listVirtualMachines", name="canary"))

    assert "GET " in told
    assert "command=listVirtualMachines" in told
    assert told.index("RETRY") < told.index("SIGN") < told.index("transport")
    assert "canary" not in told
    assert cloud.connections == 0
