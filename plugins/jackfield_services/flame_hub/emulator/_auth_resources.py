"""The resources of the auth service (Authup): realms, robots, clients, users, roles, permissions."""

from ._fields import PLAIN_NAME, Field, Resource, choice, copied, flag, is_text, made, own_realm, ref, text
from ._names import Generation

_TITLES = {"display_name": text(), "description": text()}
_CREDENTIALS = {"secret": text(hidden=True)}


def _link(name: str, one: str, other: str) -> Resource:
    """A record that says that two others belong together."""
    fields = {
        f"{one}_id": ref(f"{one}s", required=True, writable="created"),
        f"{one}_realm_id": copied(f"{one}_id.realm_id"),
        f"{other}_id": ref(f"{other}s", required=True, writable="created"),
        f"{other}_realm_id": copied(f"{other}_id.realm_id"),
        **({"policy_id": made()} if other == "permission" else {}),
    }
    return Resource(
        service="auth",
        name=name,
        fields=fields,
        verbs=(
            "list",
            "get",
            "create",
            "delete",
        ),
        unique=(f"{one}_id", f"{other}_id"),
        include=(one, f"{one}_realm", other, f"{other}_realm"),
    )


def _client_fields(generation: Generation) -> dict[str, Field]:
    old = {"scope": text(), "root_url": text(), "user_id": made()}
    new = {"post_logout_redirect_uri": text(), "backchannel_logout_uri": text()}
    return {
        "name": PLAIN_NAME,
        **_CREDENTIALS,
        "is_confidential": flag(True),
        "realm_id": ref("realms", default=own_realm, writable="created"),
        **_TITLES,
        "redirect_uri": text(),
        "grant_types": text(),
        "base_url": text(),
        **(old if generation == "0.1.1" else new),
        "built_in": made(False),
        "active": flag(True),
        "secret_hashed": flag(False),
        "secret_encrypted": made(False),
        "auth_method": choice("none", "secret", "tls", default="secret"),
        "token_binding_method": choice("none", "tls", default="none"),
    }


_ROBOT = {
    **_CREDENTIALS,
    "name": PLAIN_NAME,
    "display_name": text(),
    "realm_id": ref("realms", default=own_realm),
    "description": text(),
    "user_id": made(),
    "client_id": made(),
    "active": flag(True),
}

_USER = {
    "name": PLAIN_NAME,
    "display_name": text(),
    "email": text(hidden=True),
    "password": Field(checks=(is_text,), hidden=True, secret=True),
    "active": flag(True),
    "name_locked": flag(False),
    "first_name": text(),
    "last_name": text(),
    "avatar": made(),
    "cover": made(),
    "realm_id": ref("realms", default=own_realm, writable="created"),
}

_PERMISSION = {
    "name": PLAIN_NAME,
    **_TITLES,
    "realm_id": ref("realms"),
    "policy_id": text(),
    "built_in": made(False),
    "client_id": made(),
}


def auth_resources(generation: Generation) -> list[Resource]:
    """What this generation has."""
    in_realm = ("name", "realm_id")
    robots = [Resource(service="auth", name="robots", fields=_ROBOT, unique=in_realm, include=("realm",))]
    return [
        Resource(
            service="auth",
            name="realms",
            fields={"name": PLAIN_NAME, **_TITLES, "built_in": made(False)},
            unique=("name",),
            whole_updates=generation == "0.1.1",
        ),
        *(robots if generation == "0.1.1" else []),
        Resource(
            service="auth", name="clients", fields=_client_fields(generation), unique=in_realm, include=("realm",)
        ),
        Resource(service="auth", name="users", fields=_USER, unique=in_realm, include=("realm",)),
        Resource(
            service="auth",
            name="roles",
            fields={"name": PLAIN_NAME, **_TITLES, "target": made(), "realm_id": made(own_realm, to="realms")},
            unique=in_realm,
            include=("realm",),
        ),
        Resource(service="auth", name="permissions", fields=_PERMISSION, unique=in_realm, include=("realm",)),
        _link("role_permissions", "role", "permission"),
        _link("user_permissions", "user", "permission"),
        _link("user_roles", "user", "role"),
    ]
