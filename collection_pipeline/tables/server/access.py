"""Who may see what: four roles, and the database itself keeps one organisation's rows from another's analysts.

collection_pipeline   what runs collects and edits for all organisations; what has happened only grows for it
collection_analyst    reads, and only rows of the organisations that its login is given in the table `analysts`
collection_reader     reads the rows of all organisations
collection_admin      everything, the table `analysts` included

They are group roles without a login. docs/access.md says how to give people theirs. None of them may do more to a table
than SELECT, INSERT, UPDATE and DELETE: a trigger, for one, would run with the rights of whoever fires it next.
"""

from __future__ import annotations

from collections.abc import Iterator

from collection_pipeline.tables.schema.event_partitions import SIGNATURES
from collection_pipeline.tables.schema.figures import TRIGGER_FUNCTIONS
from collection_pipeline.tables.schema.tables import metadata
from collection_pipeline.tables.schema.views import VIEWS

PIPELINE, ANALYST, ADMIN = "collection_pipeline", "collection_analyst", "collection_admin"
READER = "collection_reader"
_ROLES = f"{PIPELINE}, {ANALYST}, {ADMIN}"

FOR_EVERYBODY = ("categories", "presets")
"""Tables about no organisation that analysts need to read the others."""

INTERNAL = ("locks", "requests_in_flight", "run_leases", "activity_channel")
"""Tables that belong to the working of the product. Who may use them can hold its locks, and hear its announcements."""

HIDDEN = ("api_usage", "source_rates", "erased_sellers", "purges", "best_seller_pages", "alerts", *INTERNAL)
"""Tables about no organisation, or about all together: analysts have no business with them."""

ONLY_GROWING = ("seller_audit_log", "seller_count_snapshots", "purges")
"""What has happened has happened: the pipeline cannot change it."""

ONLY_READ = (
    "analysts",
    "erased_sellers",
    "seller_versions",
    "activity_channel",
    "product_figures",
    "seller_products",
    "seller_categories",
    "seller_figures",
)
"""What administrators keep, or the database itself, as it does seller_versions and all figures."""

EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"

_MINE = "org_id IN (SELECT a.org_id FROM analysts a WHERE a.role_name = current_user)"

_SCHEMA_VERSION = "alembic_version"
"""Every login has to see whether the schema is that of its code."""


def access_statements() -> Iterator[list[str]]:
    """The statements that make the roles, their rights and the policies what they should be, whatever they were.

    Each list is for one transaction, so that nobody loses a right for a moment, and none locks two tables.
    """
    yield [*_roles()]
    for name, table in metadata.tables.items():
        yield [*_table_statements(name, readable_rows(name, set(table.columns.keys())))]
    for relation in (*VIEWS, _SCHEMA_VERSION):
        yield [
            f"REVOKE ALL ON {relation} FROM PUBLIC, {_ROLES}",
            f"GRANT SELECT ON {relation} TO {_ROLES}",
            _where_the_reader_exists(
                f"REVOKE ALL ON {relation} FROM {READER}", f"GRANT SELECT ON {relation} TO {READER}"
            ),
        ]
    yield [*_function_statements(), _KEEP_FUNCTIONS_FROM_QUERIES]


def _roles() -> Iterator[str]:
    for role in (PIPELINE, ANALYST, ADMIN):
        yield _role(role, is_needed=True)
        yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield _role(READER, is_needed=False)
    yield _where_the_reader_exists(f"GRANT USAGE ON SCHEMA public TO {READER}")
    # On a server that was made by Postgres 14 or older, everybody may create what the owner then calls by mistake.
    yield f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {_ROLES}"


