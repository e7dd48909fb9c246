"""What must not happen: a call in a wrong form, a success that is none, an id that is none, a token for all to read."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from tests.jackfield_services.flame_hub.hub_clients import BOTH, ID, client, get, listed, node, one

from jackfield import ConfigurationError, ContractError, DecodeError, Request, Response, ServiceError, UsageError
from jackfield.testing import FakeTransport, json_response
from jackfield_services.flame_hub import (
    CoreClient,
    HubAPIError,
    HubAuthenticationError,
    HubForbiddenError,
    HubLoginError,
    auth,
    models,
)
from jackfield_services.flame_hub._model import NEW
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.emulator import FlameHubEmulator

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
PAGE = Response(200, {"content-type": "text/html"}, b"<html>Sign in</html>")


def said(status: int, code: str = "SOME_CODE", **more: Any) -> Response:
    return json_response({"statusCode": status, "code": code, "message": "", **more}, status)


def forms(transport: FakeTransport) -> list[str]:
    """The bodies that were sent."""
    return [request.body.decode() for request in transport.requests if isinstance(request.body, bytes) and request.body]


# The generation is not told by others than the Hub.


@BOTH
@pytest.mark.parametrize(
    "refusal",
    [
        said(403, "FST_ERR_FORBIDDEN"),
        said(413, "FST_ERR_CTP_BODY_TOO_LARGE"),
        said(500, "INTERNAL_SERVER_ERROR"),
        said(500, "UNAUTHORIZED"),
        said(502, "FST_REPLY_FROM_INTERNAL_SERVER_ERROR"),
        said(503, "NOT_FOUND", issues=[]),
        said(429, "FORBIDDEN"),
        json_response({"code": "UNAUTHORIZED"}, 401),
        json_response({"statusCode": 401, "code": 5}, 401),
    ],
    ids=lambda answer: str(answer.status),
)
def test_an_error_of_a_gateway_is_the_error_of_the_call_and_nothing_is_made(colour: str, refusal: Response) -> None:
    transport = FakeTransport([refusal] * 3, otherwise=lambda _: listed([node()]))
    core = client(colour, transport)

    with pytest.raises(HubAPIError) as caught:
        get(core.with_options(retry=None).create_node("my-node", ID))

    assert caught.value.status == refusal.status
    assert (forms(transport), core.generation) == ([], None)


@BOTH
def test_a_refused_login_tells_nothing_of_the_service(colour: str) -> None:
    def answer(request: Request) -> Response:
        if request.url.path == "/token":
            return said(400, "invalid_token")
        return one(node(), 201) if request.method == "POST" else listed([node()])

    transport = FakeTransport(otherwise=answer)
    core = client(colour, transport)
    wrong = auth.ClientAuth(ID, "no-secret", "https://auth.hub.test")

    with pytest.raises(HubLoginError, match="invalid_token"):
        get(core.create_node("my-node", ID, auth=wrong))
    assert core.generation is None
    assert get(core.create_node("my-node", ID)).name == "node-1"
    assert forms(transport)[-1].startswith('{"name":"my-node","realmId":')


def test_a_wrong_password_is_said_to_be_one(hub: FlameHubEmulator) -> None:
    with CoreClient(hub.core_url, auth.PasswordAuth(hub.username, "nope", hub.auth_url)) as core:
        with pytest.raises(HubLoginError, match="invalid_credentials"):
            core.create_project("my-project")
        assert core.generation is None


def test_nobody_gets_the_refusal_of_anothers_credentials(new: FlameHubEmulator) -> None:
    login = auth.PasswordAuth(new.username, new.password, new.auth_url)
    wrong = auth.PasswordAuth(new.username, "nope", new.auth_url)
    with CoreClient(new.core_url, login) as core, ThreadPoolExecutor(8) as threads:

        def ask(number: int) -> Any:
            try:
                return len(core.find_nodes(filter={"realm_id": ID}, auth=wrong if number % 2 else login))
            except HubAPIError as error:
                return type(error)

        assert list(threads.map(ask, range(8))) == [0, HubLoginError] * 4


REFUSALS: list[tuple[Response, dict[str, Any]]] = [
    (json_response({"data": [{"id": ID, "name": "n", "created_at": "2026-11-20T12:00:00Z"}]}), {"issues": [{}]}),
    (listed([node()]), {"children": [{"path": "name"}], "code": "undefined"}),
    (listed([node()]), {"code": "BAD_REQUEST"}),
]


@BOTH
@pytest.mark.parametrize(("before", "refusal"), REFUSALS, ids=["upgraded", "set back", "set back, silent"])
def test_a_refusal_of_the_other_generation_has_the_next_call_ask(
    colour: str, before: Response, refusal: dict[str, Any]
) -> None:
    transport = FakeTransport([before, said(400, **refusal)])
    core = client(colour, transport)
    get(core.find_nodes())
    assert core.generation is not None

    with pytest.raises(HubAPIError):
        get(core.create_node("my-node", ID))

    assert core.generation is None


@BOTH
def test_a_given_generation_is_not_doubted(colour: str) -> None:
    core = client(colour, FakeTransport([said(400, issues=[{}])]), generation="0.1.1")

    with pytest.raises(HubAPIError):
        get(core.create_node("my-node", ID))

    assert core.generation == "0.1.1"


@BOTH
def test_a_wrong_idea_of_the_generation_is_noticed_on_what_has_no_date(colour: str) -> None:
    old = json_response({"data": [{"id": ID, "name": "n", "created_at": "2026-11-20T12:00:00Z"}]})
    secret = json_response({"host": "h", "externalName": "e", "accountName": "a", "accountSecret": "s3cret"})
    core = client(colour, FakeTransport([old, secret]))
    get(core.find_nodes())

    found = get(core.get_node_registry_credentials(ID))

    assert (found.external_name, found.account_secret, core.generation) == ("e", "s3cret", "1.1.0")
    with pytest.raises(ContractError):
        get(client(colour, FakeTransport([secret]), generation="0.1.1").get_node_registry_credentials(ID))


# A success is an answer of the Hub's.

WITHOUT_ANSWER = {
    "delete_node": (ID,),
    "sync_master_images": (),
    "build_master_image": (ID,),
    "send_registry_command": (ID, "setup"),
    "delete_analysis_logs": (ID,),
    "delete_analysis_node_logs": (ID, ID),
}


@BOTH
@pytest.mark.parametrize("method", WITHOUT_ANSWER)
def test_a_page_for_people_is_no_success(colour: str, method: str) -> None:
    core = client(colour, FakeTransport(otherwise=lambda _: PAGE), generation="1.1.0")

    with pytest.raises(DecodeError):
        get(getattr(core, method)(*WITHOUT_ANSWER[method]))


@BOTH
@pytest.mark.parametrize("method", [*WITHOUT_ANSWER, "find_nodes", "get_node"])
@pytest.mark.parametrize("status", [300, 304, 399])
def test_what_is_no_success_is_an_error(colour: str, method: str, status: int) -> None:
    core = client(colour, FakeTransport(otherwise=lambda _: Response(status)), generation="1.1.0")
    arguments = WITHOUT_ANSWER.get(method, (ID,) if method == "get_node" else ())

    with pytest.raises(HubAPIError, match=f"received status code {status}") as caught:
        get(getattr(core, method)(*arguments))

    assert caught.value.status == status
    assert caught.value.request.method in ("GET", "POST", "DELETE")


@BOTH
@pytest.mark.parametrize("method", WITHOUT_ANSWER)
@pytest.mark.parametrize(
    "answer", [Response(202), json_response(None, 202), one(node(), 202), Response(204), json_response(node(), 200)]
)
def test_a_hub_may_say_little_of_what_it_did(colour: str, method: str, answer: Response) -> None:
    core = client(colour, FakeTransport(otherwise=lambda _: answer), generation="1.1.0")

    assert get(getattr(core, method)(*WITHOUT_ANSWER[method])) is None


# What is sent as an id is one, and of the record that is meant.


def record(model: Any, **fields: Any) -> Any:
    """As a new Hub gives it, which may leave out anything."""
    return on_wire(model, NEW)(**fields)


class Mine:
    """A class of the caller's own."""

    id = UUID(ID)


