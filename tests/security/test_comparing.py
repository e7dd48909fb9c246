"""S43: nothing but the right signature, digest or state gets by, and by no other algorithm.

That nothing of the kind is compared by `==` is in test_static.py.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest

from jackfield import Headers, JackfieldError, Secret, SignatureError
from jackfield_plugins.auth import AuthorizationCode
from jackfield_plugins.auth._assertion import JwtAssertion
from jackfield_plugins.signing import (
    STANDARD_WEBHOOKS,
    HmacKey,
    HmacVerifier,
    Message,
    MessageVerifier,
    check_digest_field,
    digest_field,
)

NOW = 1_700_000_000
BODY = b'{"amount": 100}'
KEY = b"0123456789abcdef0123456789abcdef"
Believes = Callable[[Any, float], bool]  # of a signature, and of the seconds by which it is old


def mac(text: bytes) -> str:
    return b64encode(hmac.digest(KEY, text, "sha256")).decode()


# --- who compares: each takes what is said to be the signature, and how old that is


def webhook(given: Any, age: float) -> bool:
    stamp = str(int(NOW - age))
    fields = {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": given}
    return HmacVerifier(STANDARD_WEBHOOKS, "whsec_" + b64encode(KEY).decode()).verify(fields, BODY, NOW)


def webhook_signature(age: float) -> str:
    return "v1," + mac(b"msg_1.%d." % (NOW - age) + BODY)


def message(given: Any, age: float) -> bool:
    fields = [
        ("content-digest", digest_field(BODY)),
        ("signature-input", f"s={parameters(age)}"),
        ("signature", f"s=:{given}:"),
    ]
    verifier = MessageVerifier({"mine": HmacKey(KEY)}, required=("@method", "content-digest"))
    return verifier.verify(Message.received("POST", "https://h/x", Headers.received(fields)), BODY, NOW)


def parameters(age: float, more: str = "") -> str:
    return f'("@method" "content-digest");created={int(NOW - age)};keyid="mine"{more}'


def message_signature(age: float, more: str = "") -> str:
    covered = f'"@method": POST\n"content-digest": {digest_field(BODY)}\n'
    return mac(f'{covered}"@signature-params": {parameters(age, more)}'.encode())


def digest(given: Any, age: float) -> bool:
    try:
        check_digest_field(f"sha-256=:{given}:", BODY)
    except SignatureError:
        return False
    return True


def digest_of(age: float) -> str:
    return b64encode(sha256(BODY).digest()).decode()


def state(given: Any, age: float) -> bool:
    login = AuthorizationCode("https://login.example.test/authorize", "id", "https://app.example.test/back")
    begun = login.start(lambda size: b"s" * size)
    try:
        login.finish(begun, f"https://app.example.test/back?code=c&state={quote(str(given), errors='surrogatepass')}")
    except JackfieldError:
        return False
    return True


def state_of(age: float) -> str:
    found = re.search(
        r"state=([^&]+)",
        AuthorizationCode("https://login.example.test/authorize", "id", "https://app.example.test/back")
        .start(lambda size: b"s" * size)
        .url,
    )
    assert found is not None
    return found[1]


def secret(given: Any, age: float) -> bool:
    return bool(Secret(secret_of(age)) == (Secret(given) if given and isinstance(given, str) else given))


def secret_of(age: float) -> str:
    return "the-right-one-of-them-all"


OURS: Mapping[str, Believes] = {
    "webhook": webhook,
    "message": message,
    "digest": digest,
    "state": state,
    "secret": secret,
}
RIGHT: dict[str, Callable[[float], str]] = {
    "webhook": webhook_signature,
    "message": message_signature,
    "digest": digest_of,
    "state": state_of,
    "secret": secret_of,
}


def by_its_beginning(given: Any, age: float) -> bool:
    """Broken on purpose: compares as much as it is given, of whatever age; and takes what it is given for text."""
    return any(
        right(age).startswith(given.strip() if isinstance(given, str) else str(given)[2:-2]) for right in RIGHT.values()
    )


@pytest.mark.subjects(ours=OURS, naive=dict.fromkeys(OURS, by_its_beginning))
@pytest.mark.parametrize("what", OURS)
def test_s43_nothing_but_the_signature_gets_by(subject: Mapping[str, Believes], what: str) -> None:
    right = RIGHT[what](0)
    wrong: list[Any] = [
        "",
        " ",
        right.rstrip("=")[:-1],
        right[:8],
        right + "A",
        right[::-1],
        right.swapcase(),
        "\0",
        "é" * 20,
    ]
    wrong += ["\ud800", "\u0130" * 44, "A" * 100_000, "=", right[:-4] + "====", "v1,", "v1", ",", "None", "0", "true"]

    assert subject[what](right, 0)
    for given in wrong:
        assert (given[:50], subject[what](given, 0)) == (given[:50], False)


@pytest.mark.subjects(ours=OURS, naive=dict.fromkeys(OURS, by_its_beginning))
@pytest.mark.parametrize("what", ["webhook", "secret"])
def test_s43_what_is_no_text_gets_by_nowhere(subject: Mapping[str, Believes], what: str) -> None:
    """As frameworks give it, where a field came twice or not at all."""
    wrong: list[Any] = [[RIGHT[what](0)], [], (), None, 0, b"", {}, RIGHT[what](0).encode()]

    for given in wrong:
        believed = False
        with suppress(JackfieldError):
            believed = subject[what](given, 0)
        assert (given, believed) == (given, False)


@pytest.mark.subjects(ours=OURS, naive=dict.fromkeys(OURS, by_its_beginning))
@pytest.mark.parametrize(
    ("what", "before", "after"), [("webhook", 300, 300), ("message", 300, 30)], ids=["webhook", "message"]
)
def test_s43_what_is_too_old_or_of_the_future_is_not_believed(
    subject: Mapping[str, Believes], what: str, before: int, after: int
) -> None:
    ages = [0, before - 1, 1 - after, before + 2, -after - 2, 10**9, -(10**9)]

    assert [subject[what](RIGHT[what](age), age) for age in ages] == [True] * 3 + [False] * 4


# --- the algorithm is the key's, whatever a message says


def by_the_key(more: str) -> bool:
    fields = [
        ("content-digest", digest_field(BODY)),
        ("signature-input", f"s={parameters(0, more)}"),
        ("signature", f"s=:{message_signature(0, more)}:"),
    ]
    verifier = MessageVerifier({"mine": HmacKey(KEY)}, required=("@method", "content-digest"))
    return verifier.verify(Message.received("POST", "https://h/x", Headers.received(fields)), BODY, NOW)


def by_the_message(more: str) -> bool:
    """Broken on purpose: whatever the message names, is its algorithm, and none at all is one."""
    return "none" in more or b64decode(message_signature(0, more)) != b""


@pytest.mark.subjects(ours=by_the_key, by_the_message=by_the_message)
def test_s43_a_message_does_not_choose_the_algorithm(subject: Callable[[str], bool]) -> None:
    named = ["hmac-sha256", "none", "", "rsa-v1_5-sha256", "rsa-pss-sha512", "ed25519", "HMAC-SHA256", "hmac-sha1"]

    assert [name for name in named if subject(f';alg="{name}"')] == ["hmac-sha256"]
    assert subject("")


def ours(algorithm: str, key: str) -> None:
    JwtAssertion(key, issuer="i", subject="s", audience="https://a", algorithm=algorithm)


def obliging(algorithm: str, key: str) -> None:
    """Broken on purpose: signs by whatever it is told, with whatever it is given."""


PUBLIC = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"


@pytest.mark.subjects(ours=ours, obliging=obliging)
@pytest.mark.parametrize(
    ("algorithm", "key"), [("none", "k" * 64), ("None", "k" * 64), ("HS256", PUBLIC), ("HS256", "k")]
)
def test_s43_no_assertion_is_made_by_none_or_with_a_key_that_everybody_has(
    subject: Callable[[str, str], None], algorithm: str, key: str
) -> None:
    with pytest.raises(JackfieldError):
        subject(algorithm, key)
