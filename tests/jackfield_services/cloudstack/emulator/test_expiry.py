"""How the emulator reads signatureVersion and expires."""

from __future__ import annotations

import pytest
from tests.cloudstack_wire import NOON, call

from jackfield_services.cloudstack.emulator import CloudStackEmulator


def with_expiry(cloud: CloudStackEmulator, expires: str, version: str = "3") -> int:
    return call(cloud, "listZones", signatureVersion=version, expires=expires).status


@pytest.mark.parametrize(
    "zone", ["+0000", "+00:00", "Z", ".000Z", ".000000Z", ".000000+0000", ".000000+00:00", "Z+0000"]
)
def test_a_request_is_good_until_the_second_it_expires(cloud: CloudStackEmulator, zone: str) -> None:
    assert with_expiry(cloud, f"2026-11-20T12:00:00{zone}") == 200
    assert with_expiry(cloud, f"2026-11-20T11:59:59{zone}") == 401


@pytest.mark.parametrize("zone", ["+0530", "+05:30", ".000000+0530", "Z+0530"])
def test_the_offset_of_an_expiry_is_obeyed(cloud: CloudStackEmulator, zone: str) -> None:
    assert with_expiry(cloud, f"2026-11-20T17:30:00{zone}") == 200
    assert with_expiry(cloud, f"2026-11-20T17:29:59{zone}") == 401


@pytest.mark.parametrize(
    "expires",
    [
        "",
        "1895176000",
        "2099-01-01T00:00:00",
        "2099-01-01T00:00:00 0000",
        "2099-01-01T00:00:00GMT",
        "2099-01-01T00:00:00.123+0000",
        "2099-01-01 00:00:00+0000",
        "2099-02-30T00:00:00+0000",
        "0000-01-01T00:00:00Z",
        "\uff12\uff10\uff19\uff19-01-01T00:00:00Z",
    ],
)
def test_an_expiry_the_server_cannot_parse_is_unauthorized(cloud: CloudStackEmulator, expires: str) -> None:
    assert with_expiry(cloud, expires) == 401


def test_signature_version_3_needs_an_expiry_and_other_versions_ignore_it(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", signatureVersion="3").status == 401
    assert with_expiry(cloud, "2001-01-01T00:00:00+0000", version="2") == 200
    assert call(cloud, "listZones", expires="nonsense").status == 200


def test_version_and_expiry_are_read_in_any_case(cloud: CloudStackEmulator) -> None:
    assert call(cloud, "listZones", SIGNATUREVERSION="3", Expires="2001-01-01T00:00:00+0000").status == 401
    assert call(cloud, "listZones", SIGNATUREVERSION="3", Expires="2099-01-01T00:00:00+0000").status == 200


OLD = ["+0000", "+0530", "-0800", "GMT"]


@pytest.mark.parametrize("zone", [*OLD, "+00:00", "Z", ".123Z", ".123456+0000", "Z+0000", "", " 0000", "UTC"])
def test_an_old_server_reads_fewer_dates_and_one_that_new_ones_do_not(cloud: CloudStackEmulator, zone: str) -> None:
    cloud.expires_dates = "old"
    assert with_expiry(cloud, f"2026-11-21T12:00:00{zone}") == (200 if zone in OLD else 401)


def test_an_old_server_obeys_the_offset_too(cloud: CloudStackEmulator) -> None:
    cloud.expires_dates = "old"
    assert with_expiry(cloud, "2026-11-20T17:30:00+0530") == 200
    assert with_expiry(cloud, "2026-11-20T17:29:59+0530") == 401
    assert [with_expiry(cloud, f"2026-11-20T{time}GMT") for time in ("12:00:00", "11:59:59")] == [200, 401]


def test_the_clock_is_the_one_that_was_given() -> None:
    clock = [NOON]
    with CloudStackEmulator(now=lambda: clock[0]) as cloud:
        assert with_expiry(cloud, "2026-11-20T12:10:00+0000") == 200
        clock[0] += 601
        assert with_expiry(cloud, "2026-11-20T12:10:00+0000") == 401
