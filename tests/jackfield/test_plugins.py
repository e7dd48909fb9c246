"""Plugins: who is active, who replaces whom, and that nobody is harmed by a plugin that was not asked for."""

from __future__ import annotations

import ast
import importlib
import inspect
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from jackfield import (
    Call,
    ConfigurationError,
    Observer,
    PluginError,
    Pure,
    Request,
    Response,
    Service,
    Stage,
    Step,
    UsageError,
    Without,
    _discovery,
    _hooks,
    hookimpl,
    operation,
)
from jackfield.testing import FakeTransport

if TYPE_CHECKING:
    from tests.jackfield.conftest import Colour, Steps

Install: TypeAlias = Callable[..., None]


class Core(Service):
    @operation
    async def get(self) -> bytes:
        return (await self.send(Request("GET", self.url()))).content


def adding(name: str, value: str) -> Pure:
    """A step that adds a query parameter of its name."""

    def add(request: Request, call: Call) -> Request:
        return request.replace(query=(*request.query, (name, value)))

    return Pure(name, Stage.LIMIT, request=add)


def sent_query(colour: Colour, **options: Any) -> dict[str, str]:
    """What a client with these options sends."""
    transport = FakeTransport(otherwise=Response(200))
    colour.get(colour.client(Core, transport, **options).get())
    return dict(transport.requests[0].query)


def refusal(colour: Colour, **options: Any) -> str:
    """What making a client with these options says."""
    with pytest.raises(ConfigurationError) as caught:
        colour.client(Core, **options)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _no_plugin_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JACKFIELD_PLUGINS", raising=False)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install("acme-quota", "acme_quota", source, quota="acme_quota")` installs a distribution of one module."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType] - pytest does not say

    def write(distribution: str, module: str, source: str, **offers: str) -> None:
        (tmp_path / f"{module}.py").write_text(dedent(source))
        info = tmp_path / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        listed = "".join(f"{name} = {value}\n" for name, value in offers.items())
        (info / "entry_points.txt").write_text(f"[jackfield]\n{listed}")
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("acme"):
            del sys.modules[name]
    importlib.invalidate_caches()


GOOD = """
    from jackfield import Pure, Stage, hookimpl

    @hookimpl
    def jackfield_steps():
        add = lambda request, call: request.replace(query=(*request.query, ("quota", "module")))
        return [Pure("quota", Stage.LIMIT, request=add)]
"""


# --- which plugins a client has


def test_the_cores_own_plugins_are_there_and_go_by_name(colour: Colour) -> None:
    assert "errors" in str(colour.client(Core).chain)

    client = colour.client(Core, FakeTransport([Response(404, body=b"as it is")]), plugins=[Without("errors")])

    assert "errors" not in str(client.chain)
    assert colour.get(client.get()) == b"as it is"


def test_a_plugin_of_the_same_name_takes_the_place_of_a_default(colour: Colour, plugin: type[Steps]) -> None:
    default, mine = plugin("quota", adding("quota", "default")), plugin("quota", adding("quota", "mine"))

    assert sent_query(colour, defaults=[default]) == {"quota": "default"}
    assert sent_query(colour, defaults=[default], plugins=[mine]) == {"quota": "mine"}
    assert (default.asked, mine.asked) == (1, 1)


def test_two_plugins_of_one_name_are_refused_as_one_would_not_be_used(colour: Colour, plugin: type[Steps]) -> None:
    with pytest.raises(ConfigurationError, match="two plugins are named 'quota'"):
        colour.client(Core, plugins=[plugin("quota"), plugin("quota")])


def test_a_plugin_that_was_left_out_may_be_put_in_again(colour: Colour, plugin: type[Steps]) -> None:
    one = plugin("quota", adding("quota", "one"))

    assert sent_query(colour, defaults=[one], plugins=[Without("quota")]) == {}
    assert sent_query(colour, defaults=[one], plugins=[Without("quota"), one]) == {"quota": "one"}


