"""The rate limit: by account, by the emulator's clock, and not for administrators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cloudstack_wire import NOON, Visitor, call, refusal, user_call

from jackfield_services.cloudstack.emulator import CloudStackEmulator, Throttle, User

CAROL = User(username="carol", role="User")


@pytest.fixture
def clock() -> list[float]:
    return [NOON]


@pytest.fixture
def cloud(clock: list[float]) -> Iterator[CloudStackEmulator]:
    throttle = Throttle(calls=2, seconds=10)
    with CloudStackEmulator(users=[User(), CAROL], throttle=throttle, now=lambda: clock[0]) as running:
        yield running


def test_a_call_too_many_is_told_when_to_come_again(cloud: CloudStackEmulator, clock: list[float]) -> None:
    assert [user_call(cloud, CAROL, "listZones").status for _ in range(2)] == [200, 200]
    clock[0] += 7.5
    reply = user_call(cloud, CAROL, "listZones")
    text = "The given user has reached his/her account api limit, please retry after [2500] ms."
    assert refusal(reply, "listzonesresponse") == (429, 9999, text)
    assert reply.headers["X-Description"] == text
    assert "Retry-After" not in reply.headers


def test_when_it_said_the_next_call_is_answered_and_not_before(cloud: CloudStackEmulator, clock: list[float]) -> None:
    for _ in range(2):
        user_call(cloud, CAROL, "listZones")
    clock[0] += 9.999
    assert "[1] ms" in refusal(user_call(cloud, CAROL, "listZones"), "listzonesresponse")[2]
    clock[0] += 0.001
    assert user_call(cloud, CAROL, "listZones").status == 200


def test_an_administrator_may_call_as_often_as_he_likes(cloud: CloudStackEmulator) -> None:
    assert {call(cloud, "listZones").status for _ in range(10)} == {200}


def test_accounts_are_counted_apart_and_sessions_with_them(cloud: CloudStackEmulator) -> None:
    dave = User(username="dave", role="User")
    cloud.users.append(dave)
    visitor = Visitor(cloud)
    visitor.log_in(username="dave", password=dave.password)
    assert [user_call(cloud, CAROL, "listZones").status for _ in range(3)] == [200, 200, 429]
    assert [visitor.ask("listZones").status, user_call(cloud, dave, "listZones").status] == [200, 200]
    assert visitor.ask("listZones").status == 429
    assert len(cloud.sessions) == 1


def test_the_limit_is_told_in_camel_case(cloud: CloudStackEmulator, clock: list[float]) -> None:
    clock[0] += 5
    user_call(cloud, CAROL, "listZones")
    clock[0] += 4
    told = user_call(cloud, CAROL, "getApiLimit").json["getapilimitresponse"]["apilimit"]
    account = {"accountid": CAROL.account_id, "account": "carol"}
    assert told == {**account, "apiIssued": 2, "apiAllowed": 0, "expireAfter": 6000}


def test_who_has_not_called_yet_is_told_the_whole_limit(cloud: CloudStackEmulator) -> None:
    told = call(cloud, "getApiLimit").json["getapilimitresponse"]["apilimit"]
    assert (told["apiIssued"], told["apiAllowed"], told["expireAfter"]) == (0, 2, 10000)


def test_a_limit_of_nought_lets_nobody_in(cloud: CloudStackEmulator) -> None:
    cloud.throttle = Throttle(calls=0)
    assert user_call(cloud, CAROL, "listZones").status == 429


def test_the_limit_may_be_lifted_while_it_runs(cloud: CloudStackEmulator) -> None:
    assert [user_call(cloud, CAROL, "listZones").status for _ in range(3)] == [200, 200, 429]
    cloud.throttle = None
    assert user_call(cloud, CAROL, "listZones").status == 200


def test_the_usual_limit_is_thirty_calls_a_second() -> None:
    assert Throttle() == Throttle(calls=30, seconds=1)


@pytest.mark.parametrize(("calls", "seconds"), [(-1, 1), (1, 0), (1, -1)])
def test_a_limit_that_cannot_be_is_refused(calls: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="Throttle allows 0 calls or more"):
        Throttle(calls, seconds)


@pytest.mark.parametrize(("name", "value"), [("calls", "30"), ("calls", 1.5), ("seconds", "1"), ("seconds", None)])
def test_a_throttle_is_of_numbers(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"{name} of a Throttle is a .*number.*, not "):
        Throttle(**{name: value})
