"""enforce.post.requests.and.timestamps: what changes something is posted, and what is signed expires soon."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from tests.cloudstack_wire import CREDENTIALS, NOON, Visitor, call, post, refusal, signed

from jackfield_services.cloudstack.emulator import CloudStackEmulator

SOON = {"signatureVersion": "3", "expires": "2026-11-20T12:10:00+0000"}


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(enforce_post=True, now=lambda: NOON) as running:
        yield running


def test_what_only_reads_may_be_a_get(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", **SOON).status == 200
    assert call(cloud, "getApiLimit", **SOON).status == 200
    assert call(cloud, "queryAsyncJobResult", jobid="1", **SOON).status == 431


@pytest.mark.parametrize("command", ["createSSHKeyPair", "deleteSSHKeyPair", "startVirtualMachine", "addHost"])
def test_what_changes_something_may_not(cloud: CloudStackEmulator, command: str) -> None:
    text = f"State changing command {command} needs to be sent using POST request"
    assert refusal(call(cloud, command, **SOON), f"{command.lower()}response") == (405, 9999, text)


def test_what_changes_something_may_be_posted(cloud: CloudStackEmulator) -> None:
    assert (
        post(cloud, urlencode(signed(cloud, {"command": "createSSHKeyPair", "name": "laptop", **SOON}))).status == 200
    )


@pytest.mark.parametrize(
    "stamps",
    [
        {},
        {"signatureVersion": "2", "expires": "2026-11-20T12:10:00+0000"},
        {"signatureVersion": "3"},
        {"signatureVersion": "3", "expires": "2026-11-20T12:15:01+0000"},
        {"signatureVersion": "3", "expires": "2026-11-20T11:59:59+0000"},
    ],
)
def test_a_signature_that_does_not_expire_within_a_quarter_of_an_hour_is_none(
    cloud: CloudStackEmulator, stamps: dict[str, str]
) -> None:
    assert refusal(call(cloud, "listZones", **stamps), "listzonesresponse") == (401, None, CREDENTIALS)


def test_a_quarter_of_an_hour_is_soon_enough(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", signatureVersion="3", expires="2026-11-20T12:15:00+0000").status == 200


def test_a_session_posts_its_changes_too_and_needs_no_timestamp(cloud: CloudStackEmulator) -> None:
    visitor = Visitor(cloud)
    visitor.log_in()
    assert visitor.ask("listZones").status == 200
    assert visitor.ask("createSSHKeyPair", name="laptop").status == 405
    assert visitor.ask("createSSHKeyPair", name="laptop", method="POST").status == 200


def test_the_rule_may_come_and_go_while_it_runs(cloud: CloudStackEmulator) -> None:
    cloud.enforce_post = False
    assert call(cloud, "createSSHKeyPair", name="laptop").status == 200