@BOTH
@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        (record(models.Realm, name="r"), "a Realm without one"),
        (record(models.NodeRegistryCredentials, host="h"), "a NodeRegistryCredentials"),
        (record(models.Node, id=UUID(ID)), "a Node"),
        ("not-a-uuid", "'not-a-uuid'"),
        ("", "''"),
        (5, "5"),
        ([Mine()], "a list: give one of its records"),
        ("x" * 5000, f"'{'x' * 99}…"),
    ],
    ids=["without", "credentials", "another kind", "text", "empty", "number", "list", "long"],
)
@pytest.mark.parametrize("generation", ["0.1.1", "1.1.0"])
def test_an_id_in_a_body_is_one(colour: str, generation: str, wrong: Any, shown: str) -> None:
    transport = FakeTransport()
    core = client(colour, transport, generation=generation)
    told = f"realm_id is a Realm that the Hub gave, or its id, not {shown}"

    for call in (core.create_node("my-node", wrong), core.update_node(ID, realm_id=wrong)) if colour == "async" else ():
        with pytest.raises(UsageError) as caught:
            get(call)
        assert str(caught.value).startswith(told)
    if colour == "sync":
        for method, arguments in ((core.create_node, ("my-node", wrong)), (core.update_node, (ID,))):
            with pytest.raises(UsageError) as caught:
                method(*arguments, **({} if len(arguments) > 1 else {"realm_id": wrong}))
            assert str(caught.value).startswith(told)

    assert transport.requests == []


