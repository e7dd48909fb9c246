"""How the demo tells what happens: an observer for each client, on a person's terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from time import perf_counter
from typing import Any, Self

from jackfield import Event, JobPolled, Observer, PageFetched, RequestSent, ResponseReceived, RetryScheduled, hookimpl

try:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Table
except ImportError as error:
    raise ImportError("the demo needs rich: pip install 'jackfield[cli]'") from error


class Story:
    """The whole of it."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)

    def say(self, text: str) -> None:
        """A line."""
        self._console.print(text, soft_wrap=True)

    def chapter(self, title: str) -> Chapter:
        """What one client does."""
        self._console.rule(title, align="left")
        return Chapter(title.partition(":")[0], self._console)

    def summary(self, chapters: Sequence[Chapter]) -> None:
        """What it came to, a column per client."""
        table = Table(title="What happened", title_justify="left")
        table.add_column("")
        for chapter in chapters:
            table.add_column(chapter.title, justify="right")
        rows = [chapter.rows() for chapter in chapters]
        for name in rows[0]:
            table.add_row(name, *(row[name] for row in rows))
        self._console.print(table)


class Chapter:
    """One client's part: a plugin that prints every event, and keeps count."""

    name = "story"

    def __init__(self, title: str, console: Console) -> None:
        self.title = title
        self._console = console
        self._counts: Counter[str] = Counter()
        self._machines = self._counted = self._pages = 0
        self._asked = RequestSent("", "", "", 0)
        self._deployed = ""
        self._seconds = 0.0
        columns = (SpinnerColumn(), TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._job = self._progress.add_task("job", total=None, visible=False)

    @hookimpl
    def jackfield_observer(self) -> Observer:
        return self._see

    def __enter__(self) -> Self:
        self._seconds = -perf_counter()
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()
        self._seconds += perf_counter()

    def listed(self, answer: dict[str, Any]) -> None:
        """The list of machines came."""
        self._machines = len({machine["id"] for machine in answer["virtualmachine"]})
        self._counted = answer["count"]
        self._pages = self._counts["pages"]
        self._say(
            f"[bold]{self._machines:,} machines came in {self._pages} pages[/], and `count` says {self._counted:,}"
        )

    def deployed(self, result: dict[str, Any]) -> None:
        """The job's result came."""
        machine = result["virtualmachine"]
        self._deployed = f"{machine['name']} {machine['state']}"
        self._say(f"[bold]the job's result: the machine {machine['name']!r} is {machine['state']}[/]")

    def kept(self, machines: int, pages: int) -> bool:
        """Whether every machine came once, in the right number of pages, and the 503 and the job were dealt with."""
        listed = self._machines == self._counted == machines and self._pages == pages
        return listed and bool(self._deployed) and self._counts["retries"] == 1

    def rows(self) -> dict[str, str]:
        """What it came to, by name."""
        counts = self._counts
        return {
            "machines": f"{self._machines:,}",
            "in pages": str(self._pages),
            "requests": str(counts["attempts"]),
            "of these retries": str(counts["retries"]),
            "polls of the job": str(counts["polls"]),
            "the job's result": self._deployed,
            "bytes received": f"{counts['bytes']:,}",
            "seconds": f"{self._seconds:.2f}",
        }

    def _see(self, event: Event) -> None:
        match event:
            case RequestSent():
                self._counts["attempts"] += 1
                self._asked = event
            case ResponseReceived(operation, status, size, elapsed, _):
                self._counts["bytes"] += size
                if operation != "queryAsyncJobResult":
                    colour = "green" if status == 200 else "red"
                    took = f"{size:,} bytes, {elapsed * 1000:.1f} ms"
                    self._say(f"{_words(self._asked)} → [{colour}]{status}[/]  [dim]{took}[/]")
            case RetryScheduled(_, attempt, delay, reason):
                self._counts["retries"] += 1
                self._say(f"[yellow]{reason}: attempt {attempt} follows in {delay:.2f} s[/]")
            case PageFetched(_, items, total):
                self._counts["pages"] += 1
                self._say(f"  a page of {items:,}" + (f", of {total:,} in all" if total else ""))
            case JobPolled(operation, _, polls, done):
                self._counts["polls"] += 1
                state = "done" if done else "running"
                self._progress.update(self._job, description=f"{operation}, poll {polls}: {state}", visible=not done)
                self._say(f"the job of {operation}, poll {polls}: {state}")
            case _:
                pass  # nothing that CloudStack brings about

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}", soft_wrap=True)


def _words(asked: RequestSent) -> str:
    shown = (pair.partition("=") for pair in asked.url.partition("?")[2].split("&"))
    page = next((f" page {value}" for name, _, value in shown if name == "page"), "")
    return f"{asked.method} {asked.operation}{page}, attempt {asked.attempt}"
