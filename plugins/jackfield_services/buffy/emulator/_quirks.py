"""What the server does otherwise than its documentation says, each to be switched off."""

import enum


class Quirk(enum.Enum):
    """A defect of the server that a client can see. Without it the emulator does what is documented."""

    CLAIM_ANSWERS = "a pin or a tag is answered with 500, or null, and applied later"
    PINS_IN_THE_PAST = "a pin with a duration ended that long ago"
    DIES = "some requests kill the server"
    CONFIGURATION_STAYS = "PUT cache-config changes nothing"
    NEVER_CHANGED = "when_remote_changed never downloads again"
    OLDEST_FIRST = "links, duplicates, ages and v/latest go by the oldest version"
    ONE_A_SECOND = "of two versions in one second the later takes the place of the earlier"
    NO_BODY = "http_request_body is not sent to the origin"
    TEXT_MODE = "text is read as text: line ends become newlines, other encodings than UTF-8 break off"
    BAD_RESUME = "a download that broke off is continued wrongly"
    EARLY_CONTENT = "content is served before it is ready, and after it has failed"
    BROKEN_ROUTES = "request/{id}, t/{tag} and latest?pinned=true answer 500"
    BAD_FILENAMES = "the filename is not what the origin named"
    SILENT_CLOSE = "after a 500 the connection is closed, and the answer does not say so"
