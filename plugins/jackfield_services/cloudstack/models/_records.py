"""What happened: events, jobs, usage."""

from __future__ import annotations

from typing import Any

from ._resource import Date, Resource, Tag


class Event(Resource):
    """An event (`listEvents`)."""

    id: str
    type: str | None = None
    level: str | None = None
    state: str | None = None
    description: str | None = None
    created: Date | None = None
    username: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    projectid: str | None = None
    project: str | None = None
    parentid: str | None = None
    resourceid: str | None = None
    resourcename: str | None = None
    resourcetype: str | None = None
    archived: bool | None = None


class AsyncJob(Resource):
    """A job (`listAsyncJobs`, `queryAsyncJobResult`); `jobstatus` is 0 running, 1 done, 2 failed, 3 cancelled."""

    jobid: str
    jobstatus: int | None = None
    jobprocstatus: int | None = None
    jobresultcode: int | None = None
    jobresulttype: str | None = None
    jobresult: Any = None
    jobinstancetype: str | None = None
    jobinstanceid: str | None = None
    cmd: str | None = None
    created: Date | None = None
    completed: Date | None = None
    accountid: str | None = None
    account: str | None = None
    domainid: str | None = None
    domainpath: str | None = None
    userid: str | None = None
    managementserverid: str | None = None
    managementservername: str | None = None


class UsageRecord(Resource):
    """What was used of something within a time (`listUsageRecords`); `rawusage` is in hours, mostly."""

    usagetype: int
    usageid: str | None = None
    usage: str | None = None
    rawusage: float | None = None
    description: str | None = None
    startdate: Date | None = None
    enddate: Date | None = None
    account: str | None = None
    accountid: str | None = None
    domainid: str | None = None
    domain: str | None = None
    projectid: str | None = None
    project: str | None = None
    zoneid: str | None = None
    name: str | None = None
    type: str | None = None
    offeringid: str | None = None
    templateid: str | None = None
    virtualmachineid: str | None = None
    networkid: str | None = None
    cpunumber: int | None = None
    cpuspeed: int | None = None
    memory: int | None = None
    size: int | None = None
    virtualsize: int | None = None
    issourcenat: bool | None = None
    tags: list[Tag] | None = None
