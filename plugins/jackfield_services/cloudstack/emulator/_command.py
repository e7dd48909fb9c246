"""What a command is: its declaration, its parameter check, what it is called with; no command itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ._cloud import Cloud
from ._jobs import Job
from ._paging import Count, page_of
from ._parameters import Arguments
from ._signature import Digest
from ._wire import ApiError, Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The emulator's settings as they were when the request came; `now` is Unix time in seconds."""

    api_key: str
    api_secret: str
    signature_algorithm: Digest
    count: Count
    page_size_limit: int
    job_polls: int
    now: float


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command; `length` bounds a string."""

    name: str
    type: str
    description: str
    required: bool = False
    length: int = 255


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a command's answer."""

    name: str
    type: str
    description: str
    fields: tuple["Field", ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command."""

    command: str
    arguments: Arguments
    cloud: Cloud
    settings: Settings

    def page(self, key: str, items: list[JsonObject]) -> JsonObject:
        return page_of(key, items, self.arguments, self.settings.count, self.settings.page_size_limit)

    def start_job(self, instance_id: str, effect: Callable[[], JsonObject]) -> Job:
        wanted, settings = self.arguments.text("injectedjobid"), self.settings
        return self.cloud.jobs.start(
            self.command, instance_id, effect, wanted=wanted, polls=settings.job_polls, now=settings.now
        )


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what `listApis` says of it, and the function that runs it."""

    name: str
    description: str
    run: Callable[[Call], Mapping[str, Json]]
    parameters: tuple[Parameter, ...] = ()
    response: tuple[Field, ...] = ()
    is_async: bool = False

    def check(self, arguments: Arguments) -> None:
        """Required ones are there, and strings are no longer than declared; unknown ones do not matter."""
        prefix = f"Unable to execute API command {self.name.lower()} due to"
        for parameter in self.parameters:
            if parameter.required and not arguments.given(parameter.name):
                raise ApiError(431, f"{prefix} missing parameter {parameter.name}")
            if parameter.type == "string" and len(arguments.text(parameter.name)) > parameter.length:
                text = f"Value greater than max allowed length {parameter.length} for param: {parameter.name}"
                raise ApiError(431, f"{prefix} invalid value. {text}")


PAGING = (
    Parameter("keyword", "string", "List by keyword"),
    Parameter("page", "integer", "the page, from 1; needs pagesize"),
    Parameter("pagesize", "integer", "items on a page; needs page"),
)
