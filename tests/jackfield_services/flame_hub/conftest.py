"""An emulator at noon: of either generation, or of both, one after the other; a Hub of our own, for either colour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.jackfield_services.flame_hub.auth_world import World
from tests.jackfield_services.flame_hub.hub_wire import NOON, Session

from jackfield import AsyncClient, Client
from jackfield_services.flame_hub.emulator import FlameHubEmulator, Generation


@pytest.fixture(params=["0.1.1", "1.1.0"])
def generation(request: pytest.FixtureRequest) -> Generation:
    return "0.1.1" if request.param == "0.1.1" else "1.1.0"


@pytest.fixture
def hub(generation: Generation) -> Iterator[FlameHubEmulator]:
    with FlameHubEmulator(generation, now=lambda: NOON) as running:
        yield running


@pytest.fixture
def old() -> Iterator[FlameHubEmulator]:
    with FlameHubEmulator("0.1.1", now=lambda: NOON) as running:
        yield running


@pytest.fixture
def new() -> Iterator[FlameHubEmulator]:
    with FlameHubEmulator("1.1.0", now=lambda: NOON) as running:
        yield running


@pytest.fixture
def session(hub: FlameHubEmulator) -> Session:
    return Session(hub)


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)