def _table_statements(name: str, rows: str | None) -> Iterator[str]:
    """`rows` are those that analysts see."""
    yield f"REVOKE ALL ON {name} FROM PUBLIC, {_ROLES}"
    yield _block(_SECURED.format(name))
    yield f"GRANT {EVERYTHING} ON {name} TO {ADMIN}"
    yield f"GRANT {_rights(name)} ON {name} TO {PIPELINE}"
    yield _block(_policy(name, "everything", f"FOR ALL TO {PIPELINE}, {ADMIN} USING (true) WITH CHECK (true)"))
    if rows is None:
        yield _block(_without_policy(name, "own_organisations"))
    else:
        yield f"GRANT SELECT ON {name} TO {ANALYST}"
        yield _block(_policy(name, "own_organisations", f"FOR SELECT TO {ANALYST} USING ({rows})"))
    yield _where_the_reader_exists(
        f"REVOKE ALL ON {name} FROM {READER}",
        *([] if name in INTERNAL else [f"GRANT SELECT ON {name} TO {READER}"]),
        _policy(name, "all_organisations", f"FOR SELECT TO {READER} USING (true)"),
    )


def _function_statements() -> Iterator[str]:
    # Attached to a table of a stranger's it would write what that table is told, with the rights of the owner.
    for function in ("keep_seller_versions()", *TRIGGER_FUNCTIONS):
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
    for function in ("lock_figures(text, text[])", "refresh_figures(text, text[])", *SIGNATURES):
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {function} TO {PIPELINE}, {ADMIN}"


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


def _rights(table: str) -> str:
    if table in ONLY_READ:
        return "SELECT"
    return "SELECT, INSERT" if table in ONLY_GROWING else EVERYTHING


# Changing policies locks a table for everybody. So each carries its rule as a comment, and only others are replaced:
# what migrates at every start then waits for nobody, and nobody for it.
_SECURED = """
    IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = '{0}'::regclass) THEN
        ALTER TABLE {0} ENABLE ROW LEVEL SECURITY;
    END IF
"""


def _policy(table: str, name: str, rule: str) -> str:
    comment = "'" + rule.replace("'", "''") + "'"
    return f"""
        IF NOT EXISTS (
            SELECT FROM pg_policy WHERE polrelid = '{table}'::regclass AND polname = '{name}'
            AND obj_description(oid, 'pg_policy') = {comment}
        ) THEN
            DROP POLICY IF EXISTS {name} ON {table};
            CREATE POLICY {name} ON {table} {rule};
            COMMENT ON POLICY {name} ON {table} IS {comment};
        END IF
    """


def _without_policy(table: str, name: str) -> str:
    return f"""
        IF EXISTS (SELECT FROM pg_policy WHERE polrelid = '{table}'::regclass AND polname = '{name}') THEN
            DROP POLICY {name} ON {table};
        END IF
    """


def _block(statement: str) -> str:
    return f"DO $$ BEGIN {statement}; END $$"


def _role(name: str, *, is_needed: bool) -> str:
    """Makes a role that is not there. Roles belong to the whole server, so that another database may have made it."""
    refusal = f"""
        RAISE EXCEPTION 'The role {name} does not exist and %% may not create it.', current_user
        USING HINT = 'Have an administrator run: CREATE ROLE {name} NOLOGIN'
    """
    return f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN CREATE ROLE {name} NOLOGIN; END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN {refusal if is_needed else "NULL"};
        END $$
    """


def _where_the_reader_exists(*statements: str) -> str:
    return f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN {"; ".join(statements)}; END IF;
        END $$
    """


# Every login may call these by default, in a SELECT as well. They belong to a superuser, who alone can take them away;
# done only in a database that holds nothing else, because other programs may rely on them.
_KEEP_FUNCTIONS_FROM_QUERIES = f"""
    DO $$ DECLARE called text; BEGIN
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR EXISTS (
            SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%'
              AND c.relname NOT IN ({", ".join(repr(name) for name in (*metadata.tables, _SCHEMA_VERSION))})
        ) THEN RETURN; END IF;
        FOR called IN
            SELECT oid::regprocedure::text FROM pg_proc
            WHERE pronamespace = 'pg_catalog'::regnamespace AND (proname LIKE '%%advisory%%' OR proname IN (
                'pg_notify', 'pg_logical_emit_message', 'pg_terminate_backend', 'pg_cancel_backend'))
        LOOP
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %%s FROM PUBLIC', called);
        END LOOP;
        GRANT EXECUTE ON FUNCTION pg_notify(text, text) TO {PIPELINE}, {ADMIN};
    END $$
"""  # noqa: S608
