"""What the server dies of."""

from ._quirks import Quirk
from ._settings import Settings


class Died(Exception):
    """The server is gone, for this reason."""


def die(settings: Settings, reason: str) -> None:
    """Raises Died, where the server does die of such things."""
    if Quirk.DIES in settings.quirks:
        raise Died(reason)
