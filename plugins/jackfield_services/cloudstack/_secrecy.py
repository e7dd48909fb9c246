"""Which parameters hold secrets: those are posted, and not shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from json import dumps

from jackfield import Response

_SECRETS = (
    "password|passphrase|secret|user_?data|private_?key|access_?key|psk|bind_?pass"
    "|token|credential|sessionkey|codefor2fa"
)
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


def masked(response: Response, secrets: Iterable[str]) -> Response:
    """The answer without these secrets: servers repeat in an error what they were sent."""
    body, found = response.content, sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True)
    for one in found:
        for form in (one, dumps(one)[1:-1], dumps(one, ensure_ascii=False)[1:-1]):
            body = body.replace(form.encode(), b"***")
    # X-Description repeats the error's text.
    return Response(response.status, response.headers.without("x-description"), body) if found else response
