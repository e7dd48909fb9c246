"""Which parameters hold secrets: those are posted, and not shown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from json import dumps

from jackfield import Response, Secret

_SECRETS = (
    "password|passphrase|secret|user_?data|private_?key|access_?key|psk|bind_?pass"
    "|token|credential|sessionkey|codefor2fa|passwd|pwd|shared_?key|s3_?key"
)
_PLAIN = frozenset({"apikey", "expires", "signatureversion"})  # what every signed request has
_SHORTEST = 4  # characters of a secret that is looked for in what the server says
_NAMING = ("key", "name")  # updateConfiguration(name="….password", value=…), details[0].key=password
_names_one = re.compile(_SECRETS, re.IGNORECASE).search


def is_secret(name: str, value: str = "") -> bool:
    """Whether this is a secret by its name (`password`, `userdata` …), a private key by its look, or names a secret."""
    if _names_one(name) is not None or "PRIVATE KEY-----" in value:
        return True
    return name.lower().endswith(_NAMING) and _names_one(value) is not None


def hides(name: str, value: str) -> bool:
    """Whether it may be one: the `value` of a setting, or of an entry of a map, is anything."""
    return is_secret(name, value) or name.lower() == "value" or name.lower().endswith(".value")


def is_harmless(name: str, value: str, visible: Collection[str]) -> bool:
    """Whether a log may show it: one of the names that may be seen, an id, yes or no."""
    if hides(name, value):
        return False
    return name in visible or name.lower() in _PLAIN or name.lower().endswith("id") or value in ("true", "false")


def secrets_of(parameters: Mapping[str, object], flat: Sequence[tuple[str, str]]) -> list[str]:
    """The secrets among the parameters, and what may be one beside them; `flat` is how they are sent."""
    wrapped = {name for name, value in parameters.items() if isinstance(value, Secret)}
    if not wrapped and not any(is_secret(name, value) for name, value in flat):
        return []
    return [value for name, value in flat if name in wrapped or hides(name, value)]


def masked(response: Response, secrets: Iterable[str]) -> Response:
    """The answer without these secrets: servers repeat in an error what they were sent."""
    body = response.body
    if not isinstance(body, bytes):  # a stream's
        return response
    found = sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True)
    for one in found:
        for form in (one, dumps(one)[1:-1], dumps(one, ensure_ascii=False)[1:-1]):
            body = body.replace(form.encode(), b"***")
    # X-Description repeats the error's text.
    return response.replace(headers=response.headers.without("x-description"), body=body) if found else response
