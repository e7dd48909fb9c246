"""GET, POST, and what is both."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlencode

from tests.cloudstack_wire import CREDENTIALS, connect, get, post, refusal, signed, zone_id

from jackfield_services.cloudstack.emulator import CloudStackEmulator


def test_a_form_post_is_signed_and_answered_as_a_get(cloud: CloudStackEmulator) -> None:
    encoded = urlencode(signed(cloud, {"command": "listZones"}))
    assert post(cloud, encoded).body == get(cloud, encoded).body
    assert [request.http_method for request in cloud.requests] == ["POST", "GET"]


def test_parameters_in_both_url_and_body_are_unauthorized(cloud: CloudStackEmulator) -> None:
    encoded = urlencode(signed(cloud, {"command": "listZones"}))
    assert refusal(post(cloud, encoded, f"?{encoded}"), "listzonesresponse") == (401, None, CREDENTIALS)


def test_a_body_that_is_no_form_holds_no_parameters(cloud: CloudStackEmulator) -> None:
    body = urlencode(signed(cloud, {"command": "listZones"})).encode()
    with closing(connect(cloud)) as connection:
        connection.request("POST", "/client/api", body, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 401
    assert cloud.requests[0].parameters == {}


def test_a_long_value_fits_in_a_post(cloud: CloudStackEmulator) -> None:
    extra = {"serviceofferingid": "s", "templateid": "t", "zoneid": zone_id(cloud), "userdata": "x" * 1048576}
    assert post(cloud, urlencode(signed(cloud, {"command": "deployVirtualMachine", **extra}))).status == 200
