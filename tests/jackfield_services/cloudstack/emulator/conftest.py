"""An empty cloud, at noon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.cloudstack_wire import NOON

from jackfield_services.cloudstack.emulator import CloudStackEmulator


@pytest.fixture
def cloud() -> Iterator[CloudStackEmulator]:
    with CloudStackEmulator(now=lambda: NOON) as running:
        yield running
