"""Every method of the published clients is there, and sends what it sends, to Hubs of either generation."""

from __future__ import annotations

import ast
from inspect import Parameter, signature
from typing import Any, cast

import pytest
from tests.jackfield_services.flame_hub.hub_calls import (
    BOTH,
    GENERATIONS,
    SYNC,
    Colour,
    Method,
    Sent,
    answer_to,
    as_records,
    as_uuids,
    methods,
    sent,
)
from tests.jackfield_services.flame_hub.hub_models import vector

from jackfield import Response
from jackfield.testing import FakeTransport, json_response
from jackfield_services import flame_hub
from jackfield_services.flame_hub import HubNotFoundError
from jackfield_services.flame_hub._model import NEW, OLD, Generation
from jackfield_services.flame_hub.types import FilterOperator

NOBODY = "497dcba3-ecbf-4587-a2dd-5eb0665e6880"
METHODS = list(methods())
TOLD = [method for method in METHODS if method.row["request"] != "multipart" and not method.name.startswith("stream_")]
CALLS = [(method, call) for method in TOLD for call in method.row["calls"]]
REQUESTS = [
    (next(one for one in METHODS if one[:2] == (generation, row["client"]) and one.name == row["method"]), row)
    for generation in GENERATIONS
    for row in cast("list[dict[str, Any]]", vector("requests")[generation])
]
OPTIONS: dict[str | None, set[str]] = {
    None: set[str](),
    "BaseKwargs": {"auth"},
    "GetKwargs": {"auth", "fields", "meta"},
    "FindAllKwargs": {"auth", "fields", "meta", "filter", "page", "sort"},
}

# Parameters after the published ones: what the Hub knows, and the published methods have no way to say.
MORE = {"create_permission": ["policy_id"], "update_permission": ["policy_id"], "update_user": ["password"]}

# What the published client would ask for too, had it marked these fields as it does all others.
FORGOTTEN = {"AnalysisBucket": "analysis", "UserRole": "user,role,userRealm,roleRealm"}

OPTIONAL = (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD)

of_all_methods = pytest.mark.parametrize("method", METHODS, ids=str)
of_all_calls = pytest.mark.parametrize(("method", "call"), CALLS, ids=lambda one: str(one) if one in METHODS else "")
of_both_generations = pytest.mark.parametrize("generation", GENERATIONS)
in_both_colours = pytest.mark.parametrize("colour", BOTH, ids=["sync", "async"])


def expected(method: Method, call: dict[str, Any]) -> Sent:
    """What the published client sends, apart from the includes that it forgets."""
    path = str(method.row["path"])
    for name, value in call["given"].items():
        path = path.replace(f"{{{name}}}", str(value))
    query = dict(call["query"])
    if method.generation == NEW and method.row["verb"] == "GET" and method.returns in FORGOTTEN:
        query["include"] = FORGOTTEN[method.returns]
    return Sent(method.row["verb"], path, query, call["body"])


def one_of(shown: str) -> Method:
    return next(one for one in METHODS if str(one) == shown)


def transport_of(method: Method) -> FakeTransport:
    return FakeTransport([answer_to(method)])


class TestInventory:
    def test_is_whole(self) -> None:
        counted = {generation: sum(one.generation == generation for one in METHODS) for generation in GENERATIONS}
        assert counted == {OLD: 65, NEW: 130}

    @pytest.mark.parametrize("method", [one for one in METHODS if one.generation == NEW], ids=str)
    def test_a_method_has_its_parameters(self, method: Method) -> None:
        ours = [one for one in parameters_of(method) if one.kind not in OPTIONAL]
        published = [(name.removeprefix("*"), default) for name, _, default in method.parameters]
        assert [(one.name, default_of(one)) for one in ours[: len(published)]] == published
        assert [one.name for one in ours[len(published) :]] == MORE.get(method.name, [])

    @pytest.mark.parametrize("method", [one for one in METHODS if one.generation == OLD], ids=str)
    def test_a_method_of_old_hubs_has_its_parameters_too_or_tells_them(self, method: Method) -> None:
        ours = [one for one in parameters_of(method) if one.kind not in OPTIONAL]
        published = [(name.removeprefix("*"), default) for name, _, default in method.parameters]
        if [(one.name, default_of(one)) for one in ours[: len(published)]] != published:
            told = str(operation_of(method).__doc__).split("Of a Hub of 0.1.1:\n\n")[1]
            own = [(name, default) for name, default in published if name not in method.named_in_path]
            assert written(told)[: len(own)] == own

    @of_all_methods
    def test_a_method_has_its_options_and_says_what_it_does(self, method: Method) -> None:
        parameters = parameters_of(method)
        named = {one.name for one in parameters if one.kind is Parameter.KEYWORD_ONLY}
        if any(one.kind is Parameter.VAR_KEYWORD and "BaseKwargs" in str(one.annotation) for one in parameters):
            named |= OPTIONS["BaseKwargs"]
        assert named >= OPTIONS[method.row["options"]]
        assert f"{method.row['verb']} {method.row['path']}" in str(operation_of(method).__doc__)

    @pytest.mark.parametrize("name", ["AuthClient", "CoreClient", "StorageClient"])
    def test_both_colours_have_the_same_methods(self, name: str) -> None:
        plain, awaited = (colour.client(name, FakeTransport()) for colour in BOTH)
        for method in METHODS:
            if method.client == name:
                assert signature(getattr(plain, method.name)) == signature(getattr(awaited, method.name))


