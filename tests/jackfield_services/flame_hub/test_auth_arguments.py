"""What credentials may be: whatever cannot work is told where it is written, and no secret with it."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from msgspec.json import decode, encode
from tests.jackfield_services.flame_hub.auth_world import AUTH

from jackfield import ConfigurationError, Secret
from jackfield_services.flame_hub._model import Record
from jackfield_services.flame_hub._on_wire import on_wire
from jackfield_services.flame_hub.auth import (
    ClientAuth,
    Nobody,
    PasswordAuth,
    RobotAuth,
    StaticAuth,
    auth_of,
)
from jackfield_services.flame_hub.models import Analysis, Client, ClientCredentials, Node, Realm, Robot

ROBOT_ID = "a7a939e5-ebb3-4587-ae67-fcec3d34b42c"
CANARY = "hunter2-canary"


class Maker(NamedTuple):
    """Makes an auth of a kind; by their names, what is given takes the place of what would do."""

    kind: Any
    who: str
    proof: str

    def __call__(self, **given: object) -> Any:
        return self.kind(**{self.who: ROBOT_ID, self.proof: CANARY, "base_url": AUTH} | given)


MAKERS = [
    Maker(PasswordAuth, "username", "password"),
    Maker(RobotAuth, "robot_id", "robot_secret"),
    Maker(ClientAuth, "client_id", "client_secret"),
]


def record(model: type[Record], **told: str) -> Record:
    """One as a Hub tells of it."""
    return decode(encode(told), type=on_wire(model, "1.1.0"))


EVERY = pytest.mark.parametrize("make", MAKERS, ids=["password", "robot", "client"])
WRONG = pytest.mark.parametrize(
    ("given", "found"), [(None, "NoneType"), ("", "an empty one"), (7, "int"), (b"x", "bytes")]
)


@EVERY
@WRONG
def test_every_text_is_one(make: Maker, given: Any, found: str) -> None:
    for name in (make.who, make.proof, "base_url"):
        with pytest.raises(
            ConfigurationError, match=rf"^{name}\b.* is a text that is not empty, not {found}: .*set\?$"
        ):
            make(**{name: given})


@WRONG
def test_an_access_token_is_a_text(given: Any, found: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^access_token is a text that is not empty, not {found}"):
        StaticAuth(given)


@EVERY
@pytest.mark.parametrize("model", [Client, Robot, Node])
def test_a_record_without_an_id_is_nobody(make: Maker, model: type[Record]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{make.who} is "):
        make(**{make.who: decode(b"{}", type=on_wire(model, "1.1.0"))})


CLIENT_ID = "0c2cbb5a-1ad8-4b9e-a0a1-5f8b30b6d1e5"


@pytest.mark.parametrize(
    ("record", "make", "who"),
    [
        (record(Client, id=ROBOT_ID), MAKERS[2], ROBOT_ID),
        (record(ClientCredentials, id=ROBOT_ID), MAKERS[2], ROBOT_ID),
        (record(Node, id=ROBOT_ID, clientId=CLIENT_ID), MAKERS[2], CLIENT_ID),
        (record(Analysis, id=ROBOT_ID, clientId=CLIENT_ID), MAKERS[2], CLIENT_ID),
        (record(Robot, id=ROBOT_ID), MAKERS[1], ROBOT_ID),
        (record(Node, id=CLIENT_ID, robotId=ROBOT_ID), MAKERS[1], ROBOT_ID),
    ],
    ids=lambda given: type(given).__name__,
)
def test_a_record_says_who_it_is_or_who_was_made_for_it(record: Record, make: Maker, who: str) -> None:
    assert repr(make(**{make.who: record})) == f"{make.kind.__name__}({make.who}='{who}')"


@pytest.mark.parametrize("make", MAKERS[1:], ids=["robot", "client"])
def test_a_record_of_another_kind_is_refused(make: Maker) -> None:
    with pytest.raises(ConfigurationError, match=rf"{make.who} is of a \w+, and a Realm has none"):
        make(**{make.who: record(Realm, id=ROBOT_ID)})


@EVERY
def test_secrets_may_be_wrapped(make: Maker) -> None:
    wrapped = make(**{make.proof: Secret(CANARY)})

    assert wrapped.jackfield_identity() == make().jackfield_identity()


@EVERY
def test_a_line_break_of_a_file_is_told(make: Maker) -> None:
    with pytest.raises(ConfigurationError, match="strip it if it was read from a file") as caught:
        make(**{make.proof: f"{CANARY}\n"})
    assert CANARY not in str(caught.value)


@EVERY
def test_the_http_client_of_before_has_no_place(make: Maker) -> None:
    with pytest.raises(ConfigurationError, match=r"client= was the HTTP client .* leave it out.*transport="):
        make(client=object())


@EVERY
def test_credentials_do_not_go_over_http_unless_somebody_says_so(make: Maker) -> None:
    with pytest.raises(ConfigurationError, match="allow_http=True"):
        make(base_url="http://auth.hub.test")
    assert make(base_url="http://auth.hub.test", allow_http=True)
    assert make(base_url="http://localhost:3000/auth/")


@EVERY
@pytest.mark.parametrize("base_url", ["auth.hub.test", "ftp://auth.hub.test", f"https://u:{CANARY}@h", f"{AUTH}/?a=b"])
def test_an_address_is_one(make: Maker, base_url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^base_url: ") as caught:
        make(base_url=base_url)
    assert CANARY not in str(caught.value)


@EVERY
def test_a_store_is_one(make: Maker) -> None:
    with pytest.raises(ConfigurationError, match=r"store is a TokenStore, FileTokenStore\(folder\) say, not str"):
        make(store="tokens")


def test_they_say_who_they_are_and_not_how_they_prove_it() -> None:
    shown = [repr(auth) for auth in (*(make() for make in MAKERS), StaticAuth(CANARY))]

    assert shown == [
        f"PasswordAuth(username='{ROBOT_ID}')",
        f"RobotAuth(robot_id='{ROBOT_ID}')",
        f"ClientAuth(client_id='{ROBOT_ID}')",
        "StaticAuth(***)",
    ]


def inside(value: object, seen: set[int]) -> str:
    """The repr of all that an object is made of."""
    if id(value) in seen or not hasattr(value, "__dict__") or isinstance(value, type):
        return repr(value)
    seen.add(id(value))
    return repr(value) + "".join(inside(each, seen) for each in vars(value).values())


@EVERY
def test_nothing_in_them_shows_a_secret(make: Maker) -> None:
    assert CANARY not in inside(make(), set())


def test_whose_answers_may_be_kept_for_whom_is_told_by_all_that_proves_it() -> None:
    others: list[Any] = [
        PasswordAuth(ROBOT_ID, "x", AUTH),
        PasswordAuth("x", CANARY, AUTH),
        PasswordAuth(ROBOT_ID, CANARY, f"{AUTH}/x"),
        RobotAuth(ROBOT_ID, "x", AUTH),
        ClientAuth(ROBOT_ID, "x", AUTH),
        StaticAuth(CANARY),
    ]
    first, second = (
        [*(make().jackfield_identity() for make in MAKERS), *(auth.jackfield_identity() for auth in others)]
        for _ in range(2)
    )

    assert first == second
    assert len(set(first)) == 9
    assert MAKERS[0](base_url=f"{AUTH}/").jackfield_identity() == first[0]


def test_a_client_takes_a_string_for_an_access_token() -> None:
    auth = MAKERS[0]()

    assert isinstance(auth_of(None), Nobody)
    assert auth_of(auth) is auth
    assert isinstance(made := auth_of("token"), StaticAuth)
    assert made.jackfield_identity() == StaticAuth("token").jackfield_identity()


@pytest.mark.parametrize("given", [("admin", CANARY), {"token": CANARY}, PasswordAuth, 7])
def test_what_is_no_auth_is_told(given: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="auth is a PasswordAuth, RobotAuth, ClientAuth or StaticAuth"
    ) as caught:
        auth_of(given)
    assert CANARY not in str(caught.value)


def test_a_word_too_many_is_told() -> None:
    with pytest.raises(ConfigurationError, match="leave out the word Bearer"):
        StaticAuth(f"Bearer {CANARY}")