@BOTH
def test_records_that_were_swapped_are_told_apart(colour: str) -> None:
    a_node, project = record(models.Node, id=UUID(ID)), record(models.Project, id=UUID(ID))
    transport = FakeTransport([one(node(), 201)])
    core = client(colour, transport, generation="1.1.0")

    with pytest.raises(UsageError, match=r"^project_id is a Project that the Hub gave, or its id, not a Node "):
        get(core.create_project_node(a_node, project))
    get(core.create_project_node(project, a_node))

    assert forms(transport) == [f'{{"nodeId":"{ID}","projectId":"{ID}"}}'] or forms(transport) == [
        f'{{"projectId":"{ID}","nodeId":"{ID}"}}'
    ]


@BOTH
def test_an_object_of_the_callers_own_that_has_an_id_will_do(colour: str) -> None:
    transport = FakeTransport(otherwise=lambda _: one(node()))
    core = client(colour, transport, generation="1.1.0")

    get(core.get_node(Mine()))
    get(core.update_node(Mine(), realm_id=Mine(), registry_id=None))

    assert [request.url.path for request in transport.requests] == [f"/nodes/{ID}"] * 2
    assert forms(transport) == [f'{{"registryId":null,"realmId":"{ID}"}}'] or forms(transport) == [
        f'{{"realmId":"{ID}","registryId":null}}'
    ]