def test_the_cache_of_a_client_is_a_plugin_with_a_place_of_its_own(colour: Colour, plugin: type[Steps]) -> None:
    cache = plugin("cache", adding("cache", "ours"))
    client = colour.client(Core, cache=cache)

    assert client.cache is cache
    assert client.with_options(timeout=5).cache is cache
    assert sent_query(colour, cache=cache) == {"cache": "ours"}
    with pytest.raises(UsageError, match="has no cache"):
        client.with_options(cache=None).cache  # noqa: B018 - it is what is asked for


@pytest.mark.parametrize("wrong", ["cache", Without("cache"), object()])
def test_what_is_no_cache_is_refused_in_its_place(colour: Colour, wrong: object) -> None:
    assert "plugin" in refusal(colour, cache=wrong)


def test_a_plugin_of_another_name_is_no_cache(colour: Colour, plugin: type[Steps]) -> None:
    assert "takes a plugin of that name" in refusal(colour, cache=plugin("store", adding("store", "x")))


def test_plugins_may_come_as_any_iterable(colour: Colour, plugin: type[Steps]) -> None:
    assert sent_query(colour, plugins=iter([plugin("quota", adding("quota", "one"))])) == {"quota": "one"}


def test_leaving_out_what_is_not_there_names_what_is(colour: Colour) -> None:
    text = refusal(colour, plugins=[Without("retyr")])

    assert "'retyr'" in text
    assert all(name in text for name in ("deadline", "errors", "headers"))


def test_a_near_miss_is_answered_with_the_name_that_was_meant(colour: Colour) -> None:
    assert "did you mean 'errors'" in refusal(colour, plugins=[Without("error")])


@pytest.mark.parametrize("wrong", [None, {"retry": None}, 5, object()])
def test_what_is_no_list_of_plugins_is_refused_as_that(colour: Colour, wrong: Any) -> None:
    assert "plugins is a list of them" in refusal(colour, plugins=wrong)


def test_a_view_says_how_to_go_without_a_plugin_and_what_was_meant(colour: Colour, plugin: type[Steps]) -> None:
    client = colour.client(Core, plugins=[plugin("quota", adding("quota", "x"))])

    with pytest.raises(ConfigurationError, match="None to go without"):
        client.with_options(quota=False)
    with pytest.raises(ConfigurationError, match="did you mean 'timeout'"):
        client.with_options(timeuot=5)


def test_two_clients_do_not_share_their_plugins(colour: Colour, plugin: type[Steps]) -> None:
    with_quota = colour.client(Core, plugins=[plugin("quota", adding("quota", "one"))])
    without = colour.client(Core)

    assert "quota" in str(with_quota.chain)
    assert "quota" not in str(without.chain)


# --- what is no plugin


class Unnamed:
    @hookimpl
    def jackfield_steps(self) -> Iterable[Step]:
        return []


class Idle:
    name = "idle"

    def jackfield_steps(self) -> Iterable[Step]:
        return []


@pytest.mark.parametrize("name", ["", None, 7])
def test_an_object_whose_name_is_no_text_is_no_plugin(colour: Colour, plugin: type[Steps], name: Any) -> None:
    assert "is no plugin" in refusal(colour, plugins=[plugin(name)])


@pytest.mark.parametrize("wrong", [Unnamed(), object(), 5, None, lambda: None])
def test_an_object_without_a_name_is_no_plugin(colour: Colour, wrong: object) -> None:
    text = refusal(colour, plugins=[wrong])

    assert "is no plugin" in text
    assert "`name`" in text


def test_a_plugin_without_a_hookimpl_offers_nothing_and_is_told_how(colour: Colour) -> None:
    text = refusal(colour, plugins=[Idle()])

    assert "'idle'" in text
    assert "@jackfield.hookimpl" in text


def test_a_class_in_place_of_an_object_is_refused(colour: Colour) -> None:
    class Quota:
        name = "quota"

        @hookimpl
        def jackfield_steps(self) -> Iterable[Step]:
            return []

    text = refusal(colour, plugins=[Quota])

    assert "Quota" in text
    assert "is no plugin" in text


def test_one_name_in_place_of_a_list_of_names_is_refused_as_that(colour: Colour) -> None:
    text = refusal(colour, plugins="retry")

    assert "'retry'" in text
    assert "list" in text


