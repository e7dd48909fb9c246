"""The signature base (RFC 9421 §2.5): the lines that are signed, one for each component, and the parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jackfield import UsageError

from ._component_values import ComponentValues
from ._components import Component
from ._message import Message, check_message
from ._structured_fields import member_text


def as_components(names: Iterable[str | Component]) -> tuple[Component, ...]:
    """Identifiers of what may be plain names.

    Raises:
        UsageError: there is no such component, or one stands there twice (RFC 9421 §2).
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise UsageError("components are several: write them as a tuple, ('@method', '@path')")
    components = tuple(name if isinstance(name, Component) else Component(name) for name in names)
    if len(set(components)) != len(components):
        raise UsageError("a component is covered twice: name each once")
    return components


def signature_parameters(components: Iterable[Component], parameters: Mapping[str, Any]) -> str:
    """What stands behind the label in `Signature-Input`, and at the end of the base (RFC 9421 §2.3)."""
    nothing = member_text(([], parameters))
    return f"({' '.join(map(str, components))}{nothing.removeprefix('(')}"


def signature_base(
    message: Message,
    components: Iterable[str | Component],
    parameters: Mapping[str, Any],
    *,
    request: Message | None = None,
) -> bytes:
    """What is signed. It holds no key, and may be compared with a service's own when a signature is not accepted.

    Args:
        message: request or response.
        components: what is covered, in order.
        parameters: `created`, `keyid` and so on, in order (RFC 9421 §2.3).
        request: what a response answers, for components with `req`.

    Raises:
        UsageError: a component is there twice, is not in the message, or cannot be signed.
    """
    check_message(message)
    covered = as_components(components)
    return base_of(message, covered, signature_parameters(covered, parameters), request)


def base_of(message: Message, components: Iterable[Component], parameters: str, request: Message | None) -> bytes:
    """The same, of `signature_parameters`."""
    own, asked = ComponentValues(message), None if request is None else ComponentValues(request)
    lines: list[str] = []
    for component in components:
        values = own if "req" not in component.parameters else asked
        # §2.4: `req` is for responses, and for what is known of their request
        if values is None or (values is asked and message.status is None):
            raise UsageError(f"the component {component} is of the request that a response answers: give that request")
        lines.append(f"{component}: {values.of(component)}")
    lines.append(f'"@signature-params": {parameters}')
    return "\n".join(lines).encode()