@pytest.mark.parametrize("generation", ["0.1.1", "1.1.0"])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"hidden": "false"}, "hidden: Expected `bool`"),
        ({"node_type": 5}, "node_type: Expected `str"),
        ({"external_name": record(models.Node, id=UUID(ID))}, "external_name: Expected `str"),
    ],
)
def test_what_is_wrong_is_called_by_the_parameters_name(generation: str, given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        client("sync", FakeTransport(), generation=generation).update_node(ID, **given)

    assert str(caught.value).startswith(told)
    assert "$" not in str(caught.value)


def test_an_error_shows_no_secret_that_was_of_a_wrong_type() -> None:
    with pytest.raises(UsageError, match=r"^secret: Expected") as caught:
        client("sync", FakeTransport(), of="Auth", generation="1.1.0").create_client("c", ID, secret=["hunter22"])

    assert "hunter22" not in str(caught.value)


@BOTH
def test_an_id_that_is_missing_or_given_twice_is_a_mistake_of_one_kind(colour: str) -> None:
    core = client(colour, FakeTransport(), generation="1.1.0")

    for method in (core.get_node, core.delete_node, core.update_node):
        with pytest.raises(TypeError, match="missing a required argument: 'node_id'"):
            get(method())
        with pytest.raises(TypeError, match="multiple values for argument 'node_id'"):
            get(method(ID, node_id=ID))


@BOTH
@pytest.mark.parametrize("meta", ["yes", 1, None])
def test_meta_is_true_or_false(colour: str, meta: Any) -> None:
    core = client(colour, FakeTransport(), generation="1.1.0")

    for method, arguments in ((core.find_nodes, ()), (core.get_node, (ID,))):
        with pytest.raises(UsageError, match="meta is True or False"):
            get(method(*arguments, meta=meta))


# Tokens are for the Hub alone.


@BOTH
@pytest.mark.parametrize(
    "who", [TOKEN, auth.StaticAuth("s3cret-token"), auth.PasswordAuth("a", "b", "https://auth.hub.test")], ids=repr
)
def test_a_token_does_not_go_over_http_to_another_machine(colour: str, who: Any) -> None:
    transport = FakeTransport(otherwise=lambda _: listed([]))
    for url in ("http://core.hub.test", "http://192.0.2.2:3000", "HTTP://hub.test/core"):
        with pytest.raises(ConfigurationError, match=r"for all to read: use https, or .*allow_http=True"):
            client(colour, base_url=url, auth=who)
        core = client(colour, transport, base_url=url)
        with pytest.raises(ConfigurationError, match="for all to read"):
            get(core.find_nodes(auth=who))
        assert transport.requests == []


@BOTH
@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "http://core.hub.test", "allow_http": True},
        {"base_url": "https://core.hub.test"},
        {"base_url": "http://127.0.0.1:1"},
        {"base_url": "http://[::1]:1"},
        {"base_url": "http://localhost:1"},
        {"base_url": "http://hub.localhost"},
    ],
    ids=lambda options: options["base_url"],
)
def test_a_token_goes_where_it_may(colour: str, options: Any) -> None:
    transport = FakeTransport(otherwise=lambda _: listed([]))

    get(client(colour, transport, auth="s3cret", **options).find_nodes())
    get(client(colour, transport, **options).find_nodes(auth="s3cret"))

    assert [request.headers["authorization"] for request in transport.requests] == ["Bearer s3cret"] * 2


@BOTH
def test_whoever_asks_without_a_token_may_do_so_over_http(colour: str) -> None:
    transport = FakeTransport(otherwise=lambda _: listed([]))

    get(client(colour, transport, base_url="http://core.hub.test").find_nodes())

    assert "authorization" not in transport.requests[0].headers


@BOTH
@pytest.mark.parametrize("token", [TOKEN, "an-opaque-token"])
@pytest.mark.parametrize(
    "form", ['{{"statusCode": 403, "code": "F", "message": "no {}"}}', "<p>Bearer {}</p>", '["{}"]']
)
def test_no_error_repeats_a_token(colour: str, token: str, form: str) -> None:
    answer = Response(403, body=form.format(token).encode())
    core = client(colour, FakeTransport([answer, answer]), auth=token)

    for who in ({}, {"auth": auth.StaticAuth(token)}):
        with pytest.raises(HubForbiddenError) as caught:
            get(core.delete_node(ID, **who))
        error = caught.value
        assert error.response is not None
        assert b"***" in error.response.content
        assert token not in f"{error} {error.error_response} {error.__notes__} {error.text} {error.response.content!r}"
        assert token.encode() not in pickle.dumps(error)
        seen: BaseException | None = error
        while seen is not None:
            assert not isinstance(seen, ServiceError) or token.encode() not in getattr(seen.response, "content", b"")
            seen = seen.__context__ if not seen.__suppress_context__ else seen.__cause__


def test_the_token_of_a_login_is_not_repeated_and_nobody_elses_either() -> None:
    def answer(request: Request) -> Response:
        if request.url.path == "/token":
            return json_response({"access_token": "opaque-1", "expires_in": 3600, "token_type": "Bearer"})
        return Response(403, body=f"{request.headers['authorization']}, not {TOKEN}".encode())

    who = auth.ClientAuth(ID, "s3cret", "https://auth.hub.test")
    core = client("sync", FakeTransport(otherwise=answer), auth=who)

    with pytest.raises(HubForbiddenError) as caught:
        core.find_nodes()

    assert caught.value.response is not None
    assert caught.value.response.content == b"Bearer ***, not ***"


