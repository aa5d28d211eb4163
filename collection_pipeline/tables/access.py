"""Who may see what: three roles, and the database itself keeps one organisation's rows from another's analysts.

collection_pipeline   what runs collects and edits for all organisations; the audit log only grows for it
collection_analyst    reads, and only rows of the organisations that its login is given in the table `analysts`
collection_admin      everything, the table `analysts` included

They are group roles without a login. docs/access.md says how to give people theirs.
"""

from __future__ import annotations

from collections.abc import Iterator

from collection_pipeline.tables.schema import metadata
from collection_pipeline.tables.views import VIEWS

PIPELINE, ANALYST, ADMIN = "collection_pipeline", "collection_analyst", "collection_admin"

FOR_EVERYBODY = ("categories", "presets")
"""Tables about no organisation that analysts need to read the others."""

HIDDEN = ("api_usage", "source_rates", "erased_sellers", "purges", "best_seller_pages", "alerts")
"""Tables about no organisation, or about all together: analysts have no business with them."""

ONLY_GROWING = ("seller_audit_log", "seller_count_snapshots")
"""What has happened has happened: the pipeline cannot change it."""

_MINE = "org_id IN (SELECT a.org_id FROM analysts a WHERE a.role_name = current_user)"


def access_statements() -> Iterator[str]:
    """The statements that make the roles, their rights and the policies what they should be, whatever they were."""
    for role in (PIPELINE, ANALYST, ADMIN):
        yield _role(role)
        yield f"GRANT USAGE ON SCHEMA public TO {role}"
    for name, table in metadata.tables.items():
        yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
        yield f"GRANT ALL ON {name} TO {ADMIN}"
        yield f"REVOKE ALL ON {name} FROM {PIPELINE}, {ANALYST}"
        rights = "SELECT" if name == "analysts" else "SELECT, INSERT" if name in ONLY_GROWING else "ALL"
        yield f"GRANT {rights} ON {name} TO {PIPELINE}"
        yield from _policy(name, "everything", f"FOR ALL TO {PIPELINE}, {ADMIN} USING (true) WITH CHECK (true)")
        rows = readable_rows(name, set(table.columns.keys()))
        yield f"DROP POLICY IF EXISTS own_organisations ON {name}"
        if rows is not None:
            yield f"GRANT SELECT ON {name} TO {ANALYST}"
            yield f"CREATE POLICY own_organisations ON {name} FOR SELECT TO {ANALYST} USING ({rows})"
    for view in VIEWS:
        yield f"GRANT SELECT ON {view} TO {PIPELINE}, {ANALYST}, {ADMIN}"


def readable_rows(table: str, columns: set[str]) -> str | None:
    """Which rows of a table an analyst sees, as a condition; None where the table is hidden from them."""
    if table in HIDDEN:
        return None
    if table in FOR_EVERYBODY:
        return "true"
    if table == "analysts":
        return "role_name = current_user"
    if "org_id" in columns:
        return _MINE
    # The subquery obeys the policy of `collections`, which knows the organisation.
    return "collection_id IN (SELECT c.collection_id FROM collections c)"


def _policy(table: str, name: str, rule: str) -> Iterator[str]:
    yield f"DROP POLICY IF EXISTS {name} ON {table}"
    yield f"CREATE POLICY {name} ON {table} {rule}"


def _role(name: str) -> str:
    """Makes a role that is not there. Roles belong to the whole server, so that another database may have made it."""
    return f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN CREATE ROLE {name} NOLOGIN; END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'The role {name} does not exist and %% may not create it.', current_user
                USING HINT = 'Have an administrator run: CREATE ROLE {name} NOLOGIN';
        END $$
    """