def hook(name: str, give: Callable[[], Any]) -> object:
    """A plugin whose hook does something wrong."""

    class Wrong:
        @hookimpl
        def jackfield_steps(self) -> Any:
            return give()

    wrong: Any = Wrong()
    wrong.name = name
    return wrong


def fails() -> None:
    raise ValueError("by itself")


def exits() -> None:
    sys.exit(3)


@pytest.mark.parametrize(
    "give",
    [
        fails,
        exits,
        lambda: [5],
        lambda: ["step"],
        lambda: 5,
        lambda: adding("x", "y"),
        lambda: [None],
        lambda: [("a", "b")],
    ],
    ids=["fails", "exits", "number", "text", "no-list", "bare-step", "none", "tuple"],
)
def test_a_plugin_that_fails_when_the_client_is_made_is_named(colour: Colour, give: Callable[[], Any]) -> None:
    with pytest.raises(PluginError, match="'wrong'"):
        colour.client(Core, plugins=[hook("wrong", give)])


def test_a_hook_that_gives_none_gives_nothing(colour: Colour) -> None:
    assert sent_query(colour, plugins=[hook("modest", lambda: None)]) == {}


class Misspelt:
    name = "misspelt"

    @hookimpl
    def jackfield_stepps(self) -> Iterable[Step]:
        return []


class Demanding:
    name = "demanding"

    @hookimpl
    def jackfield_steps(self, config: object) -> Iterable[Step]:
        return []


@pytest.mark.parametrize("wrong", [Misspelt(), Demanding()])
def test_a_hookimpl_that_no_hookspec_knows_is_refused_and_its_plugin_named(colour: Colour, wrong: Any) -> None:
    with pytest.raises(PluginError, match=rf"'{wrong.name}'"):
        colour.client(Core, plugins=[wrong])


# --- what other distributions offer


def test_a_plugin_is_found_by_the_name_under_which_a_distribution_offers_it(colour: Colour, install: Install) -> None:
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota")

    assert sent_query(colour, plugins=["quota"]) == {"quota": "module"}


def test_an_entry_point_may_name_an_object(colour: Colour, install: Install) -> None:
    source = """
        class Plugin:
            name = "something else"
            def __init__(self):
                import acme_module
                self.jackfield_steps = acme_module.jackfield_steps
        plugin = Plugin()
    """
    install("acme-module", "acme_module", GOOD)
    install("acme-object", "acme_object", source, quota="acme_object:plugin")

    assert sent_query(colour, plugins=["quota"]) == {"quota": "module"}


