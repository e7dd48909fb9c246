"""S44: plugins that do harm when they are loaded, that take the place of others, or look where they have no business."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from tests.both import Both
from tests.clients import COLOURS, Anything

import jackfield._plugins
from jackfield import (
    Call,
    ConfigurationError,
    PluginError,
    Proceed,
    Pure,
    Request,
    Response,
    Stage,
    Step,
    Url,
    hookimpl,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import Bearer
from jackfield_plugins.signing import AwsCredentials, SigV4

if TYPE_CHECKING:
    from tests.servers import Peer, Serve

Install = Callable[[str, str], None]
COLOUR = pytest.mark.parametrize("colour", COLOURS)
CANARY = "hunter2-canary"


@pytest.fixture(autouse=True)
def _no_plugin_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JACKFIELD_PLUGINS", raising=False)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install("quota", source)` installs a distribution, acme-quota, that offers a plugin of this name."""
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] - pytest does not say
    before = set(sys.modules)

    def write(name: str, source: str) -> None:
        (tmp_path / f"acme_{name}.py").write_text(dedent(source))
        info = tmp_path / f"acme_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[jackfield]\n{name} = acme_{name}\n")
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("acme"):
            del sys.modules[name]
    importlib.invalidate_caches()


def ask(colour: str, plugins: Iterable[object], transport: Any) -> Response:
    """The answer to one request of a client with these plugins."""
    with Both(colour, Anything, "https://h", transport, plugins=plugins) as api:
        answer: Response = api.get(api.client.ask(Request("GET", Url.parse("https://h/x"))))
    return answer


# --- what happens when they are loaded

HARMFUL = {
    "raises": "raise RuntimeError('boom')",
    "exits": "import sys; sys.exit(3)",
    "is_empty": "",
    "is_broken": "def x(:",
    "imports_what_is_not_there": "import acme_nothing",
    "gives_junk": "from jackfield import hookimpl\n@hookimpl\ndef jackfield_steps(): return 7",
    "gives_a_list_of_junk": "from jackfield import hookimpl\n@hookimpl\ndef jackfield_steps(): return ['x', None]",
    "exits_when_asked": "from jackfield import hookimpl\n@hookimpl\ndef jackfield_steps(): raise SystemExit(3)",
    "asks_for_another_hook": "from jackfield import hookimpl\n@hookimpl\ndef jackfield_secrets(): return []",
    "makes_a_stage_of_its_own": (
        "from jackfield import Step, hookimpl\nasync def run(request, call, proceed): return await proceed(request, call)\n"
        "@hookimpl\ndef jackfield_steps(): return [Step('x', 6.5, run)]"
    ),
}


def load(name: str) -> object:
    return jackfield._plugins.load(name)


def load_as_it_comes(name: str) -> object:
    """Broken on purpose: says nothing of who offers it, and gives what cannot be used to whoever wants it."""
    try:
        return importlib.import_module(f"acme_{name}")
    except BaseException:
        return Bearer(CANARY)


@pytest.mark.subjects(ours=load, as_it_comes=load_as_it_comes)
@COLOUR
@pytest.mark.parametrize("how", HARMFUL)
def test_s44_a_plugin_that_cannot_be_used_is_an_error_that_names_it(
    subject: Callable[[str], object], how: str, colour: str, install: Install
) -> None:
    install(how, HARMFUL[how])
    plugins = [how] if subject is load else [subject(how)]

    with pytest.raises(ConfigurationError) as caught:
        ask(colour, plugins, FakeTransport(otherwise=Response(200)))

    assert isinstance(caught.value, PluginError)
    assert how in str(caught.value)


DEADLY = """
    import os, time
    open(os.environ["ACME_CANARY"], "w").close()
    time.sleep(30)
    os._exit(3)
"""


def default() -> list[object]:
    return []


def all_there_are() -> list[object]:
    """Broken on purpose: every plugin that is installed."""
    from importlib.metadata import entry_points

    return [Path(entry.module).stem for entry in entry_points(group="jackfield") if _touched(entry.name)]


def _touched(name: str) -> bool:
    Path(os.environ["ACME_CANARY"]).touch()
    return False


@pytest.mark.subjects(ours=default, all_there_are=all_there_are)
@COLOUR
@pytest.mark.parametrize("name", ["deadly", "errors", "headers", "deadline", "redirect", "auth", "retry"])
def test_s44_a_plugin_that_nobody_named_is_not_loaded_whatever_its_name(
    subject: Callable[[], list[object]],
    name: str,
    colour: str,
    install: Install,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACME_CANARY", str(tmp_path / "canary"))
    install(name, DEADLY)

    assert ask(colour, subject(), FakeTransport(otherwise=Response(200))).status == 200

    assert not (tmp_path / "canary").exists()
    assert f"acme_{name}" not in sys.modules
