"""Every check passes on what was collected, and fails when its promise is broken in the table."""

import dagster as dg
import pytest
import sqlalchemy as sa

from collection_pipeline.definitions import defs
from collection_pipeline_tests.orchestration.conftest import Pipeline


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}


def checked(pipeline: Pipeline, asset: str, check: str, *, partition: str | None, config: object = None) -> bool:
    """Whether one check passes when it is run alone, as the UI's "Execute" on a check does."""
    only = defs.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection=set(), asset_check_selection={dg.AssetCheckKey(dg.AssetKey(asset), check)}
    )
    result = only.execute_in_process(
        instance=pipeline.instance,
        partition_key=partition,
        run_config={"ops": {asset: {"config": config}}} if config else None,
    )
    [passed] = evaluations(result).values()
    return passed


BREAKAGES = [
    ("amazon_products", "asins_are_well_formed_and_unique", "UPDATE amazon_products SET asin = lower(asin)"),
    ("amazon_products", "prices_are_present", "UPDATE amazon_products SET price = NULL WHERE position > 2"),
    ("amazon_products", "prices_are_present", "UPDATE amazon_products SET price = 0 WHERE position = 1"),
    ("ebay_listings", "listings_are_inside_the_price_band", "UPDATE ebay_listings SET price = price * 3"),
    ("ebay_listings", "listings_are_inside_the_price_band", "UPDATE ebay_listings SET currency = 'CAD'"),
    ("ebay_listings", "listings_match_the_filters", "UPDATE ebay_listings SET condition_id = '3000'"),
    ("ebay_listings", "listings_match_the_filters", "UPDATE ebay_listings SET country = 'GB'"),
    ("ebay_listings", "listings_match_the_filters", "UPDATE ebay_listings SET is_delivery_free = false"),
    ("ebay_listings", "listings_match_the_filters", "UPDATE ebay_listings SET is_fixed_price = false"),
    (
        "ebay_sellers",
        "seller_keys_are_normalised_and_unique",
        "UPDATE ebay_listings SET seller_key = upper(seller_key); UPDATE sellers SET seller_key = upper(seller_key)",
    ),
    ("ebay_sellers", "figures_are_exact", "UPDATE product_figures SET sellers = sellers + 1"),
    ("ebay_sellers", "figures_are_exact", "UPDATE product_figures SET price_median = price_median + 1"),
    ("ebay_sellers", "figures_are_exact", "UPDATE seller_figures SET best_sellers = best_sellers + 1"),
    ("ebay_sellers", "figures_are_exact", "DELETE FROM seller_figures"),
]


def test_all_checks_pass_on_what_was_collected_and_each_fails_when_its_promise_is_broken(pipeline: Pipeline) -> None:
    result = pipeline.run("home-coffee")
    assert evaluations(result) == {
        "asins_are_well_formed_and_unique": True,
        "prices_are_present": True,
        "listings_are_inside_the_price_band": True,
        "listings_match_the_filters": True,
        "figures_are_exact": True,
        "seller_keys_are_normalised_and_unique": True,
        "products_are_usual": True,
        "prices_are_as_usual": True,
        "listings_are_usual": True,
        "matches_are_as_usual": True,
        "new_sellers_are_usual": True,
        "category_is_fresh": True,
    }
    for asset, check, breakage in BREAKAGES:
        with pipeline.store.engine.begin() as connection:
            saved = {
                table: connection.execute(sa.text(f"SELECT * FROM {table}")).mappings().all()
                for table in ("amazon_products", "ebay_listings", "sellers")
            }
            for statement in breakage.split(";"):
                connection.execute(sa.text(statement))
        assert not checked(pipeline, asset, check, partition="home-coffee"), breakage
        with pipeline.store.engine.begin() as connection:
            for table, rows in saved.items():
                connection.execute(sa.text(f"TRUNCATE {table}"))
                columns = ", ".join(f":{name}" for name in rows[0])
                connection.execute(sa.text(f"INSERT INTO {table} VALUES ({columns})"), [dict(row) for row in rows])


@pytest.mark.parametrize(("least_share", "passes"), [(0.5, True), (1.0, False)])
def test_how_many_prices_there_must_be_is_configurable(pipeline: Pipeline, least_share: float, passes: bool) -> None:
    pipeline.run("home-coffee")
    with pipeline.store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE amazon_products SET price = NULL WHERE position = 1"))
    config = {"least_share_with_price": least_share}
    found = checked(pipeline, "amazon_products", "prices_are_present", partition="home-coffee", config=config)
    assert found is passes


@pytest.mark.parametrize(
    ("breakage", "passes"),
    [
        (None, True),
        ("UPDATE seller_count_snapshots SET seller_count = seller_count + 1", False),
        ("DELETE FROM sellers WHERE seller_key = (SELECT min(seller_key) FROM sellers)", False),
    ],
)
def test_the_snapshot_is_compared_with_the_list_and_its_log(
    pipeline: Pipeline, breakage: str | None, passes: bool
) -> None:
    pipeline.run("home-coffee")
    pipeline.run(None, collection_id=None, job="sellers_count")
    if breakage:
        with pipeline.store.engine.begin() as connection:
            connection.execute(sa.text(breakage))
    assert checked(pipeline, "seller_count_snapshot", "snapshot_equals_the_list", partition=None) is passes
