"""A Buffy to talk to: the emulator, or with `--buffy=real` the server itself (`tox -e servers`); on either FastAPI.

The two answer a pin differently, so every test that asks for a Buffy runs with both. Files named `test_real_*.py` are
for the server itself alone, files named `test_emulator_*.py` for the emulator.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import FrameType

import pytest
from tests.servers import Serve
from tests.servers.buffy import FASTAPI, HELP, Buffy, BuffyServer, missing
from tests.servers.origin import Origin

from jackfield_services.buffy.emulator import BuffyEmulator

from .asking import Api

DEADLINE = 60  # seconds for one test
_numbers = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--buffy", choices=("emulator", "real"), default="emulator", help="what the tests talk to")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    left_out = "test_emulator_" if _is_real(config) else "test_real_"
    return True if collection_path.name.startswith(left_out) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the server said beside what failed."""
    report = yield
    server = getattr(item, "funcargs", {}).get("buffy_server")
    if report.failed and isinstance(server, BuffyServer):
        report.sections.append((f"Buffy on FastAPI {server.fastapi}", server.log()))
    return report


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], BuffyServer]]:
    """The server on a version of FastAPI; it is started when it is first asked for, or was killed meanwhile."""
    servers: dict[str, BuffyServer] = {}
    with ExitStack() as running:

        def started(fastapi: str) -> BuffyServer:
            if lacking := missing():
                (pytest.fail if os.environ.get("CI") else pytest.skip)(
                    f"no {', '.join(lacking)}: `tox -e servers` installs it, with {HELP}"
                )
            if fastapi not in servers:
                servers[fastapi] = running.enter_context(BuffyServer(fastapi, tmp_path_factory.mktemp("buffy")))
            elif not servers[fastapi].alive:
                servers[fastapi].flush()  # what killed it is forgotten, too
                servers[fastapi].start()
            return servers[fastapi]

        yield started


@pytest.fixture(params=FASTAPI)
def buffy_server(request: pytest.FixtureRequest) -> Iterator[Buffy]:
    if _is_real(request.config):
        yield request.getfixturevalue("real")(request.param)
        return
    with BuffyEmulator(fastapi=request.param, clean_every=5, max_downloads_per_domain=4) as server:
        yield server


@pytest.fixture
def origin(serve: Serve, deadline: None) -> Origin:
    """What there is to download."""
    return Origin(serve)


@pytest.fixture(params=("sync", "async"))
def api(request: pytest.FixtureRequest, buffy_server: Buffy, group: str) -> Iterator[Api]:
    """A client of ours, of either colour."""
    with Api(request.param, buffy_server, group) as api:
        yield api


@pytest.fixture
def group() -> str:
    """A group of requests that no other test has."""
    return f"group-{os.getpid()}-{next(_numbers)}"


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """Whatever a test waits for, it does not do so for ever."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"the test has not ended within {DEADLINE} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(DEADLINE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _is_real(config: pytest.Config) -> bool:
    return bool(config.getoption("--buffy", "emulator") == "real")
