"""JSON schemas of our rows, as frames.py writes them: read from the types, so that they cannot disagree."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

Schema = dict[str, Any]


def schema_of(kind: Any) -> Schema:
    """The JSON schema of a type as frames.py writes it."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return object_of({field.name: schema_of(hints[field.name]) for field in fields(kind)}, kind.__doc__)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"type": "string", "enum": [*kind]}
    if get_origin(kind) in (Union, types.UnionType):
        return {"anyOf": [schema_of(one) for one in get_args(kind)]}
    if get_origin(kind) in (Sequence, list):
        return {"type": "array", "items": schema_of(get_args(kind)[0])}
    if get_origin(kind) in (Mapping, dict):
        return {"type": "object", "additionalProperties": schema_of(get_args(kind)[1])}
    return dict(_PLAIN[kind])


_PLAIN: dict[type, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    Decimal: {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    type(None): {"type": "null"},
}


def object_of(properties: Mapping[str, Schema], description: str | None = None) -> Schema:
    """An object that has all of these properties, and perhaps more."""
    schema: Schema = {"type": "object", "required": [*properties], "properties": dict(properties)}
    return schema | ({"description": description} if description else {})


def list_of(name: str, kind: Any) -> Schema:
    """An object with one property: a list of rows."""
    return object_of({name: {"type": "array", "items": schema_of(kind)}})
