"""What Oxylabs is asked, and the job that it makes of it (docs/sources.md 2.1 and 2.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collection_pipeline.simulator.ebay.pages import SEARCH_ADDRESS, query_of
from collection_pipeline.simulator.faults import Fault

SOURCE = "amazon_bestsellers"
PAGE_SOURCE = "ebay"
LOCALES = ("en_US", "es_US", "ar_AE", "de_US", "he_IL", "ko_KR", "pt_BR", "zh_CN", "zh_TW")
LARGEST_BATCH = 5_000


class BadRequest(Exception):
    """A request that Oxylabs refuses with 400; it costs nothing."""

    def __init__(self, body: Mapping[str, object]) -> None:
        super().__init__(body)
        self.body = body


@dataclass(frozen=True)
class Query:
    """What one job was asked for: a browse node's best sellers, or the eBay page at `url`."""

    node: str
    start_page: int
    pages: int
    is_parsed: bool
    render: str | None
    domain: str
    locale: str | None
    geo_location: str | None
    context: tuple[Mapping[str, Any], ...]
    url: str | None = None

    @property
    def source(self) -> str:
        """The name of Oxylabs' source."""
        return SOURCE if self.url is None else PAGE_SOURCE

    @property
    def subject(self) -> str:
        """What it is about: the node, or the words that the eBay page searches for."""
        return self.node if self.url is None else query_of(self.url)

    @property
    def is_hopeless(self) -> bool:
        """Whether the job stays pending for ever: a category_id that is no number."""
        return any(
            each.get("key") == "category_id" and not str(each.get("value", "")).isdigit() for each in self.context
        )


@dataclass(frozen=True)
class Job:
    """One job: its query, when it was made and when it is done, and the fault that struck it."""

    id: str
    query: Query
    created: datetime
    done: datetime
    fault: Fault | None = None


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object that was sent. Raises BadRequest."""
    try:
        values = json.loads(body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise BadRequest({"message": "Json error: Unexpected value."})
    return values


def read_query(values: Mapping[str, Any]) -> Query:
    """Reads a request; keys that Oxylabs does not know are ignored without a word. Raises BadRequest."""
    if values.get("source") not in (SOURCE, PAGE_SOURCE):
        raise BadRequest({"message": "Unsupported source."})
    is_page = values["source"] == PAGE_SOURCE
    node = values.get("url" if is_page else "query")
    if not isinstance(node, str) or not node:
        raise BadRequest({"errors": [f"[{'url' if is_page else 'query'}]: This field is missing."]})
    if is_page and not node.startswith(SEARCH_ADDRESS):
        raise BadRequest({"message": "Unsupported url."})
    domain, locale = values.get("domain") or "com", values.get("locale")
    if locale is not None and locale not in LOCALES:
        supported = ", ".join(LOCALES)
        raise BadRequest(
            {"message": f"Unsupported `locale` value for `domain` `{domain}`. Supported locales are: {supported}."}
        )
    context = values.get("context") or []
    if not isinstance(context, list) or not all(isinstance(each, dict) for each in context):
        raise BadRequest({"message": "Json error: Unexpected value."})
    return Query(
        node="" if is_page else node,
        url=node if is_page else None,
        start_page=_count(values, "start_page"),
        pages=_count(values, "pages"),
        is_parsed=values.get("parse") is True and not is_page,  # "yes" silently becomes false; eBay has no parser
        render=values.get("render"),
        domain=domain,
        locale=locale,
        geo_location=values.get("geo_location"),
        context=tuple(context),
    )


def _count(values: Mapping[str, Any], name: str) -> int:
    value = values.get(name, 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise BadRequest({"message": f"Parameter `{name}` is invalid."})
    return value


def read_batch(values: Mapping[str, Any]) -> tuple[list[Query], list[dict[str, object]]]:
    """The queries of a batch, and an error for each value that makes none."""
    nodes = values.get("query")
    if not isinstance(nodes, list) or len(nodes) > LARGEST_BATCH:
        raise BadRequest({"message": "Parameter `query` is invalid."})
    queries: list[Query] = []
    errors: list[dict[str, object]] = []
    for node in nodes:
        try:
            queries.append(read_query({**values, "query": node}))
        except BadRequest as refusal:
            message = refusal.body.get("message")
            errors.append(
                {"message": message} if message else {"message": "Parameter `query` is invalid.", "query": node}
            )
    return queries, errors


def job_json(status: str, job: Job) -> dict[str, object]:
    """The 34 fields of a job; Push-Pull adds `_links`."""
    query = job.query
    return {
        "callback_url": None,
        "client_id": 123456,
        "context": [dict(each) for each in query.context],
        "created_at": timestamp(job.created),
        "domain": query.domain,
        "geo_location": query.geo_location,
        "id": job.id,
        "limit": 10,
        "locale": query.locale,
        "pages": query.pages,
        "parse": query.is_parsed,
        "parser_type": None,
        "parser_preset": None,
        "parsing_instructions": None,
        "browser_instructions": None,
        "render": query.render,
        "xhr": False,
        "markdown": False,
        "url": query.url,
        "query": query.node or None,
        "source": query.source,
        "start_page": query.start_page,
        "status": status,
        "storage_type": None,
        "storage_url": None,
        "subdomain": "www",
        "content_encoding": "utf-8",
        "updated_at": timestamp(job.created),
        "user_agent_type": "desktop",
        "session_info": None,
        "statuses": [],
        "client_notes": None,
        "store_id": None,
        "fulfillment_type": None,
    }


def timestamp(moment: datetime) -> str:
    """A time as Oxylabs writes it, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
