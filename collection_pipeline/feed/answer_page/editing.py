"""Edits of the seller list that the answer page asks for, where this server may control."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from starlette.responses import Response

from collection_pipeline.actions.importing import export_file
from collection_pipeline.actions.judging import judge
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.feed.answer_page.asking import Edit
from collection_pipeline.feed.answer_page.rows import Edited, Judged
from collection_pipeline.feed.answers import Refused, answer
from collection_pipeline.files.export import Format
from collection_pipeline.tables.sellers import edits
from collection_pipeline.tables.sellers.browsing import SellerBrowser, SellerFilter
from collection_pipeline.tables.sellers.edits import Author
from collection_pipeline.tables.sellers.exports import Selection
from collection_pipeline.tables.store import Store

HERE = "on the answer page"

MOST_EXPORTED = 50_000
"""Sellers of a view that one export holds: more take longer than a browser waits."""

_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON: "application/json",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Editing:
    """Flags, removes, exports, judges, undoes. Each raises PipelineError for a refusal, having changed nothing."""

    def __init__(self, config: FeedConfig, store: Store) -> None:
        self._config, self._store = config, store

    def flag(self, org_id: str, asked: Edit) -> Response:
        """Flags sellers, or takes their flags away."""
        return _told(self._store.edits.flag(org_id, asked.keys, _by(asked), is_flagged=asked.is_flagged))

    def remove(self, org_id: str, asked: Edit) -> Response:
        """Takes sellers off the list."""
        return _told(self._store.edits.remove(org_id, asked.keys, _by(asked)))

    def undo(self, org_id: str, asked: Edit) -> Response:
        """Takes an earlier edit back."""
        if asked.audit_id is None:
            raise Refused(400, "`audit_id` must be the number of a change.")
        return _told(self._store.edits.undo(org_id, asked.audit_id, _by(asked), datetime.now(UTC)))

    def judge(self, org_id: str, asked: Edit) -> Response:
        """Says whether listings are the product they were found for, or takes that back."""
        if asked.asin is None or asked.verdict is None or not asked.keys:
            raise Refused(400, "`asin`, `keys` and `verdict` must say which listings are, or are not, which product.")
        return answer(Judged(judge(self._store, org_id, asked.keys, asked.verdict, asked.actor, asin=asked.asin)))

    def export(self, org_id: str, asked: Edit) -> Response:
        """The chosen sellers as a file, or all of a view; that they were exported is written down."""
        view = asked.whole_view
        keys = asked.keys if view is None else self._of_view(org_id, view)
        if not keys:
            raise PipelineError("Nothing was exported: choose at least one seller.")
        name = f"sellers-{datetime.now(UTC):%Y%m%d-%H%M%S}.{asked.format}"
        with tempfile.TemporaryDirectory(prefix="collection_pipeline_export_") as folder:
            file = Path(folder) / name
            export_file(
                self._store,
                org_id,
                Selection(keys=tuple(keys), with_removed=view is not None and view.status != "active"),
                file,
                asked.format,
                asked.actor,
                self._config.exported_naming,
                are_names_hashed=self._config.are_exported_names_hashed,
                is_simulated=self._config.has_simulated_data,
            )
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response(file.read_bytes(), headers=headers, media_type=_TYPES[asked.format])

    def _of_view(self, org_id: str, wanted: SellerFilter) -> Sequence[str]:
        keys = SellerBrowser(self._store.engine).keys(org_id, wanted, MOST_EXPORTED)
        if len(keys) > MOST_EXPORTED:
            raise PipelineError(
                f"More than {MOST_EXPORTED:,} sellers fit. Take them in parts, or export the list with "
                "`collection-pipeline sellers export`."
            )
        return keys


def _by(asked: Edit) -> Author:
    return Author(asked.actor, detail=HERE)


def _told(edit: edits.Edit) -> Response:
    return answer(Edited(edit.audit_id, str(edit.action), edit.affected, edit.seller_count))
