"""How the output tables appear in Dagster: names, columns with their meaning, previews."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import dagster as dg
import sqlalchemy as sa

from collection_pipeline.core.watching.answer_links import new_sellers_address


def table_metadata(table: sa.Table) -> Mapping[str, dg.MetadataValue]:
    """A table's name and columns for an asset's definition, from the one place that describes them: the schema."""
    columns = [
        dg.TableColumn(
            name=column.name,
            type=str(column.type.compile()).lower(),
            description=column.comment,
            constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=False),
        )
        for column in table.columns
    ]
    return {
        "dagster/table_name": dg.MetadataValue.text(f"public.{table.name}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns=columns)),
    }


def collection_metadata(collection_id: str | None, feed_url: str | None) -> Mapping[str, dg.MetadataValue]:
    """Which collection a materialization belongs to, and where to watch it, if the live activity page is known."""
    known: dict[str, dg.MetadataValue] = {"collection": dg.MetadataValue.text(collection_id or "–")}
    if collection_id is not None and feed_url is not None:
        known["new_sellers_page"] = dg.MetadataValue.url(new_sellers_address(feed_url, collection_id))
        known["live_activity"] = dg.MetadataValue.url(f"{feed_url}/?collection={quote(collection_id)}")
    return known


def preview(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dg.MetadataValue:
    """A few rows as a table. Marketplace texts stay texts: nothing in them is taken for markup."""
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in columns])
    records = [dg.TableRecord({name: _cell(value) for name, value in zip(columns, row, strict=True)}) for row in rows]
    return dg.MetadataValue.table(records, schema=schema)


def _cell(value: object) -> str | int | float | bool:
    if value is None:
        return "–"
    return value if isinstance(value, str | int | float | bool) else str(value)
