"""What a network, a proxy and a wrong server can do: typed errors that say which call it was, and show no secret."""

from __future__ import annotations

import socket
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from jackfield import ConnectError, ConnectionLostError, DecodeError, JackfieldError, TruncatedBodyError
from jackfield_services.cloudstack import CloudStack, CloudStackClientException, CloudStackDecodeError
from jackfield_services.cloudstack.emulator import CloudStackEmulator, Fault

if TYPE_CHECKING:
    from tests.jackfield_services.cloudstack.conftest import Converse


CANARY = "canary-5f3a"

FAULTS: list[tuple[Fault, type[JackfieldError], int]] = [
    (Fault.RESET, ConnectionLostError, 3),
    (Fault.CLOSE, ConnectionLostError, 3),
    (Fault.TRUNCATED, TruncatedBodyError, 3),
    (Fault.HTML, CloudStackDecodeError, 1),
    (Fault.NO_ENVELOPE, CloudStackDecodeError, 1),
    (Fault.EMPTY, CloudStackDecodeError, 1),
    (Fault.MALFORMED, CloudStackDecodeError, 1),
]


def check_error(error: JackfieldError, operation: str, attempts: int) -> None:
    """It names operation, attempts and time, and nowhere in its chain stands a secret."""
    assert error.call is not None
    assert (error.call.operation, error.call.attempts) == (operation, attempts)
    assert error.call.elapsed >= 0
    told = "".join(traceback.format_exception(error))
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    assert operation in told
    assert tries in told
    assert CANARY not in told + repr(error) + str(vars(error))
    assert "emulator-api-secret" not in told


@pytest.mark.parametrize(("fault", "kind", "attempts"), FAULTS, ids=lambda value: getattr(value, "name", None))
def test_a_fault_is_a_typed_error_and_the_next_call_succeeds(
    cloud: CloudStackEmulator, converse: Converse, fault: Fault, kind: type[JackfieldError], attempts: int
) -> None:
    cloud.inject(fault, times=attempts)

    def talk(cs: Any) -> Any:
        return cs.execute("listZones", keyword=CANARY)

    with pytest.raises(kind) as caught:
        converse(talk)

    check_error(caught.value, "listZones", attempts)
    assert len(cloud.requests) == attempts
    assert converse(talk) == {}


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CLOSE, Fault.TRUNCATED, 503], ids=str)
def test_what_only_reads_is_tried_again(cloud: CloudStackEmulator, converse: Converse, fault: Fault | int) -> None:
    cloud.inject(fault, times=2)

    assert converse(lambda cs: cs.listZones())["count"] == 2


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CLOSE, Fault.TRUNCATED, 503], ids=str)
def test_what_may_have_been_done_is_not_tried_again(
    cloud: CloudStackEmulator, converse: Converse, fault: Fault | int
) -> None:
    cloud.inject(fault)

    with pytest.raises(JackfieldError) as caught:
        converse(lambda cs: cs.createSSHKeyPair(name="pair"))

    assert len(cloud.requests) == 1
    check_error(caught.value, "createSSHKeyPair", 1)
    doubt = caught.value.call.may_have_been_processed if caught.value.call else None
    assert doubt is (fault in (Fault.RESET, Fault.CLOSE, Fault.TRUNCATED))  # a whole answer tells, and no other


def test_a_refused_connection_is_tried_again_whatever_it_is(converse: Converse) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        end_point = f"http://127.0.0.1:{unused.getsockname()[1]}/client/api"

        with pytest.raises(ConnectError) as caught:
            converse(lambda cs: cs.createSSHKeyPair(name=CANARY), end_point=end_point)

    check_error(caught.value, "createSSHKeyPair", 3)
    assert caught.value.call is not None
    assert not caught.value.call.may_have_been_processed


@pytest.mark.parametrize("status", [429, 430, 431, 432, 530, 531, 537])
def test_an_error_of_the_api_keeps_its_code_and_text(
    cloud: CloudStackEmulator, converse: Converse, status: int
) -> None:
    cloud.inject(status, times=3)

    with pytest.raises(CloudStackClientException) as caught:
        converse(lambda cs: cs.execute("listZones"))

    assert caught.value.status == caught.value.error_code == status
    assert caught.value.error_text
    assert caught.value.response is not None
    assert str(caught.value) == repr(caught.value)
    assert str(caught.value).startswith("(message=Async CloudStack call failed!, errorcode=")
    check_error(caught.value, "listZones", 3 if status == 429 else 1)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxys_page_is_no_answer_of_cloudstack(cloud: CloudStackEmulator, converse: Converse, status: int) -> None:
    cloud.inject(status, times=9)

    with pytest.raises(DecodeError) as caught:
        converse(lambda cs: cs.execute("listZones"))

    assert isinstance(caught.value, CloudStackClientException)
    assert caught.value.message == "Could not decode content. Server did not return json content!"
    assert caught.value.error_code == status
    check_error(caught.value, "listZones", 3)


def test_a_fault_in_the_middle_of_a_list_loses_nothing() -> None:
    with (
        CloudStackEmulator(machines=7) as cloud,
        CloudStack(cloud.end_point, cloud.api_key, cloud.api_secret, max_page_size=2) as client,
    ):
        pages = client.listing.pages("listVirtualMachines")
        names = [machine["name"] for machine in next(pages)]
        cloud.inject(Fault.RESET)
        names += [machine["name"] for page in pages for machine in page]

    assert names == [f"vm-000{n}" for n in range(1, 8)]
