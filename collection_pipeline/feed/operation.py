"""One address of the server as the tables of addresses hold it (operations.py, answer_page/operations.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from collection_pipeline.feed.schemas import Schema


@dataclass(frozen=True)
class Parameter:
    """One value that may be given in the query or a header; where it has to be, with an example."""

    name: str
    what: str
    schema: Schema
    place: str = "query"
    example: str | None = None


@dataclass(frozen=True)
class Operation:
    """One address: how it is asked, which endpoint answers, and what the answer looks like."""

    method: str
    path: str
    endpoint: Callable[[Any, Request], Awaitable[Response]]
    summary: str
    answer: Schema
    parameters: Sequence[Parameter] = ()
    media_type: str = "application/json"
    body: Schema | None = None


def limit_parameter(default: int, most: int) -> Parameter:
    """How many rows are wanted."""
    return Parameter(
        "limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    )
