"""Who uses the cloud, and how much of it. A limit is a number, or "Unlimited"."""

from __future__ import annotations

from typing import Any

from ._resource import Date, Resource, Tag


class _Limited(Resource):
    cpulimit: str | None = None
    cputotal: int | None = None
    cpuavailable: str | None = None
    iplimit: str | None = None
    iptotal: int | None = None
    ipavailable: str | None = None
    memorylimit: str | None = None
    memorytotal: int | None = None
    memoryavailable: str | None = None
    networklimit: str | None = None
    networktotal: int | None = None
    networkavailable: str | None = None
    primarystoragelimit: str | None = None
    primarystoragetotal: float | None = None
    primarystorageavailable: str | None = None
    secondarystoragelimit: str | None = None
    secondarystoragetotal: float | None = None
    secondarystorageavailable: str | None = None
    snapshotlimit: str | None = None
    snapshottotal: int | None = None
    snapshotavailable: str | None = None
    templatelimit: str | None = None
    templatetotal: int | None = None
    templateavailable: str | None = None
    vmlimit: str | None = None
    vmtotal: int | None = None
    vmavailable: str | None = None
    volumelimit: str | None = None
    volumetotal: int | None = None
    volumeavailable: str | None = None
    vpclimit: str | None = None
    vpctotal: int | None = None
    vpcavailable: str | None = None


class User(Resource):
    """A user (`listUsers`)."""

    id: str
    username: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    state: str | None = None
    created: Date | None = None
    account: str | None = None
    accountid: str | None = None
    accounttype: int | None = None
    roleid: str | None = None
    rolename: str | None = None
    roletype: str | None = None
    domainid: str | None = None
    domain: str | None = None
    timezone: str | None = None
    usersource: str | None = None
    apikey: str | None = None
    secretkey: str | None = None
    isdefault: bool | None = None
    iscallerchilddomain: bool | None = None
    is2faenabled: bool | None = None
    is2famandated: bool | None = None


class Account(_Limited):
    """An account (`listAccounts`)."""

    id: str
    name: str | None = None
    state: str | None = None
    created: Date | None = None
    accounttype: int | None = None
    roleid: str | None = None
    rolename: str | None = None
    roletype: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    defaultzoneid: str | None = None
    networkdomain: str | None = None
    isdefault: bool | None = None
    receivedbytes: int | None = None
    sentbytes: int | None = None
    vmrunning: int | None = None
    vmstopped: int | None = None
    projectlimit: str | None = None
    projecttotal: int | None = None
    projectavailable: str | None = None
    user: list[User] | None = None
    groups: list[str] | None = None
    accountdetails: dict[str, Any] | None = None


class Domain(_Limited):
    """A domain (`listDomains`); `level` is 0 for ROOT."""

    id: str
    name: str | None = None
    level: int | None = None
    path: str | None = None
    state: str | None = None
    created: Date | None = None
    parentdomainid: str | None = None
    parentdomainname: str | None = None
    haschild: bool | None = None
    networkdomain: str | None = None
    domaindetails: dict[str, Any] | None = None


class Project(_Limited):
    """A project (`listProjects`)."""

    id: str
    name: str | None = None
    displaytext: str | None = None
    state: str | None = None
    created: Date | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    projectaccountname: str | None = None
    owner: list[dict[str, Any]] | None = None
    vmrunning: int | None = None
    vmstopped: int | None = None
    tags: list[Tag] | None = None
