"""The catalogue in force."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from collection_pipeline.core.catalogue import Catalogue, Category, Preset
from collection_pipeline.tables.schema.notices import DAEMON, announce
from collection_pipeline.tables.schema.tables import categories, presets


class CatalogueStore:
    """Keeps the catalogue that was last loaded."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def load(self, catalogue: Catalogue) -> None:
        """Puts a catalogue in force, whole. Categories that it no longer has are retired, not deleted."""
        rows = [
            {
                "category": category.key,
                "name": category.name,
                "department": category.department,
                "department_name": category.department_name,
                "node": category.node,
                "position": position,
                "retired_at": None,
            }
            for position, category in enumerate(catalogue.categories.values(), start=1)
        ]
        upsert = insert(categories)
        upsert = upsert.on_conflict_do_update(
            index_elements=[categories.c.category],
            set_={name: upsert.excluded[name] for name in rows[0] if name != "category"},
        )
        gone = categories.c.category.not_in([row["category"] for row in rows]) & categories.c.retired_at.is_(None)
        with self._engine.begin() as connection:
            connection.execute(upsert, rows)
            connection.execute(categories.update().where(gone).values(retired_at=sa.func.now()))
            connection.execute(presets.delete())
            for position, preset in enumerate(catalogue.presets.values(), start=1):
                connection.execute(
                    presets.insert().values(
                        preset=preset.key,
                        name=preset.name,
                        description=preset.description,
                        categories=list(preset.categories),
                        position=position,
                    )
                )
            announce(connection, DAEMON)

    def current(self) -> Catalogue:
        """The catalogue in force; without any category if none was ever loaded."""
        with self._engine.connect() as connection:
            in_force = connection.execute(
                categories.select().where(categories.c.retired_at.is_(None)).order_by(categories.c.position)
            ).all()
            sets = connection.execute(presets.select().order_by(presets.c.position)).all()
        return Catalogue(
            {
                row.category: Category(row.category, row.name, row.node, row.department, row.department_name)
                for row in in_force
            },
            {row.preset: Preset(row.preset, row.name, row.description, tuple(row.categories)) for row in sets},
        )