def operation_of(method: Method) -> Any:
    return getattr(SYNC.client(method.client, FakeTransport()), method.name)


def parameters_of(method: Method) -> list[Parameter]:
    return list(signature(operation_of(method)).parameters.values())


def default_of(parameter: Parameter) -> str | None:
    """As the inventory has it."""
    return None if parameter.default is Parameter.empty else repr(parameter.default)


def written(parameters: str) -> list[tuple[str, str | None]]:
    """The names and defaults of what is written as Python has parameters, one a line."""
    (function,) = ast.parse(f"def f({', '.join(parameters.splitlines())}): ...").body
    assert isinstance(function, ast.FunctionDef)
    names = [one.arg for one in function.args.args]
    defaults = [ast.unparse(one) for one in function.args.defaults]
    required = len(names) - len(defaults)
    return [(name, None if number < required else defaults[number - required]) for number, name in enumerate(names)]


class TestWhatIsSent:
    @in_both_colours
    @of_all_calls
    def test_is_that_of_the_published_client(self, method: Method, call: dict[str, Any], colour: Colour) -> None:
        transport = transport_of(method)
        client = colour.client(method.client, transport, generation=method.generation)
        colour.get(getattr(client, method.name)(**call["given"]))
        assert [sent(request) for request in transport.requests] == [expected(method, call)]

    @of_all_calls
    def test_is_the_same_for_arguments_by_position_and_for_uuids_and_records(
        self, method: Method, call: dict[str, Any]
    ) -> None:
        transport = FakeTransport([answer_to(method)] * 3)
        client = SYNC.client(method.client, transport, generation=method.generation)
        operation, given = getattr(client, method.name), call["given"]
        assert list(given) == [name for name, _, _ in method.parameters][: len(given)]
        operation(*given.values())
        operation(**as_uuids(method, given))
        operation(**as_records(method, given))
        assert [sent(request) for request in transport.requests] == [expected(method, call)] * 3

    @pytest.mark.parametrize(("method", "row"), REQUESTS, ids=lambda one: str(one) if one in METHODS else "")
    def test_has_options_and_none_as_the_published_client_has_them(self, method: Method, row: dict[str, Any]) -> None:
        transport = transport_of(method)
        client = SYNC.client(method.client, transport, generation=method.generation)
        getattr(client, method.name)(**{name: with_tuples(value) for name, value in row["given"].items()})
        assert [sent(request) for request in transport.requests] == [expected(method, row)]

    def test_a_bool_in_a_filter_is_one_of_json(self) -> None:
        # The published client writes it as Python does: `True`, which the Hub does not know.
        method = one_of("1.1.0 CoreClient.find_nodes")
        transport = transport_of(method)
        SYNC.client("CoreClient", transport, generation=NEW).find_nodes(filter={"hidden": True, "online": False})
        asked = sent(transport.requests[0]).query
        assert (asked["filter[hidden]"], asked["filter[online]"]) == ("true", "false")

    def test_a_field_of_another_record_may_be_sorted_by(self) -> None:
        # The published client writes it as `registryProject.CreatedAt`, which there is not.
        method = one_of("1.1.0 CoreClient.find_nodes")
        transport = transport_of(method)
        client = SYNC.client("CoreClient", transport, generation=NEW)
        client.find_nodes(sort={"by": "registry_project.created_at"})
        assert sent(transport.requests[0]).query["sort"] == "registryProject.createdAt"

    @pytest.mark.parametrize("method", [one for one in TOLD if one.row["options"]], ids=str)
    def test_goes_out_as_whoever_auth_says_or_without_a_token(self, method: Method) -> None:
        transport = FakeTransport([answer_to(method)] * 2)
        client = SYNC.client(method.client, transport, generation=method.generation)
        given = method.row["calls"][0]["given"]
        getattr(client, method.name)(**given, auth="another")
        getattr(client, method.name)(**given, auth=None)
        assert [request.headers.get("authorization") for request in transport.requests] == ["Bearer another", None]

    @pytest.mark.parametrize("name", ["AuthClient", "CoreClient", "StorageClient"])
    @in_both_colours
    def test_goes_out_without_a_token_where_the_client_has_none(self, name: str, colour: Colour) -> None:
        method = next(one for one in METHODS if one.client == name and one.name.startswith("get_"))
        transport = transport_of(method)
        client = getattr(flame_hub, colour.prefix + name)("https://hub.test", transport=transport)
        colour.get(getattr(client, method.name)())
        assert ["authorization" in request.headers for request in transport.requests] == [False]


