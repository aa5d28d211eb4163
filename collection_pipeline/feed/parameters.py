"""What is asked in an address, read and checked: a value that makes no sense is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request

from collection_pipeline.feed.answers import Refused

LONGEST_TEXT = 300
"""Characters of a value that somebody may search for or name."""

E = TypeVar("E", bound=StrEnum)
OrgT = TypeVar("OrgT", str, str | None)


def shown_org(request: Request) -> str | None:
    """The one organisation that this reader's token shows; None for a reader who is shown all."""
    org_id: str | None = getattr(request.state, "org_id", None)
    return org_id


def may_control(request: Request) -> bool:
    """Whether this reader may pause and cancel collections, and edit the list."""
    return getattr(request.state, "may_control", False) is True


def require_control(request: Request) -> None:
    """Raises Refused for a reader who may only look."""
    if not may_control(request):
        raise Refused(
            403,
            "You may only look here. Open the page by the address that `up` prints, or start the server with "
            "COLLECTION_FEED_CONTROL=true and a token.",
        )


def org_of(request: Request, default: OrgT) -> str | OrgT:
    """Whose rows are asked for. Raises Refused for an organisation that the token does not show."""
    asked, shown = text(request, "org_id"), shown_org(request)
    if shown is not None and asked not in (None, shown):
        raise Refused(403, "This token shows another organisation.")
    return shown or asked or default


def text(request: Request, name: str) -> str | None:
    """A text; None where there is none."""
    value = request.query_params.get(name, "").strip()
    if len(value) > LONGEST_TEXT:
        raise Refused(400, f"{name} has {len(value)} characters; at most {LONGEST_TEXT} are possible.")
    return value or None


def needed(request: Request, name: str) -> str:
    """A text that has to be there."""
    value = text(request, name)
    if value is None:
        raise Refused(400, f"{name} is missing; see /openapi.json.")
    return value


def one_of(request: Request, name: str, kind: type[E], default: E) -> E:
    """One word of several."""
    value = text(request, name)
    if value is None:
        return default
    try:
        return kind(value)
    except ValueError:
        raise Refused(400, f"{name} is {value[:40]!r}; it must be one of {', '.join(kind)}.") from None


def yes_or_no(request: Request, name: str) -> bool | None:
    """Whether; None where it does not matter."""
    value = text(request, name)
    if value not in (None, "yes", "no"):
        raise Refused(400, f"{name} is {value[:40]!r}; it must be yes or no.")
    return None if value is None else value == "yes"


def moment(request: Request, name: str) -> datetime | None:
    """A day or a moment; one without a time zone is in UTC."""
    value = text(request, name)
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(400, f"{name} is {value[:40]!r}; it must be a day such as 2026-01-31.") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def decimal(request: Request, name: str, *, least: int, most: int) -> Decimal | None:
    """A number, perhaps with a fraction."""
    value = text(request, name)
    if value is None:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not least <= number <= most:
        raise Refused(400, f"{name} is {value[:40]!r}; it must be a number from {least} to {most}.")
    return number


def optional_number(request: Request, name: str, *, least: int = 0, most: int = 2**31 - 1) -> int | None:
    """A whole number; None where there is none."""
    value = text(request, name)
    return None if value is None else parsed_number(value, name, least=least, most=most)


def whole_number(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    """A whole number."""
    value = request.query_params.get(name)
    return default if not value else parsed_number(value, name, least=least, most=most)


def parsed_number(text: str, name: str, *, least: int, most: int) -> int:
    """The whole number that a text says. Raises Refused."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or not least <= int(text) <= most:
        raise Refused(400, f"{name} is {text[:40]!r}; it must be a whole number from {least} to {most}.")
    return int(text)
