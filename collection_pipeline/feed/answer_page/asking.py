"""What the answer page asks for: filters in the address, and edits in the body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from starlette.requests import Request

from collection_pipeline.actions.judging import Verdict
from collection_pipeline.feed.answers import Refused
from collection_pipeline.feed.parameters import LONGEST_TEXT, decimal, moment, one_of, optional_number, text, yes_or_no
from collection_pipeline.files.export import Format
from collection_pipeline.tables.sellers.browsing import SellerFilter

MOST_CHOSEN = 1_000
"""Sellers that one edit may name."""

LONGEST_BODY = 400_000
"""Bytes: a thousand of the longest keys."""

LONGEST_ACTOR = 100


class Direction(StrEnum):
    """Which way a list is sorted."""

    UP = "asc"
    DOWN = "desc"


class Shown(StrEnum):
    """Whether removed sellers are shown."""

    ACTIVE = "active"
    REMOVED = "removed"
    ALL = "all"


class Changed(StrEnum):
    """Which sellers of two collections: those only the second saw, or only the first."""

    CAME = "came"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody asks to be done. Each edit needs some of it."""

    actor: str
    keys: Sequence[str] = ()
    is_flagged: bool = True
    audit_id: int | None = None
    format: Format = Format.CSV
    asin: str | None = None
    verdict: Verdict | None = None
    whole_view: SellerFilter | None = None
    """All sellers who fit, in place of `keys`."""


def is_descending(request: Request, *, default: bool) -> bool:
    """Whether a list is asked for from its end."""
    return one_of(request, "direction", Direction, Direction.DOWN if default else Direction.UP) is Direction.DOWN


def seller_filter(request: Request) -> SellerFilter:
    """Which sellers are asked for. Raises Refused for a value that makes no sense."""
    shown = one_of(request, "status", Shown, Shown.ACTIVE)
    return SellerFilter(
        words=text(request, "q"),
        category=text(request, "category"),
        new_in=text(request, "new_in"),
        since=moment(request, "since"),
        min_products=optional_number(request, "min_products"),
        min_feedback=optional_number(request, "min_feedback"),
        min_match=min_match(request),
        min_feedback_percent=decimal(request, "min_feedback_percent", least=0, most=100),
        is_flagged=yes_or_no(request, "flagged"),
        is_exported=yes_or_no(request, "exported"),
        status=None if shown is Shown.ALL else str(shown),
    )


def min_match(request: Request) -> Decimal | None:
    """The least match that is asked for. Raises Refused for what is none."""
    return decimal(request, "min_match", least=0, most=1)


async def edit_of(request: Request) -> Edit:
    """The edit in a request's body. Raises Refused for one that makes no sense."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise Refused(400, f"The request is longer than {LONGEST_BODY:,} bytes. Choose fewer sellers.")
    try:
        asked = json.loads(bytes(body))
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, "The request must be a JSON object; see /openapi.json.")
    return Edit(
        actor=_actor(asked.get("actor")),
        keys=_keys(asked.get("keys", [])),
        is_flagged=asked.get("is_flagged", True) is not False,
        audit_id=_audit_id(asked.get("audit_id")),
        format=_format(asked.get("format", Format.CSV)),
        asin=_asin(asked.get("asin")),
        verdict=_verdict(asked.get("verdict")),
        whole_view=seller_filter(request) if asked.get("whole_view") is True else None,
    )


def _actor(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_ACTOR or not value.isprintable():
        raise Refused(400, f"`actor` must say who asks, in at most {LONGEST_ACTOR} characters.")
    return value.strip()


def _keys(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one and "\0" not in one for one in value):
        raise Refused(400, "`keys` must be a list of sellers' keys, or of listings' numbers.")
    if len(value) > MOST_CHOSEN:
        raise Refused(400, f"`keys` names {len(value):,} sellers; one edit may name {MOST_CHOSEN:,}.")
    return tuple(dict.fromkeys(value))


def _audit_id(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63):
        return value
    raise Refused(400, "`audit_id` must be the number of a change.")


def _asin(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value and "\0" not in value and len(value) <= LONGEST_TEXT):
        return value
    raise Refused(400, "`asin` must be the number of a product.")


def _verdict(value: Any) -> Verdict | None:
    try:
        return None if value is None else Verdict(value)
    except ValueError:
        raise Refused(400, f"`verdict` must be one of {', '.join(Verdict)}.") from None


def _format(value: Any) -> Format:
    try:
        return Format(value)
    except ValueError:
        raise Refused(400, f"`format` must be one of {', '.join(Format)}.") from None