def with_tuples(value: Any) -> Any:
    """JSON has no tuples: an object of these two names stands for one."""
    if isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        if known.keys() == {"operator", "value"}:
            return FilterOperator(known["operator"]), known["value"]
        return {name: with_tuples(inner) for name, inner in known.items()}
    return value


class TestFiles:
    @of_both_generations
    @in_both_colours
    def test_an_upload_goes_to_the_bucket_as_a_form(self, colour: Colour, generation: Generation) -> None:
        method = one_of(f"{generation} StorageClient.upload_to_bucket")
        (call,) = method.row["calls"]
        transport = transport_of(method)
        client = colour.client("StorageClient", transport, generation=generation)
        file = {"file_name": "a.txt", "content": b"hello"}
        (uploaded,) = colour.get(client.upload_to_bucket(call["given"]["bucket_id"], file))
        (request,) = transport.requests
        wanted = expected(method, call)
        assert (request.method, request.url.path, dict(request.query)) == wanted[:3]
        assert request.headers["content-type"].split(";")[0] == wanted.body
        assert type(uploaded).__name__ == method.returns

    @pytest.mark.parametrize("name", ["stream_bucket_tarball", "stream_bucket_file"])
    @of_both_generations
    def test_a_stream_is_got_from_where_the_published_client_gets_it(self, name: str, generation: Generation) -> None:
        method = one_of(f"{generation} StorageClient.{name}")
        (call,) = method.row["calls"]
        transport = FakeTransport([Response(200, body=b"a" * 3000)])
        client = SYNC.client("StorageClient", transport, generation=generation)
        pieces = list(getattr(client, name)(*call["given"].values(), 1024))
        assert [sent(request) for request in transport.requests] == [expected(method, call)]
        assert [len(piece) for piece in pieces] == [1024, 1024, 952]


class TestWhatIsReturned:
    @in_both_colours
    @pytest.mark.parametrize("method", TOLD, ids=str)
    def test_is_of_the_published_kind(self, method: Method, colour: Colour) -> None:
        client = colour.client(method.client, transport_of(method), generation=method.generation)
        returned = colour.get(getattr(client, method.name)(**method.row["calls"][0]["given"]))
        if method.gives_list:
            assert isinstance(returned, list)
            (returned,) = cast("list[object]", returned)
        assert type(returned).__name__ == ("NoneType" if method.returns == "None" else method.returns)

    @pytest.mark.parametrize("method", [one for one in METHODS if "404" in str(one.row["status"])], ids=str)
    def test_is_none_of_a_record_that_there_is_not(self, method: Method) -> None:
        missing = json_response({"statusCode": 404, "code": "NOT_FOUND", "message": ""}, 404)
        transport = FakeTransport([missing, Response(404, body=b"<html>")])
        get = getattr(SYNC.client(method.client, transport, generation=method.generation), method.name)
        assert get(NOBODY) is None
        with pytest.raises(HubNotFoundError, match="404"):  # of whatever is before the Hub
            get(NOBODY)

    @pytest.mark.parametrize(
        "method", [one for one in TOLD if one.generation == NEW and "meta" in OPTIONS[one.row["options"]]], ids=str
    )
    def test_has_with_meta_what_the_hub_tells_besides(self, method: Method) -> None:
        client = SYNC.client(method.client, transport_of(method), generation=NEW)
        call = getattr(client, method.name)
        if method.returns.endswith("Credentials"):
            with pytest.raises(ValueError, match="leave out meta"):
                call(**method.row["calls"][0]["given"], meta=True)
            return
        result, meta = call(**method.row["calls"][0]["given"], meta=True)
        assert isinstance(result, list) == method.gives_list
        assert type(meta).__name__ == ("ResourceListMeta" if method.gives_list else "SingleResourceMeta")
