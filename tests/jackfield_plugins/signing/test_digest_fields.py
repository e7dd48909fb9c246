"""Digest fields: the figures of RFC 9530, and nothing believed but the two algorithms that withstand an attack."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import SignatureError, UsageError
from jackfield_plugins.signing import check_digest_field, digest_field, digest_preferences, preferred_digest

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc9530_digest_fields.json").read_text())
CASES = pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: str(case["name"]))
SAFE = ("sha-256", "sha-512")

BODY = b'{"hello": "world"}\n'


@CASES
def test_the_digests_are_those_of_the_rfc(case: dict[str, Any]) -> None:
    data = b64decode(case["data_b64"])

    for name in SAFE:
        assert digest_field(data, [name]) == f"{name}=:{case['values'][name]}:"
        check_digest_field(f"{name}=:{case['values'][name]}:", data)


@CASES
def test_insecure_algorithms_are_never_believed_by_themselves(case: dict[str, Any]) -> None:
    data = b64decode(case["data_b64"])

    for name in case["values"].keys() - set(SAFE):
        with pytest.raises(SignatureError, match="believed"):
            check_digest_field(f"{name}=:{case['values'][name]}:", data)
        with pytest.raises(UsageError, match=name):
            digest_field(data, [name])


@CASES
def test_insecure_algorithms_do_no_harm_beside_others(case: dict[str, Any]) -> None:
    field = ", ".join(f"{name}=:{value}:" for name, value in case["values"].items())

    check_digest_field(field, b64decode(case["data_b64"]))
    check_digest_field(field + ", md5=:AAAA:, unknown=?0, id-sha-256=1.5", b64decode(case["data_b64"]))


@pytest.mark.parametrize("value", VECTORS["serialised"])
def test_several_digests_stand_side_by_side(value: str) -> None:
    check_digest_field(value.split(",")[1], BODY)
    assert digest_field(BODY, ["sha-512", "sha-256"]) == (
        "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:, "
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    )


@pytest.mark.parametrize("value", VECTORS["serialised"])
def test_every_known_digest_must_match(value: str) -> None:
    with pytest.raises(SignatureError, match="sha-256 digest does not match"):
        check_digest_field(value, BODY)  # its sha-256 is of another representation (RFC 9530 appendix B.2)


def test_sha_256_is_what_is_made_unless_another_is_named() -> None:
    # FIPS 180-4: of nothing
    assert digest_field(b"") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


@pytest.mark.parametrize("algorithms", [[], ["md5"], ["SHA-256"], ["sha-256", "sha"]])
def test_nothing_else_is_made(algorithms: list[str]) -> None:
    with pytest.raises(UsageError):
        digest_field(b"", algorithms)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "sha-256",
        "sha-256=",
        "sha-256=::",
        "sha-256=:AAAA:",
        "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha-256=(:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:)",
        'sha-256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
        "SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:,",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, sha-512=1",
        "sha-512=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=: é",
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, a" + "a" * 20_000,
        "\ud800",
    ],
)
def test_a_field_that_is_not_of_the_data_or_malformed_is_refused(value: str) -> None:
    with pytest.raises(SignatureError):
        check_digest_field(value, b"")


@given(st.binary(min_size=1, max_size=40), st.data())
@settings(deadline=None, max_examples=100)
def test_a_flipped_bit_of_data_does_not_match(data: bytes, chance: Any) -> None:
    bit = chance.draw(st.integers(0, 8 * len(data) - 1))
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8

    for names in (["sha-256"], ["sha-512"], SAFE):
        check_digest_field(digest_field(data, names), data)
        with pytest.raises(SignatureError):
            check_digest_field(digest_field(data, names), bytes(flipped))


@given(st.text(max_size=40) | st.text('sha-256=:,;()"?10A ', max_size=40))
@settings(deadline=None, max_examples=100)
def test_whatever_the_field_holds_it_is_refused_with_a_signature_error(value: str) -> None:
    with pytest.raises(SignatureError):
        check_digest_field(value, b"data")

    assert all(0 <= weight <= 10 for weight in digest_preferences(value).values())


def test_long_fields_are_refused_at_once() -> None:
    began = thread_time()

    for value in ("a," * 1_000_000, "sha-256=:" + "A" * 2_000_000, "(" * 2_000_000):
        with pytest.raises(SignatureError):
            check_digest_field(value, b"")
        assert digest_preferences(value) == {}

    assert thread_time() - began < 2


# --- what is wanted


@pytest.mark.parametrize("case", VECTORS["preferences"], ids=lambda case: str(case["value"]))
def test_preferences_are_those_of_the_rfc(case: dict[str, Any]) -> None:
    assert digest_preferences(case["value"]) == case["parsed"]
    assert preferred_digest(case["value"]) == case.get("best", "sha-256")


@pytest.mark.parametrize(
    ("value", "parsed", "best"),
    [
        ("sha-512=9, sha-256=3", {"sha-512": 9, "sha-256": 3}, "sha-512"),
        ("sha-512=5, sha-256=5", {"sha-512": 5, "sha-256": 5}, "sha-512"),
        ("sha-256=5, sha-512=5", {"sha-512": 5, "sha-256": 5}, "sha-256"),
        ("md5=10, sha-256=1", {"md5": 10, "sha-256": 1}, "sha-256"),
        ("md5=10", {"md5": 10}, None),
        ("sha-256=0", {"sha-256": 0}, None),
        ("sha-256=10;q=1", {"sha-256": 10}, "sha-256"),
        ("sha-256=11, sha-512=1", {"sha-512": 1}, "sha-512"),
        ("sha-256=-1", {}, None),
        ("sha-256", {}, None),
        ("sha-256=1.0", {}, None),
        ('sha-256="1"', {}, None),
        ("sha-256=(1)", {}, None),
        ("sha-256=1 sha-512=2", {}, None),
        ("", {}, None),
        ("sha-256=:AAAA:", {}, None),
    ],
)
def test_what_is_no_preference_counts_as_not_there(value: str, parsed: dict[str, int], best: str | None) -> None:
    assert digest_preferences(value) == parsed
    assert preferred_digest(value) == best


@pytest.mark.parametrize("data", ["text", None, 5, bytes])
def test_data_that_is_no_bytes_is_a_mistake(data: Any) -> None:
    with pytest.raises(UsageError, match="data is bytes, not"):
        digest_field(data)
    with pytest.raises(UsageError, match="data is bytes, not"):
        check_digest_field("sha-256=:AAAA:", data)


@pytest.mark.parametrize("value", [None, b"sha-256=:AAAA:", 5])
def test_a_field_that_is_no_text_is_a_mistake(value: Any) -> None:
    with pytest.raises(UsageError, match="the value of a digest field is text, not"):
        check_digest_field(value, b"")
