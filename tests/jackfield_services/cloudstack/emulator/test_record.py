"""What the emulator remembers of requests."""

from __future__ import annotations

from contextlib import closing

from tests.cloudstack_wire import ask, call, connect, get, signed, string_to_sign, target, user_call

from jackfield_services.cloudstack.emulator import CloudStackEmulator, ReceivedRequest, User


def test_requests_are_recorded_with_what_they_were_and_what_they_got(cloud: CloudStackEmulator) -> None:
    call(cloud, "listZones", keyword="a b~*ä")
    received = cloud.requests[0]
    assert isinstance(received, ReceivedRequest)
    assert (received.http_method, received.command, received.status) == ("GET", "listZones", 200)
    assert received.parameters["keyword"] == "a b~*ä"
    assert received.parameters["apiKey"] == cloud.api_key


def test_headers_are_recorded_by_their_names_in_lower_case(cloud: CloudStackEmulator) -> None:
    with closing(connect(cloud)) as connection:
        connection.request("GET", target(cloud, "listZones"), headers={"X-Request-Id": "7"})
        connection.getresponse().read()
    assert cloud.requests[0].headers["x-request-id"] == "7"
    assert cloud.requests[0].port == "api"


def test_who_asked_is_recorded_and_nobody_where_that_is_unknown() -> None:
    carol = User(username="carol", role="User")
    with CloudStackEmulator(users=[User(), carol]) as cloud:
        call(cloud, "listZones")
        user_call(cloud, carol, "listZones")
        get(cloud, "command=listZones")
        user_call(cloud, carol, "listZones", id="none")
        cloud.inject(530)
        call(cloud, "listZones")
    assert [request.username for request in cloud.requests] == ["admin", "carol", "", "carol", ""]


def test_what_had_to_be_signed_is_told(cloud: CloudStackEmulator) -> None:
    parameters = signed(cloud, {"command": "listZones", "keyword": "a ~*Ä"})
    call(cloud, "listZones", keyword="a ~*Ä")
    del parameters["signature"]
    assert cloud.requests[0].string_to_sign == string_to_sign(parameters)


def test_a_record_shows_no_headers(cloud: CloudStackEmulator) -> None:
    with closing(connect(cloud)) as connection:
        connection.request("GET", target(cloud, "listZones"), headers={"Cookie": "sessionkey=precious"})
        connection.getresponse().read()
        ask(connection, "GET", "/client/api")
    assert "precious" not in repr(cloud.requests)
