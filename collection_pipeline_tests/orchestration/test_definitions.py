"""What Dagster shows of the project: which assets, jobs, schedules and sensors there are, each explained."""

import dagster as dg
import pytest

from collection_pipeline.definitions import build_defs, defs
from collection_pipeline.settings.pipeline import simulated_accounts
from collection_pipeline.tables.schema.tables import metadata

ASSETS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
JOBS = {job.name: job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")}
AUTOMATIONS = {one.name: one for one in (*(defs.sensors or ()), *(defs.schedules or ()))}


def test_these_are_the_assets_the_jobs_and_what_runs_by_itself() -> None:
    assert set(ASSETS) == {"amazon_products", "ebay_listings", "ebay_sellers", "seller_count_snapshot"}
    assert set(JOBS) == {
        "category_collect",
        "sellers_count",
        *("collection_start", "collection_pause", "collection_resume", "collection_cancel"),
        *("sellers_add", "sellers_update", "sellers_remove", "sellers_bulk_add", "sellers_bulk_remove", "sellers_flag"),
        *("sellers_undo", "listings_judge", "sellers_import", "sellers_export"),
        "storage_purge",
    }
    assert set(AUTOMATIONS) == {
        *("catalogue_partitions", "start_collections", "finish_collections", "resume_collections"),
        *("notice_failures", "notice_collections", "send_alerts", "watch_freshness"),
        *("collect_new_categories", "import_dropped_files"),
        *("scheduled_collection", "purge_daily"),
    }


def test_what_costs_calls_is_off_until_somebody_switches_it_on() -> None:
    off = {
        name
        for name, one in AUTOMATIONS.items()
        if one.default_status in (dg.DefaultSensorStatus.STOPPED, dg.DefaultScheduleStatus.STOPPED)
    }
    assert off == {"scheduled_collection", "collect_new_categories"}


@pytest.mark.parametrize("name", sorted([*JOBS, *AUTOMATIONS]))
def test_every_job_sensor_and_schedule_says_what_it_does(name: str) -> None:
    described = JOBS.get(name) or AUTOMATIONS[name]
    assert len(described.description or "") > 30


@pytest.mark.parametrize("check", sorted(defs.resolve_asset_graph().asset_check_keys), ids=lambda check: check.name)
def test_every_check_says_what_it_checks(check: dg.AssetCheckKey) -> None:
    assert len(defs.resolve_asset_graph().get_check_spec(check).description or "") > 30


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_every_asset_is_described_with_its_table_its_columns_and_an_example(name: str) -> None:
    spec = ASSETS[name]
    assert "Example: `SELECT" in (spec.description or "")
    assert (spec.group_name, spec.owners) == ("collection", ["team:data"])
    assert spec.kinds
    assert "calls" in spec.tags
    table = metadata.tables[spec.metadata["dagster/table_name"].value.removeprefix("public.")]
    columns = spec.metadata["dagster/column_schema"].schema.columns
    assert [column.name for column in columns] == [column.name for column in table.columns]
    assert all(column.description for column in columns)
    assert spec.freshness_policy is not None


def described_in(environment: dict[str, str]) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in build_defs(environment).resolve_all_asset_specs()}


def test_simulated_data_are_named_as_such_on_every_assets_page() -> None:
    simulated = described_in(simulated_accounts("http://127.0.0.1:1"))
    assert all((spec.description or "").startswith("**SIMULATED DATA**") for spec in simulated.values())
    real = {"OXYLABS_USERNAME": "me", "OXYLABS_PASSWORD": "p", "EBAY_CLIENT_ID": "i", "EBAY_CLIENT_SECRET": "s"}
    assert not any("SIMULATED" in (spec.description or "") for spec in described_in(real).values())


def test_every_asset_leads_to_where_its_answers_are_shown() -> None:
    specs = described_in({"COLLECTION_FEED_URL": "http://127.0.0.1:8780"})
    assert {name: spec.metadata["dagster/uri"] for name, spec in specs.items()} == {
        "amazon_products": "http://127.0.0.1:8780/answer/products",
        "ebay_listings": "http://127.0.0.1:8780/answer/products",
        "ebay_sellers": "http://127.0.0.1:8780/answer/sellers",
        "seller_count_snapshot": "http://127.0.0.1:8780/answer",
    }


def test_wrong_settings_do_not_keep_the_definitions_from_loading() -> None:
    assert set(described_in({"COLLECTION_FEED_URL": "nowhere"})) == set(ASSETS)
