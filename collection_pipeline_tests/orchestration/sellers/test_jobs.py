"""The seller list edited from the Dagster UI: real runs of the jobs, their events, and what a refusal leaves."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from collection_pipeline_tests.orchestration.conftest import Pipeline


def run(pipeline: Pipeline, job: str, **config: Any) -> dg.ExecuteInProcessResult:
    return pipeline.run(None, collection_id=None, job=job, config=config)


def observed(pipeline: Pipeline) -> list[dict[str, Any]]:
    """What the asset's events say, oldest first."""
    records = pipeline.instance.fetch_observations(dg.AssetKey("ebay_sellers"), limit=100).records
    return [
        {name: value.value for name, value in record.asset_observation.metadata.items()}
        for record in reversed(records)
        if record.asset_observation
    ]


def test_every_edit_is_a_job_with_its_event_and_its_count(pipeline: Pipeline) -> None:
    assert run(pipeline, "sellers_add", name="alpha", note="a note", actor="anna").success
    assert run(pipeline, "sellers_bulk_add", names=["beta", "gamma", "delta"]).success
    assert run(pipeline, "sellers_update", name="ALPHA", rename="Alpha Ltd").success
    assert run(pipeline, "sellers_flag", names=["beta"]).success
    assert run(pipeline, "sellers_remove", name="gamma").success
    assert run(pipeline, "sellers_bulk_remove", names=["beta", "delta"]).success
    assert run(pipeline, "sellers_undo", audit_id=6).success
    expected = [
        ("added", 1, 1),
        ("bulk_added", 3, 4),
        ("updated", 1, 4),
        ("flagged", 1, 4),
        ("removed", 1, 3),
        ("bulk_removed", 2, 1),
        ("undone", 2, 3),
    ]
    log = "SELECT action, affected_count, seller_count_snapshot FROM seller_audit_log ORDER BY id"
    assert pipeline.rows(log) == expected
    events = [(event["action"], event["affected"], event["seller_count"]) for event in observed(pipeline)]
    assert events == expected
    assert pipeline.rows("SELECT seller_count FROM seller_count_snapshots ORDER BY id") == [
        (count,) for _, _, count in expected
    ]
    assert pipeline.rows("SELECT actor FROM seller_audit_log WHERE id = 1") == [("anna",)]


def test_listings_are_judged_and_the_event_names_nobody(pipeline: Pipeline) -> None:
    with pipeline.store.engine.begin() as connection:
        connection.execute(
            sa.text("""
                INSERT INTO ebay_listings (org_id, asin, listing_id, marketplace, seller_key, seller_name, title, price,
                    currency, condition_id, is_fixed_price, is_delivery_free, country, url, first_collection_id,
                    last_collection_id)
                VALUES ('default', 'A', '1', 'ebay', 'ann', 'ann', 'Title', 1, 'USD', '1000', true, true, 'US', '',
                        'c', 'c')
            """)
        )
    assert run(pipeline, "listings_judge", listing_ids=["1"], verdict="REJECT", reason="a lid", actor="eve").success
    shown = "SELECT match::float8, match_reasons FROM ebay_listings"
    assert pipeline.rows(shown) == [(0.0, "rejected by eve: a lid")]
    assert not run(pipeline, "listings_judge", listing_ids=["1", "2\0"], verdict="CONFIRM").success
    assert run(pipeline, "listings_judge", listing_ids=["1"], verdict="UNDO").success
    assert pipeline.rows(shown) == [(None, None)]
    records = pipeline.instance.fetch_observations(dg.AssetKey("ebay_listings"), limit=10).records
    said = [record.asset_observation.metadata for record in records if record.asset_observation]
    assert [{name: value.value for name, value in one.items()} for one in reversed(said)] == [
        {"verdict": "reject", "listings": 1},
        {"verdict": "undo", "listings": 1},
    ]


def test_a_refused_edit_fails_its_run_in_one_sentence_and_changes_nothing(pipeline: Pipeline) -> None:
    assert run(pipeline, "sellers_add", name="alpha").success
    refused = run(pipeline, "sellers_bulk_add", names=["beta", "Alpha"])
    assert not refused.success
    [failure] = [event for event in refused.all_events if event.is_step_failure]
    assert "row 2, 'Alpha' is on the list already" in str(failure.step_failure_data.user_failure_data)
    assert pipeline.sellers() == {"alpha"}
    assert len(observed(pipeline)) == 1


@pytest.mark.parametrize(
    ("job", "config"),
    [
        ("sellers_add", {"name": ""}),
        ("sellers_bulk_remove", {"names": []}),
        ("sellers_undo", {"audit_id": 0}),
        ("collection_start", {"min_markup_percent": 99_999.0}),
        ("collection_start", {"cost_cap": -1.0}),
        ("sellers_export", {"file": "x" * 201}),
    ],
)
def test_a_launch_beyond_its_bounds_is_refused_before_there_is_a_run(
    pipeline: Pipeline, job: str, config: dict[str, Any]
) -> None:
    with pytest.raises(dg.DagsterUserCodeExecutionError) as refused:
        run(pipeline, job, **config)
    assert next(iter(config)) in str(refused.value.__cause__)
    assert pipeline.instance.get_runs() == []


