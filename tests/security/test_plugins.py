"""S44: plugins that do harm when they are loaded, that take the place of others, or see what is not theirs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.both import Both
from tests.clients import COLOURS, Anything

import jackfield._plugins
import jackfield._steps
from jackfield import (
    Call,
    ConfigurationError,
    Observer,
    PluginError,
    Proceed,
    Pure,
    Request,
    Response,
    SignatureError,
    Stage,
    Step,
    Url,
    hookimpl,
)
from jackfield.testing import FakeTransport
from jackfield_plugins.auth import Bearer
from jackfield_plugins.retry import Retry
from jackfield_plugins.signing import AwsCredentials, HmacKey, Message, MessageSigning, MessageVerifier, SigV4

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
        "from jackfield import Step, hookimpl\n"
        "async def run(request, call, proceed): return await proceed(request, call)\n"
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
    import os
    open(os.environ["ACME_CANARY"], "w").close()
    raise SystemExit(3)
"""


def default() -> list[object]:
    return []


def all_there_are() -> list[object]:
    """Broken on purpose: loads every plugin that is installed."""
    for entry in entry_points(group="jackfield"):
        with suppress(Exception, SystemExit):
            entry.load()
    return []


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


QUIET = """
import os, sys
noticed = []
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.mkdir", "urllib.")

def hook(event, args):
    if event == "open":
        path = os.fsdecode(args[0]) if isinstance(args[0], (str, bytes)) else ""
        if not path.endswith((".py", ".pyc", ".so")):
            noticed.append((event, path))
    elif event.startswith(FORBIDDEN):
        noticed.append((event, ""))

sys.addaudithook(hook)
"""
TELL = """
print(noticed)
print(sorted(name for name in sys.modules if name.startswith(("acme", "jackfield_"))))
"""


@pytest.mark.subjects(
    ours="import jackfield",
    loading="import jackfield, jackfield_plugins.retry",
    looking="import jackfield, importlib.metadata; importlib.metadata.entry_points(group='jackfield')",
    reading="import jackfield, pathlib; pathlib.Path('.netrc').exists() or open('acme_quota.txt', 'w')",
    connecting="import jackfield, socket; socket.socket()",
    starting="import jackfield, subprocess; subprocess.run(['true'])",
)
def test_s44_importing_the_core_loads_no_plugin_and_touches_neither_files_nor_network(
    subject: str, install: Install, tmp_path: Path
) -> None:
    install("quota", DEADLY)
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])

    told = subprocess.run(
        [sys.executable, "-B", "-c", f"{QUIET}{subject}{TELL}"],
        env={**os.environ, "PYTHONPATH": paths, "ACME_CANARY": str(tmp_path / "canary")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert told.stdout == "[]\n[]\n"
    assert not (tmp_path / "canary").exists()


# --- where they stand, and what they see


class Meddler:
    """Sends every request elsewhere, and adds to it, at the stage that it asks for."""

    name = "meddler"

    def __init__(self, stage: Stage, after: str) -> None:
        self._steps = [Pure(self.name, stage, request=self._change, after=(after,))]

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return self._steps

    def _change(self, request: Request, call: Call) -> Request:
        return request.replace(url=request.url.at("elsewhere"), headers=request.headers.replacing("x-a", "1"))


SOLE: tuple[Stage, ...] = jackfield._steps._SOLE_OWNER


@pytest.mark.subjects(ours=SOLE, lenient=())
@COLOUR
def test_s44_no_plugin_changes_what_is_signed_unnoticed(
    subject: tuple[Stage, ...], colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jackfield._steps, "_SOLE_OWNER", subject)
    covered = ("@method", "@target-uri", "x-a")
    signing = MessageSigning(HmacKey("secret"), key_id="mine", components=covered[:2], if_present=covered[2:])
    verifier = MessageVerifier({"mine": HmacKey("secret")}, required=covered)
    refused: list[Stage] = []

    for stage in Stage:
        transport = FakeTransport(otherwise=Response(200))
        try:
            ask(colour, [Meddler(stage, "signing"), signing], transport)
        except ConfigurationError:
            refused.append(stage)
            continue
        assert transport.requests[0].url.path == "/x/elsewhere"
        try:
            verifier.check(Message.of(transport.requests[0]), b"", time.time())
        except SignatureError as error:
            raise AssertionError(f"{stage.name} changed what was signed") from error

    assert refused == [Stage.SIGN]


@pytest.mark.subjects(ours=SOLE, lenient=())
@COLOUR
@pytest.mark.parametrize("stage", [Stage.RETRY, Stage.AUTH, Stage.SIGN])
def test_s44_a_stage_of_one_owner_takes_no_other(
    subject: tuple[Stage, ...], stage: Stage, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jackfield._steps, "_SOLE_OWNER", subject)
    owners = [Bearer(CANARY), SigV4(AwsCredentials("id", CANARY), "r", "s"), Retry()]

    with pytest.raises(ConfigurationError, match="two owners"):
        ask(colour, [*owners, Meddler(stage, "none")], FakeTransport(otherwise=Response(200)))


class Spy:
    """Writes down all that a step is given, before and after, and every event."""

    name = "spy"

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.seen: list[object] = []

    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return [Step(self.name, self._stage, self._run)]

    @hookimpl
    def jackfield_observer(self) -> Observer:
        return self.seen.append

    async def _run(self, request: Request, call: Call, proceed: Proceed) -> Response:
        self._look(request, call)
        response = await proceed(request, call)
        self._look(request, call)
        self.seen += [response, list(response.headers.pairs()), vars(response) if hasattr(response, "__dict__") else ()]
        return response

    def _look(self, request: Request, call: Call) -> None:
        self.seen += [request.target, list(request.headers.pairs()), call, call.options, call.summary(), call.runtime]


class AboveAll:
    """Broken on purpose: gives its credential to everybody, at the first stage."""

    name = "auth"

    def __init__(self, token: str) -> None:
        self._token = token

    @hookimpl
    def jackfield_steps(self) -> Iterable[Pure]:
        return [Pure(self.name, Stage.PREPARE, request=self._add, before=("spy",))]

    def _add(self, request: Request, call: Call) -> Request:
        return request.with_headers(request.headers.replacing("authorization", f"Bearer {self._token}"))


@pytest.mark.subjects(ours=Bearer, above_all=AboveAll)
@COLOUR
@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in (Stage.AUTH, Stage.SIGN)])
def test_s44_a_plugin_is_not_given_the_credential_of_another(
    subject: Callable[[str], Any], stage: Stage, colour: str
) -> None:
    spy, transport = Spy(stage), FakeTransport(otherwise=Response(200))

    ask(colour, [subject(CANARY), spy], transport)

    assert transport.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    assert len(spy.seen) > 5
    assert CANARY not in "".join(map(repr, spy.seen))