# Whoever forgets something is told.


@BOTH
def test_nobody_is_told_that_nobody_asked(colour: str) -> None:
    core = client(colour, FakeTransport(otherwise=lambda _: said(401, "UNAUTHORIZED")))

    with pytest.raises(HubAuthenticationError) as caught:
        get(core.find_nodes())
    assert "this was asked by nobody: give auth=" in caught.value.__notes__
    with pytest.raises(HubAuthenticationError) as caught:
        get(core.find_nodes(auth="a-token"))
    assert "this was asked by nobody: give auth=" not in caught.value.__notes__


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("timeoout", r"^CoreClient takes no 'timeoout': did you mean 'timeout'\?"),
        ("proxy", r"^CoreClient takes no 'proxy': .*transport=Urllib3Transport"),
        ("verify", r"^CoreClient takes no 'verify': .*transport=Urllib3Transport"),
        ("xyz", r"^CoreClient takes no 'xyz'$"),
    ],
)
def test_an_option_that_there_is_not_is_told(option: str, told: str) -> None:
    options: Any = {option: 1}
    with pytest.raises(TypeError, match=told):
        CoreClient(**options)


def test_no_address_is_not_the_hub_of_privateaim() -> None:
    nothing: Any = None
    with pytest.raises(ConfigurationError, match=r"base_url.*not NoneType: if an environment variable has it"):
        CoreClient(nothing)


@BOTH
@pytest.mark.parametrize("method", ["find_nodes", "get_node", "create_node", "delete_node"])
def test_a_page_for_people_is_said_to_be_one(colour: str, method: str) -> None:
    arguments = {"find_nodes": (), "create_node": ("my-node",)}.get(method, (ID,))
    core = client(colour, FakeTransport(otherwise=lambda _: PAGE), generation="1.1.0")

    with pytest.raises(DecodeError, match=r"\(text/html\).*check base_url; it begins with '<html>Sign in</html>'"):
        get(getattr(core, method)(*arguments))


@pytest.mark.parametrize(
    "wrong", [{"value": "--x"}, ["--x"], "--x", [{"valu": 1}], [{"value": "a", "at": 1}], [None], 5, [[]]], ids=repr
)
@pytest.mark.parametrize("method", ["create_analysis", "update_analysis"])
def test_arguments_of_an_image_are_what_they_are(method: str, wrong: Any) -> None:
    transport = FakeTransport()
    core = client("sync", transport, generation="1.1.0")

    with pytest.raises(UsageError, match=r"^image_command_arguments is a list of dictionaries.*not "):
        getattr(core, method)(ID, image_command_arguments=wrong)

    assert transport.requests == []


def test_an_error_says_what_is_given_by_position_where_the_generations_differ() -> None:
    core = client("sync", FakeTransport(), generation="1.1.0")

    with pytest.raises(UsageError, match=r"given by position is, for a Hub of 1\.1\.0: project_id, name, display_name"):
        core.create_analysis("my-analysis", ID)
    with pytest.raises(UsageError, match=r"^project_id is a Project") as caught:
        core.create_analysis(project_id="x", name="y")
    assert "by position" not in str(caught.value)


@pytest.mark.parametrize("secret", ["Code", "mess", "statusCode", "code"])
def test_a_secret_that_is_a_part_of_a_name_does_not_destroy_the_answer(secret: str) -> None:
    people = client("sync", FakeTransport([said(409, "TAKEN", taken=secret, codes=1)]), of="Auth", generation="1.1.0")

    with pytest.raises(HubAPIError, match=r"409 \(TAKEN\)") as caught:
        people.create_client("c", ID, secret=secret)

    assert caught.value.error_response is not None
    assert caught.value.error_response.model_extra == {"taken": "***", "codes": 1}


@BOTH
def test_a_deletion_whose_answer_was_lost_is_not_tried_again(colour: str) -> None:
    transport = FakeTransport([Response(503), said(404, "NOT_FOUND")])

    with pytest.raises(HubAPIError) as caught:
        get(client(colour, transport).delete_node(ID))

    assert caught.value.status == 503
    assert caught.value.call is not None
    assert caught.value.call.may_have_been_processed
    assert len(transport.requests) == 1
