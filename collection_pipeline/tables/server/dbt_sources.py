"""The tables and views as dbt sources: what the database says of them, with the tests that its constraints imply."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import yaml

from collection_pipeline.tables.schema.reference import COLUMNS, RELATIONS
from collection_pipeline.tables.server.access import HIDDEN

SOURCE = "collection_pipeline"
"""What models call it: `{{ source('collection_pipeline', 'seller_overview') }}`."""

_REFERENCES = sa.text("""
    SELECT a.attname AS name, f.relname AS target, b.attname AS field
    FROM pg_constraint k
    JOIN pg_class f ON f.oid = k.confrelid
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
    WHERE k.conrelid = :relation AND k.contype = 'f' AND cardinality(k.conkey) = 1
""")


def dbt_sources(engine: sa.Engine) -> str:
    """A `sources.yml` of dbt for everything that analysts may read."""
    with engine.connect() as connection:
        tables = [
            _table(connection, relation)
            for relation in connection.execute(RELATIONS).all()
            if relation.name not in HIDDEN
        ]
    source = {
        "name": SOURCE,
        "description": "Which eBay sellers sell the products that sell best on Amazon.",
        "schema": "public",
        "tables": tables,
    }
    document: str = yaml.safe_dump({"version": 2, "sources": [source]}, sort_keys=False, width=120, allow_unicode=True)
    return f"# Made by `collection-pipeline database document --dbt` from the database itself.\n{document}"


def _table(connection: sa.Connection, relation: sa.Row[tuple[object, ...]]) -> dict[str, Any]:
    columns = connection.execute(COLUMNS, {"relation": relation.oid}).all()
    references = {one.name: one for one in connection.execute(_REFERENCES, {"relation": relation.oid})}
    keys = [column.name for column in columns if column.is_key]
    made = []
    for column in columns:
        tests: list[Any] = ["not_null"] if column.is_required else []
        if keys == [column.name]:
            tests.append("unique")
        if target := references.get(column.name):
            to = f"source('{SOURCE}', '{target.target}')"
            tests.append({"relationships": {"arguments": {"to": to, "field": target.field}}})
        made.append(_named(column.name, column.comment) | {"data_type": column.type} | _tested(tests))
    return _named(relation.name, relation.comment) | {"columns": made}


def _named(name: str, comment: str | None) -> dict[str, Any]:
    return {"name": name} | ({} if comment is None else {"description": comment})


def _tested(tests: list[Any]) -> dict[str, Any]:
    return {"data_tests": tests} if tests else {}
