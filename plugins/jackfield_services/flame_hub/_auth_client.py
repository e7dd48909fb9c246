"""The auth service: realms, users, clients, robots, and what they may do."""

from __future__ import annotations

from jackfield import AsyncClient, Client

from ._auth_models import (
    Client as ClientRecord,
)
from ._auth_models import (
    CreateClient,
    CreateRealm,
    CreateRobot,
    CreateUser,
    Realm,
    Robot,
    UpdateClient,
    UpdateRealm,
    UpdateRobot,
    UpdateUser,
    User,
)
from ._credentials import AUTH_SERVICE
from ._resource import Resource
from ._role_models import (
    CreatePermission,
    CreateRole,
    CreateRolePermission,
    CreateUserPermission,
    CreateUserRole,
    Permission,
    Role,
    RolePermission,
    UpdatePermission,
    UpdateRole,
    UserPermission,
    UserRole,
)
from ._service import HubService

REALMS = Resource("realms", Realm)
USERS = Resource("users", User)
CLIENTS = Resource("clients", ClientRecord)
ROBOTS = Resource("robots", Robot)
PERMISSIONS = Resource("permissions", Permission)
ROLES = Resource("roles", Role)
ROLE_PERMISSIONS = Resource("role-permissions", RolePermission)
USER_PERMISSIONS = Resource("user-permissions", UserPermission)
USER_ROLES = Resource("user-roles", UserRole)


class AuthService(HubService):
    """The auth service of a FLAME Hub, which is an Authup."""

    _default_base_url = AUTH_SERVICE
    _collection = REALMS.path

    get_realms = REALMS.find()
    find_realms = REALMS.find()
    get_realm = REALMS.get("realm_id")
    create_realm = REALMS.create(CreateRealm)
    update_realm = REALMS.update("realm_id", UpdateRealm)
    delete_realm = REALMS.delete("realm_id")

    get_users = USERS.find()
    find_users = USERS.find()
    get_user = USERS.get("user_id")
    create_user = USERS.create(CreateUser)
    update_user = USERS.update("user_id", UpdateUser)
    delete_user = USERS.delete("user_id")

    get_clients = CLIENTS.find()
    find_clients = CLIENTS.find()
    get_client = CLIENTS.get("client_id")
    create_client = CLIENTS.create(CreateClient)
    update_client = CLIENTS.update("client_id", UpdateClient)
    delete_client = CLIENTS.delete("client_id")

    # Of 0.1.1 alone, where robots do what clients do since.
    get_robots = ROBOTS.find()
    find_robots = ROBOTS.find()
    get_robot = ROBOTS.get("robot_id")
    create_robot = ROBOTS.create(CreateRobot)
    update_robot = ROBOTS.update("robot_id", UpdateRobot)
    delete_robot = ROBOTS.delete("robot_id")

    get_permissions = PERMISSIONS.find()
    find_permissions = PERMISSIONS.find()
    get_permission = PERMISSIONS.get("permission_id")
    create_permission = PERMISSIONS.create(CreatePermission)
    update_permission = PERMISSIONS.update("permission_id", UpdatePermission)
    delete_permission = PERMISSIONS.delete("permission_id")

    get_roles = ROLES.find()
    find_roles = ROLES.find()
    get_role = ROLES.get("role_id")
    create_role = ROLES.create(CreateRole)
    update_role = ROLES.update("role_id", UpdateRole)
    delete_role = ROLES.delete("role_id")

    get_role_permissions = ROLE_PERMISSIONS.find()
    find_role_permissions = ROLE_PERMISSIONS.find()
    get_role_permission = ROLE_PERMISSIONS.get("role_permission_id")
    create_role_permission = ROLE_PERMISSIONS.create(CreateRolePermission)
    delete_role_permission = ROLE_PERMISSIONS.delete("role_permission_id")

    get_user_permissions = USER_PERMISSIONS.find()
    find_user_permissions = USER_PERMISSIONS.find()
    get_user_permission = USER_PERMISSIONS.get("user_permission_id")
    create_user_permission = USER_PERMISSIONS.create(CreateUserPermission)
    delete_user_permission = USER_PERMISSIONS.delete("user_permission_id")

    get_user_roles = USER_ROLES.find()
    find_user_roles = USER_ROLES.find()
    get_user_role = USER_ROLES.get("user_role_id")
    create_user_role = USER_ROLES.create(CreateUserRole)
    delete_user_role = USER_ROLES.delete("user_role_id")


class AuthClient(AuthService, Client):
    """The auth service of a FLAME Hub: plain calls."""


class AsyncAuthClient(AuthService, AsyncClient):
    """The auth service of a FLAME Hub: awaited calls."""
