"""One value as a cell or as JSON, with every digit that it has."""

from __future__ import annotations

import json
import math
from datetime import date
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """A value as a cell of a table or of CSV: numbers without an exponent, lists and objects as JSON, null empty."""
    if value is None:
        return ""
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    return json_text(value) if isinstance(value, list | dict) else value


def json_text(value: Any) -> str:
    """A value as JSON. A numeric is a number with exactly its digits; what is not finite is null."""
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(str(key))}:{json_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, date):
        return _quoted(value.isoformat())
    return json.dumps(value, ensure_ascii=False, default=str)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
