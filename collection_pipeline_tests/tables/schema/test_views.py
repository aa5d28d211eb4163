"""What consumers build on: the views' columns stay, with their names and types. New ones come at the end."""

import pytest

from collection_pipeline.tables.schema.views import VIEWS
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.tables.examples import rows

COLUMNS = {
    "category_sellers": """
        org_id text, category text, asin text, position integer, marketplace text, seller_key text, display_name text,
        match numeric
    """,
    "collection_failures": """
        collection_id text, unit text, category text, asin text, reason text, error_stage text, error_message text,
        failed_at timestamp with time zone
    """,
    "collection_plan_results": """
        collection_id text, org_id text, category text, status text, budget_calls integer, planned_searches integer,
        searches bigint, planned_calls integer, calls bigint, expected_new_sellers numeric, expected_low numeric,
        expected_high numeric, new_sellers integer, planned_left_out jsonb, left_out jsonb
    """,
    "collection_progress": """
        collection_id text, org_id text, status text, started_at timestamp with time zone,
        completed_at timestamp with time zone, departments bigint, categories_total bigint, categories_listed bigint,
        categories_done bigint, categories_failed bigint, products_found bigint, searches_total bigint,
        searches_done bigint, searches_failed bigint, searches_skipped bigint, listings_found bigint,
        sellers_found bigint, new_sellers bigint, calls bigint, cost numeric, cost_cap numeric, failures jsonb,
        searches_per_minute double precision, time_left interval, paused_reason text,
        paused_until timestamp with time zone
    """,
    "list_timeline": """
        org_id text, happened_at timestamp with time zone, kind text, action text, actor text, source text,
        collection_id text, affected_count integer, seller_count bigint, audit_id bigint
    """,
    "seller_history": """
        org_id text, marketplace text, seller_key text, display_name text, status text, note text, is_flagged boolean,
        changed_at timestamp with time zone, action text, actor text, source text, collection_id text,
        from_audit_id bigint, to_audit_id bigint
    """,
    "seller_overview": """
        org_id text, marketplace text, seller_key text, display_name text, status text, is_flagged boolean,
        products integer, best_sellers integer, categories integer, matched_products integer, best_match numeric
    """,
}


def test_no_view_is_without_its_promise(store: Store) -> None:
    there = rows(store, "SELECT table_name FROM information_schema.views WHERE table_schema = 'public'")
    assert {name for (name,) in there} == set(COLUMNS)
    assert set(VIEWS) <= set(COLUMNS)


@pytest.mark.parametrize("view", sorted(COLUMNS))
def test_a_views_columns_stay_as_consumers_know_them(store: Store, view: str) -> None:
    promised = [column.strip() for column in COLUMNS[view].split(",")]
    there = rows(
        store,
        f"SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = '{view}' "
        "AND table_schema = 'public' ORDER BY ordinal_position",
    )
    assert [column for (column,) in there][: len(promised)] == promised