def test_events_of_edits_hold_no_names(pipeline: Pipeline) -> None:
    run(pipeline, "sellers_add", name="shy_seller", note="shy_note")
    assert "shy" not in str(observed(pipeline))


def test_a_list_can_be_edited_for_another_organisation(pipeline: Pipeline) -> None:
    run(pipeline, "sellers_add", name="alpha", organisation="acme")
    assert pipeline.rows("SELECT org_id FROM sellers") == [("acme",)]


def test_an_import_says_what_it_would_do_before_it_does_it(pipeline: Pipeline, tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_text("name;note\nalpha;met there\nbeta;\n")
    assert run(pipeline, "sellers_import", file=str(file)).success
    assert pipeline.sellers() == set()
    assert run(pipeline, "sellers_import", file=str(file), only_dry_run=False).success
    assert pipeline.sellers() == {"alpha", "beta"}
    assert [event["action"] for event in observed(pipeline)] == ["imported"]


def test_an_export_is_a_file_an_event_and_a_row(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTION_EXPORTS", str(tmp_path / "exports"))
    run(pipeline, "sellers_bulk_add", names=["alpha", "beta"])
    run(pipeline, "sellers_flag", names=["beta"])
    assert run(pipeline, "sellers_export", file="flagged.csv", only_flagged=True).success
    file = tmp_path / "exports" / "flagged.csv"
    assert observed(pipeline)[-1]["file"] == str(file)
    assert "beta" in file.read_text()
    assert "alpha" not in file.read_text()
    assert pipeline.rows("SELECT file, selection, sellers FROM seller_exports") == [("flagged.csv", "flagged", 1)]
    assert pipeline.rows("SELECT seller_key FROM sellers WHERE exported_at IS NOT NULL") == [("beta",)]


def test_a_removed_seller_returns_only_where_the_policy_says_so(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pipeline.run("home-coffee").success
    found = pipeline.sellers()
    gone = min(found)
    assert run(pipeline, "sellers_remove", name=gone).success
    assert pipeline.run("home-coffee", collection_id="c2").success
    assert pipeline.sellers() == found - {gone}
    monkeypatch.setenv("COLLECTION_REMOVED_SELLERS", "return")
    assert pipeline.run("home-coffee", collection_id="c3").success
    assert pipeline.sellers() == found


def test_hashed_names_are_in_no_table_and_the_list_is_as_long(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTION_SELLER_NAMES", "hashed")
    monkeypatch.setenv("COLLECTION_NAME_KEY", "a secret of this test")
    assert pipeline.run("home-coffee").success
    truth = pipeline.truth("home-coffee")
    assert len(pipeline.sellers()) == truth["seller_count"]
    assert all(key.startswith("anon-") for key in pipeline.sellers())
    assert all(name.startswith("anon-") for (name,) in pipeline.rows("SELECT seller_name FROM ebay_listings"))
    assert run(pipeline, "sellers_remove", name=truth["sellers"][0]).success
    assert len(pipeline.sellers()) == truth["seller_count"] - 1


def test_accounts_that_are_named_by_ids_all_at_once_are_held_for_a_decision(pipeline: Pipeline) -> None:
    assert pipeline.run("home-coffee").success
    before = pipeline.sellers()
    pipeline.simulator.configure(seller_ids=True)
    assert not pipeline.run("home-coffee", collection_id="c2").success
    assert pipeline.sellers() == before
    paused = pipeline.store.collections.get("c2")
    assert paused.pause is not None
    assert (paused.status, paused.pause.reason) == ("paused", "keys_changed")
    assert "--same-accounts or --other-accounts" in (paused.pause.message or "")
    pipeline.store.key_changes.decide("default", "same_accounts", "anna")
    pipeline.store.control.resume("c2")
    assert pipeline.run("home-coffee", collection_id="c2").success
    assert len(pipeline.sellers()) == len(before)
    assert not pipeline.sellers() & before


def test_old_rows_are_purged_and_counted_first(pipeline: Pipeline) -> None:
    assert pipeline.run("home-coffee").success
    with pipeline.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE activity_events SET timestamp = now() - interval '1 year'")
    assert run(pipeline, "storage_purge", only_count=True).success
    assert pipeline.rows("SELECT * FROM purges") == []
    assert run(pipeline, "storage_purge").success
    [(table, removed)] = pipeline.rows("SELECT table_name, removed FROM purges")
    assert table == "activity_events"
    assert removed > 10
