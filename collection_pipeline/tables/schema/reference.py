"""docs/tables.md: every table, column, view and function as the database itself describes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

_INTRODUCTION = """\
# The tables

Made by `collection-pipeline database document` from the database itself, where the same descriptions stand as comments
(`\\d+ sellers` in psql). Views and functions are the stable part: a column of a view does not go unannounced.
"""

RELATIONS = sa.text("""
    SELECT c.oid, c.relname AS name, c.relkind = 'v' AS is_view, obj_description(c.oid) AS comment
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
      AND c.relname <> 'alembic_version'
    ORDER BY is_view, name
""")
COLUMNS = sa.text("""
    SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS is_required,
           col_description(a.attrelid, a.attnum) AS comment,
           coalesce(a.attnum = ANY(k.conkey), false) AS is_key
    FROM pg_attribute a LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'p'
    WHERE a.attrelid = :relation AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
""")
_FUNCTIONS = sa.text("""
    SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments, obj_description(p.oid) AS comment
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'public' AND obj_description(p.oid) IS NOT NULL
    ORDER BY name, arguments
""")


def tables_document(engine: sa.Engine) -> str:
    """The document as Markdown. Every table and view has a section, functions have one together."""
    with engine.connect() as connection:
        relations = connection.execute(RELATIONS).all()
        parts = [_INTRODUCTION]
        for heading, are_views in (("Tables", False), ("Views", True)):
            parts.append(f"## {heading}\n")
            parts += [_section(connection, one) for one in relations if one.is_view is are_views]
        parts.append("## Functions\n")
        functions = [f"- `{one.name}({one.arguments})`: {one.comment}" for one in connection.execute(_FUNCTIONS)]
        parts.append("\n".join(functions) + "\n")
    return "\n".join(parts)


def _section(connection: sa.Connection, relation: sa.Row[tuple[object, ...]]) -> str:
    columns = connection.execute(COLUMNS, {"relation": relation.oid}).all()
    table = _view_rows(columns) if relation.is_view else _table_rows(columns)
    return f"### {relation.name}\n\n{relation.comment}\n\n" + "\n".join(table) + "\n"


def _table_rows(columns: Sequence[sa.Row[tuple[object, ...]]]) -> Iterator[str]:
    yield "| column | type | meaning |"
    yield "| --- | --- | --- |"
    for one in columns:
        kind = f"{one.type}, key" if one.is_key else one.type if one.is_required else f"{one.type}, may be null"
        yield f"| `{one.name}` | {kind} | {one.comment} |"


def _view_rows(columns: Sequence[sa.Row[tuple[object, ...]]]) -> Iterator[str]:
    """A view's columns carry the meaning of the tables'."""
    yield "| column | type |"
    yield "| --- | --- |"
    for one in columns:
        yield f"| `{one.name}` | {one.type} |"
