"""What a command is: its declaration, its parameter check, what it is called with; no command itself."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ._cloud import Cloud
from ._jobs import Job
from ._paging import page_of
from ._parameters import Arguments
from ._settings import Settings
from ._users import Role, User
from ._wire import ApiError, Json, JsonObject

_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command; `length` bounds a string, `related` names the commands that list its values."""

    name: str
    type: str
    description: str
    required: bool = False
    length: int = 255
    related: str = ""
    since: str = ""
    role: Role = "User"
    on_integration_port: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command, by a user."""

    command: str
    arguments: Arguments
    cloud: Cloud
    settings: Settings
    user: User

    def page(
        self, key: str, items: Sequence[JsonObject], shown: Callable[[JsonObject], JsonObject] | None = None
    ) -> JsonObject:
        """The page that is asked for, of all these items."""
        whole = self.command.lower() in map(str.lower, self.settings.unpaged)
        return page_of(key, items, self.arguments, self.settings, shown=shown, whole=whole)

    def start_job(self, instance_id: str, effect: Callable[[], JsonObject], kind: str = "VirtualMachine") -> JsonObject:
        """Starts a job, and answers its id."""
        job = Job(
            command=self.command,
            instance_id=instance_id,
            kind=kind,
            owner=self.user.owns(),
            created=self.settings.now(),
            effect=effect,
        )
        jobs, settings = self.cloud.jobs, self.settings
        jobs.start(job, self.arguments.text("injectedjobid"), settings.job_polls, numbered=settings.numbered_jobs)
        return {"jobid": job.id}

    def success(self) -> JsonObject:
        """That it worked; older servers say so in words."""
        return {"success": "true" if self.settings.text_success else True}


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what `listApis` says of it, and the function that runs it.

    `answers` is an example of what it gives, `kind` the key that comes under; `role` "Admin" keeps it from users.
    """

    name: str
    description: str
    run: Callable[[Call], Mapping[str, Json]]
    parameters: tuple[Parameter, ...] = ()
    kind: str = ""
    answers: Mapping[str, Json] = field(default_factory=dict[str, Json])
    is_async: bool = False
    role: Role = "User"
    since: str = ""

    def open_to(self, role: Role) -> bool:
        """Whether somebody of that role may run it."""
        return role in ("Admin", self.role)

    def check(self, arguments: Arguments) -> None:
        """Required ones are there, and strings are no longer than declared; unknown ones do not matter."""
        prefix = f"Unable to execute API command {self.name.lower()} due to"
        for parameter in self.parameters:
            if parameter.required and not arguments.given(parameter.name):
                raise ApiError(431, f"{prefix} missing parameter {parameter.name}")
            _check_type(self.name, parameter, arguments)
            if parameter.type == "string" and len(arguments.text(parameter.name)) > parameter.length:
                text = f"Value greater than max allowed length {parameter.length} for param: {parameter.name}"
                raise ApiError(431, f"{prefix} invalid value. {text}")


def _check_type(command: str, parameter: Parameter, arguments: Arguments) -> None:
    """A number is one, or, but for a long or a short, empty; a date is a day, or a second."""
    text, type_ = arguments.text(parameter.name), parameter.type
    if type_ == "date" and arguments.given(parameter.name) and not _DATE.fullmatch(text):
        raise ApiError(
            431,
            f"Unable to parse date {text} for command {command.lower()}response, please pass dates in the format "
            "mentioned in the api documentation",
        )
    if (type_ in ("integer", "float", "double") and text) or type_ in ("long", "short"):
        arguments.integer(parameter.name)


KEYWORD = Parameter("keyword", "string", "List by keyword")
PAGING = (
    KEYWORD,
    Parameter("page", "integer", "the page, from 1; needs pagesize"),
    Parameter("pagesize", "integer", "items on a page; needs page"),
    Parameter("listall", "boolean", "also what belongs to others", role="Admin"),
)
