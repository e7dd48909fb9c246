"""What is to be fetched, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import _mapping as mapping
from ._checks import check_hash, check_method, check_text, check_url, checked_configuration
from ._models import HttpMethod, RequestIn
from ._strategies import RequestCacheConfiguration


def asked_for(
    url: str,
    group_name: str | None,
    http_method: HttpMethod = "get",
    http_query_params: Mapping[str, Any] | None = None,
    http_request_body: Mapping[str, Any] | None = None,
    http_header_fields: Mapping[str, str] | None = None,
    info_description: str | None = None,
    info_link: str | None = None,
    cache_configuration: RequestCacheConfiguration | None = None,
    validation_hash_type: str = "md5",
) -> RequestIn:
    """The request as the server gets it; raises BuffyValueError for what would end it."""
    check_url(url)
    check_method(http_method)
    check_hash(validation_hash_type)
    for name, text in (("group_name", group_name), ("description", info_description), ("link", info_link)):
        check_text(name, text)
    return RequestIn(
        url=url,
        http_method=http_method,
        http_query_params=mapping.query(http_query_params),
        http_request_body=mapping.body(http_request_body),
        http_header_fields=mapping.headers(http_header_fields),
        group_name=group_name,
        description=info_description,
        documentation_link=info_link,
        cache_configuration=None if cache_configuration is None else checked_configuration(cache_configuration),
        validation_hash_type=validation_hash_type,
    )


def checked_request(asked: RequestIn) -> RequestIn:
    """The same, checked as it is now."""
    return asked_for(
        asked.url,
        asked.group_name,
        asked.http_method,
        asked.http_query_params,
        asked.http_request_body,
        asked.http_header_fields,
        asked.description,
        asked.documentation_link,
        asked.cache_configuration,
        asked.validation_hash_type,
    )
