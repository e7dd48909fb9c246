"""Settings: finite, positive, and checked when a client or a view is made."""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import ConfigurationError, Headers, Options, Request, Service, operation

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour

LIMITS = ["timeout", "connect_timeout", "read_timeout", "max_body_size"]
WRONG: list[Any] = [0, -1, -0.5, inf, -inf, nan, True, False, "5", None, b"5", [5], -(10**400)]


class Core(Service):
    @operation
    async def options(self) -> Options:
        """The settings in force; sends what they apply to."""
        await self.send(Request("GET", self.url()))
        return self.call.options


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:8])
def test_a_limit_that_is_no_positive_finite_number_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Options(**{name: value}).checked()


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [value for value in WRONG if value is not None], ids=lambda value: repr(value)[:8])
def test_clients_and_views_refuse_it_too(colour: Colour, name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        colour.client(Core, **{name: value})
    with pytest.raises(ConfigurationError, match=name):
        colour.client(Core).with_options(**{name: value})


@pytest.mark.parametrize("name", LIMITS[:3])
def test_a_time_beyond_all_clocks_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Options(**{name: 10**400}).checked()  # type: ignore[arg-type]  # one of the times


@pytest.mark.parametrize("name", LIMITS[:3])
@pytest.mark.parametrize("value", [0.001, 1, 60.5, 86_400])
def test_a_time_may_be_any_positive_number_of_seconds(name: str, value: float) -> None:
    options = Options(**{name: value})  # type: ignore[arg-type]  # one of the times

    assert options.checked() is options


def test_a_body_size_is_a_whole_number_of_bytes() -> None:
    assert Options(max_body_size=1).checked().max_body_size == 1
    half: Any = 1.5
    with pytest.raises(ConfigurationError, match="max_body_size"):
        Options(max_body_size=half).checked()


def test_every_limit_is_finite_where_nobody_sets_it() -> None:
    usual = Options().checked()

    assert (usual.timeout, usual.connect_timeout, usual.read_timeout) == (60, 10, 30)
    assert usual.max_body_size == 64 * 1024 * 1024
    assert usual.headers == Headers()
    assert usual.visible_query == frozenset()


def test_a_client_runs_on_what_was_set_and_a_view_on_what_it_changes(colour: Colour) -> None:
    client = colour.client(Core, timeout=5, read_timeout=4, headers={"a": "1"}, visible_query=["page"])

    own = colour.get(client.options())
    viewed = colour.get(client.with_options(read_timeout=3, max_body_size=10, headers={"b": "2"}).options())

    assert own == Options(
        5, 10, 4, headers=Headers({"user-agent": "jackfield", "a": "1"}), visible_query=frozenset({"page"})
    )
    assert viewed == own._replace(
        read_timeout=3, max_body_size=10, headers=Headers({"user-agent": "jackfield", "a": "1", "b": "2"})
    )


def test_a_view_that_changes_nothing_has_the_same_settings(colour: Colour) -> None:
    client = colour.client(Core, timeout=5)

    assert colour.get(client.with_options().options()) == colour.get(client.options())


@given(st.sampled_from(LIMITS[:3]), st.floats() | st.integers() | st.booleans() | st.text(max_size=3))
@settings(deadline=None, max_examples=200)
def test_whatever_the_value_a_time_that_is_accepted_is_positive_and_finite(name: str, value: Any) -> None:
    try:
        accepted = getattr(Options(**{name: value}).checked(), name)
    except ConfigurationError:
        return

    assert 0 < accepted < inf
    assert type(accepted) in (int, float)