def test_the_environment_names_plugins_too(colour: Colour, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota", other="acme_other")
    install("acme-other", "acme_other", GOOD.replace("quota", "other"))

    monkeypatch.setenv("JACKFIELD_PLUGINS", " quota,other ")

    assert sent_query(colour) == {"quota": "module", "other": "module"}
    assert sent_query(colour, plugins=[Without("other")]) == {"quota": "module"}


def test_what_the_user_names_goes_over_the_environment_and_that_over_the_defaults(
    colour: Colour, plugin: type[Steps], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    default, mine = plugin("quota", adding("quota", "default")), plugin("quota", adding("quota", "mine"))
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota")
    monkeypatch.setenv("JACKFIELD_PLUGINS", "quota")

    assert sent_query(colour, defaults=[default]) == {"quota": "module"}
    assert sent_query(colour, defaults=[default], plugins=[mine]) == {"quota": "mine"}


@pytest.mark.parametrize("value", ["", " ", ",", " , "])
def test_an_environment_that_names_nothing_changes_nothing(
    colour: Colour, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("JACKFIELD_PLUGINS", value)

    assert sent_query(colour) == {}


def test_an_unknown_name_is_an_error_that_names_what_is_installed(colour: Colour, install: Install) -> None:
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota")

    with pytest.raises(PluginError) as caught:
        colour.client(Core, plugins=["qouta"])

    text = str(caught.value)
    assert "'qouta'" in text
    assert "did you mean 'quota'" in text
    assert "retry" in text


def test_an_unknown_name_in_the_environment_is_an_error_and_not_ignored(
    colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACKFIELD_PLUGINS", "nobody")

    with pytest.raises(PluginError, match="'nobody'"):
        colour.client(Core)


BROKEN = {
    "raises": "raise ValueError('at import')",
    "exits": "import sys; sys.exit(3)",
    "exits silently": "raise SystemExit",
    "is no Python": "def (",
    "imports what is not there": "import acme_nowhere",
    "offers nothing": "x = 1",
    "offers another hook": "import jackfield\n@jackfield.hookimpl\ndef jackfield_stepps(): return []",
    "fails in its hook": "import jackfield\n@jackfield.hookimpl\ndef jackfield_steps(): raise KeyError('x')",
    "gives no steps": "import jackfield\n@jackfield.hookimpl\ndef jackfield_steps(): return [5]",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN.keys())
def test_a_plugin_that_cannot_be_loaded_is_named(colour: Colour, install: Install, source: str) -> None:
    install("acme-broken", "acme_broken", source, broken="acme_broken")

    with pytest.raises(PluginError, match="'broken'"):
        colour.client(Core, plugins=["broken"])


@pytest.mark.parametrize("reason", ["raises", "exits", "exits silently", "is no Python", "imports what is not there"])
def test_a_module_that_cannot_be_imported_names_its_distribution_and_what_happened(
    colour: Colour, install: Install, reason: str
) -> None:
    install("acme-broken", "acme_broken", BROKEN[reason], broken="acme_broken")

    with pytest.raises(PluginError, match=r"distribution 'acme-broken'") as caught:
        colour.client(Core, plugins=["broken"])

    assert caught.value.__cause__ is not None


def test_who_hangs_while_it_loads_is_named_meanwhile(
    colour: Colour, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Telling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())
            told.set()

    said: list[str] = []
    told, telling = threading.Event(), Telling()
    monkeypatch.setattr(_discovery, "_SLOW", 0.0)
    monkeypatch.setitem(sys.modules, "acme_told", told)
    install("acme-slow", "acme_slow", "import acme_told\nassert acme_told.wait(60)\n" + dedent(GOOD), quota="acme_slow")
    logging.getLogger("jackfield").addHandler(telling)

    try:
        colour.client(Core, plugins=["quota"])
    finally:
        logging.getLogger("jackfield").removeHandler(telling)

    assert said == ["the distribution 'acme-slow' is still being loaded, and may hang"]


def test_an_entry_point_to_nothing_names_its_distribution(colour: Colour, install: Install) -> None:
    install("acme-broken", "acme_broken", "", broken="acme_broken:nothing", gone="acme_gone")

    for name in ("broken", "gone"):
        with pytest.raises(PluginError, match=rf"'{name}' of the distribution 'acme-broken'"):
            colour.client(Core, plugins=[name])


def test_a_broken_plugin_harms_no_client_that_did_not_ask_for_it(colour: Colour, install: Install) -> None:
    for number, source in enumerate(BROKEN.values()):
        install(
            f"acme-broken-{number}", f"acme_broken_{number}", source, **{f"broken{number}": f"acme_broken_{number}"}
        )
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota")

    assert sent_query(colour) == {}
    assert sent_query(colour, plugins=["quota", "retry"]) == {"quota": "module"}
    assert not [name for name in sys.modules if name.startswith("acme_broken")]


def test_a_distribution_whose_metadata_is_broken_harms_nobody_else(
    colour: Colour, install: Install, tmp_path: Path
) -> None:
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota")
    install("acme-garbled", "acme_garbled", "")
    (tmp_path / "acme_garbled-1.0.dist-info" / "entry_points.txt").write_text("[jackfield]\nno equals sign\n")

    assert sent_query(colour, plugins=["quota"]) == {"quota": "module"}


def test_discovered_is_not_active(colour: Colour, install: Install) -> None:
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota")
    assert "quota" in {entry.name for entry in entry_points(group="jackfield")}

    assert sent_query(colour) == {}
    assert "acme_quota" not in sys.modules


def test_a_name_that_two_distributions_offer_is_an_error_that_names_both(colour: Colour, install: Install) -> None:
    install("acme-one", "acme_one", GOOD, quota="acme_one")
    install("acme-two", "acme_two", GOOD, quota="acme_two")

    with pytest.raises(PluginError, match=r"acme-one.*acme-two"):
        colour.client(Core, plugins=["quota"])
    assert "acme_one" not in sys.modules


def test_the_same_entry_point_of_two_distributions_is_no_conflict(colour: Colour, install: Install) -> None:
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota")
    install("acme-quota-renamed", "acme_quota_renamed", "", quota="acme_quota")

    assert sent_query(colour, plugins=["quota"]) == {"quota": "module"}


def test_two_names_for_one_plugin_clash_with_an_error_of_ours(colour: Colour, install: Install) -> None:
    install("acme-quota", "acme_quota", GOOD, quota="acme_quota", alias="acme_quota")

    with pytest.raises(ConfigurationError, match="two steps are named 'quota'"):
        colour.client(Core, plugins=["quota", "alias"])


def test_entry_points_of_another_group_are_no_plugins(colour: Colour, install: Install, tmp_path: Path) -> None:
    install("acme-quota", "acme_quota", GOOD)
    listed = "[jackfield.commands]\nquota = acme_quota\n[pytest11.not]\nquota = acme_quota\n"
    (tmp_path / "acme_quota-1.0.dist-info" / "entry_points.txt").write_text(listed)

    with pytest.raises(PluginError, match="no plugin 'quota'"):
        colour.client(Core, plugins=["quota"])


# --- views


def test_a_view_without_a_plugin_does_not_ask_the_others_again(colour: Colour, plugin: type[Steps]) -> None:
    store, quota = plugin("store", adding("store", "one")), plugin("quota", adding("quota", "one"))
    client = colour.client(Core, plugins=[store, quota])

    view = client.with_options(quota=None)
    client.with_options(timeout=3)

    assert "quota" not in str(view.chain)
    assert "quota" in str(client.chain)
    assert store.asked == 1


def test_a_view_may_have_another_plugin_of_the_same_name(colour: Colour, plugin: type[Steps]) -> None:
    transport = FakeTransport(otherwise=Response(200))
    client = colour.client(Core, transport, plugins=[plugin("quota", adding("quota", "one"))])

    colour.get(client.with_options(quota=plugin("quota", adding("quota", "two"))).get())
    colour.get(client.get())

    assert [request.query for request in transport.requests] == [(("quota", "two"),), (("quota", "one"),)]


def test_a_view_refuses_a_plugin_of_another_name_and_a_name_that_is_not_there(
    colour: Colour, plugin: type[Steps]
) -> None:
    client = colour.client(Core, plugins=[plugin("quota")])

    with pytest.raises(ConfigurationError, match="of that name, not 'other'"):
        client.with_options(quota=plugin("other"))
    with pytest.raises(ConfigurationError, match=r"'retry'.*options and plugins.*quota"):
        client.with_options(retry=None)
    with pytest.raises(ConfigurationError, match="no plugin"):
        client.with_options(quota=object())


# --- the hooks themselves


def test_every_hookspec_says_what_it_is_for_in_one_sentence_and_is_annotated() -> None:
    specs = {name: spec for name, spec in vars(_hooks).items() if hasattr(spec, "jackfield_spec")}

    assert sorted(specs) == ["jackfield_identity", "jackfield_observer", "jackfield_steps"]
    for name, spec in specs.items():
        doc = inspect.getdoc(spec) or ""
        assert doc.count(".") == 1, name
        assert doc.endswith("."), name
        assert "\n" not in doc, name
        assert name.startswith("jackfield_")
        assert inspect.signature(spec).return_annotation is not inspect.Signature.empty, name


def test_no_hookspec_stands_anywhere_else() -> None:
    package = Path(_hooks.__file__).parent
    marked = [
        path.name
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and "hookspec" in {ast.unparse(mark) for mark in node.decorator_list}
    ]

    assert set(marked) == {"_hooks.py"}


def test_the_hook_of_an_observer_that_fails_is_named_as_well(colour: Colour) -> None:
    class Wrong:
        name = "wrong"

        @hookimpl
        def jackfield_observer(self) -> Observer:
            raise ValueError("by itself")

    with pytest.raises(PluginError, match="'wrong'"):
        colour.client(Core, plugins=[Wrong()])
