"""The models of the API: what the bodies of its PUTs may be, and what is made of them."""

import hashlib
import json
import re
from collections.abc import Mapping

from ._reading import Field, Wrong, boolean, integer, mapping, one_of, read_fields, refuse, text
from ._request import Incoming
from ._wire import Json, Record

_STRATEGIES: Mapping[str, Mapping[str, Field]] = {
    "never": {},
    "age": {"seconds": Field(integer, 3600)},
    "cron": {"cron": Field(text, "0 0 * * *"), "run_at_start": Field(boolean, default=True)},
    "when_requested": {},
    "when_remote_changed": {
        "check_interval_sec": Field(integer, 21_600),
        "fallback_max_age_sec": Field(integer, 86_400),
    },
}


def _strategy(value: Json) -> Record:
    given = mapping(value) if isinstance(value, dict) else {}
    name = given.get("strategy_name", ...)
    if name is ...:
        raise Wrong(
            "Discriminator 'strategy_name' is missing in value",
            "value_error.discriminated_union.missing_discriminator",
            context={"discriminator_key": "strategy_name"},
        )
    if not isinstance(name, str) or name not in _STRATEGIES:
        allowed = ", ".join(repr(each) for each in _STRATEGIES)
        raise Wrong(
            f"No match for discriminator 'strategy_name' and value {name!r} (allowed values: {allowed})",
            "value_error.discriminated_union.invalid_discriminator",
            context={"discriminator_key": "strategy_name", "discriminator_value": name, "allowed_values": allowed},
        )
    try:
        return {"strategy_name": name} | read_fields(_STRATEGIES[name], given)
    except Wrong as wrong:
        raise Wrong.of([error | {"loc": [name, *error["loc"]]} for error in wrong.errors]) from None


def _tag(value: Json) -> str:
    tag = text(value)
    if len(tag) < 2:
        raise Wrong(f"Tag '{tag}' is too short. Must be at least 2 chars.", "value_error")
    if len(tag) > 64:
        raise Wrong(f"Tag '{tag}' is too long. Max 64 chars, has {len(tag)}", "value_error")
    if not re.match("^[a-zA-Z0-9-_]*$", tag):  # and so a newline may end it
        raise Wrong(f"Tag '{tag}' is not allowed. Must pass '^[a-zA-Z0-9-_]*$' regex match", "value_error")
    return tag


_CONFIGURATION = {
    "request_id": Field(text, None, nullable=True),
    "recaching_strategy": Field(
        _strategy,
        {"strategy_name": "when_remote_changed", "check_interval_sec": 21_600, "fallback_max_age_sec": 86_400},
    ),
    "max_cached_unpinned_versions": Field(integer, 2),
    "max_cached_pinned_versions": Field(integer, 10),
}


def _configuration(value: Json) -> Record:
    return read_fields(_CONFIGURATION, mapping(value))


_REQUEST = {
    "url": Field(text),
    "http_method": Field(one_of(("get", "post", "put")), "get"),
    "http_header_fields": Field(mapping, {}, nullable=True),
    "http_query_params": Field(mapping, {}, nullable=True),
    "http_request_body": Field(mapping, {}, nullable=True),
    "group_name": Field(text, "DEFAULT_GROUP", nullable=True),
    "description": Field(text, None, nullable=True),
    "documentation_link": Field(text, None, nullable=True),
    "validation_hash_type": Field(one_of(sorted(hashlib.algorithms_guaranteed)), "md5", nullable=True),
    "cache_configuration": Field(_configuration, None, nullable=True),
}
_PIN = {"value": Field(boolean), "duration_sec": Field(integer, None, nullable=True)}
_TAG = {"value": Field(_tag), "delete": Field(boolean, default=False)}


def read_request(incoming: Incoming) -> Record:
    """The body of a request, its configuration filled in."""
    said = _read(_REQUEST, incoming)
    return said | {"cache_configuration": said["cache_configuration"] or _configuration({})}


def read_configuration(incoming: Incoming) -> Record:
    """The body of a cache configuration."""
    return _read(_CONFIGURATION, incoming)


def read_pin(incoming: Incoming) -> Record:
    """The body of a pin."""
    return _read(_PIN, incoming)


def read_tag(incoming: Incoming) -> Record:
    """The body of a tag."""
    return _read(_TAG, incoming)


def _read(fields: Mapping[str, Field], incoming: Incoming) -> Record:
    try:
        return read_fields(fields, _object(incoming))
    except Wrong as wrong:
        refuse(wrong, "body")


def _object(incoming: Incoming) -> Record:
    if not incoming.body:
        raise Wrong("field required", "value_error.missing")
    if not incoming.is_json:
        raise Wrong("value is not a valid dict", "type_error.dict")
    try:
        value = json.loads(incoming.body)
    except json.JSONDecodeError as error:
        context = {name: getattr(error, name) for name in ("msg", "doc", "pos", "lineno", "colno")}
        wrong = Wrong(str(error), "value_error.jsondecode", context=context)
        wrong.errors[0]["loc"] = [error.pos]
        raise wrong from None
    except (ValueError, RecursionError):
        raise Wrong("There was an error parsing the body", "value_error") from None
    if value is None:
        raise Wrong("field required", "value_error.missing")
    return mapping(value)
