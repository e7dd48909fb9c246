"""A refusal that somebody asks for: any code of the API, with its text, its numbers and its envelope."""

from collections.abc import Mapping
from dataclasses import dataclass

from jackfield_services._given import expect

from ._throttle import over_the_limit
from ._wire import UNKNOWN, ApiError, Unauthorized

_RETRY_AFTER = 100  # ms, of a rate limit that was asked for
# CSExceptionErrorCode, by the exception that most often stands behind a code
_CS_CODES: Mapping[int, int] = {
    431: 4350,
    530: 4250,
    531: 4365,
    532: 4280,
    533: 4325,
    534: 4380,
    535: 4370,
    536: 4375,
    537: 4360,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of the API, in its JSON: for `inject` and `plan_job`.

    Args:
        status: the errorcode, and the HTTP status: 400 to 599.
        text: the errortext.
        cs_code: the cserrorcode; None: the one that usually comes with the status.
        uuid_list: pairs of a uuid and what it is of, as in `[("4a1e…", "zone")]`.
        envelope: the key the error comes under, "errorresponse" or "null" say; None: the command's own.
    """

    status: int
    text: str | None = None
    cs_code: int | None = None
    uuid_list: tuple[tuple[str, str], ...] | list[tuple[str, str]] = ()
    envelope: str | None = None

    def __post_init__(self) -> None:
        expect(self.status, int, "the status of a refusal is a whole number")
        expect(self.text, str | None, "the text of a refusal is a text")
        expect(self.cs_code, int | None, "cs_code is a whole number")
        for pair in self.uuid_list:
            if [type(each) for each in pair] != [str, str]:
                raise TypeError(f"uuid_list has pairs of a uuid and what it is of, not {pair!r}")
        if not 400 <= self.status <= 599:
            raise ValueError(f"the status of a refusal is one of 400 to 599, not {self.status}")

    def error(self) -> ApiError:
        """What the server raises."""
        usual = self._usual()
        return ApiError(
            self.status,
            usual.text if self.text is None else self.text,
            usual.cs_code if self.cs_code is None else self.cs_code,
            tuple(self.uuid_list),
            self.envelope,
        )

    def _usual(self) -> ApiError:
        if self.status == 401:
            return Unauthorized()
        if self.status == 429:
            return over_the_limit(_RETRY_AFTER)
        text = f"The emulator was told to answer {self.status}"
        return ApiError(self.status, text, _CS_CODES.get(self.status, UNKNOWN))
