"""The stores keep to what the settings say, on every path, also where a simulator answers."""

from __future__ import annotations

import sqlalchemy as sa

from collection_pipeline.settings.pipeline import Settings, simulated
from collection_pipeline.stores import open_store
from collection_pipeline.tables.schema.time_limits import LIST_LIMIT_S

SIMULATOR = "http://127.0.0.1:1"


def test_the_stores_keep_to_the_limits_of_the_settings(database: sa.URL) -> None:
    settings = Settings.from_mapping({"COLLECTION_EBAY_CALLS_PER_DAY": "7", "COLLECTION_LIST_LIMIT_S": "5"})
    with open_store(settings, database) as store, store.engine.connect() as connection:
        assert store.governor.limits["ebay"].calls_per_day == 7
        assert store.governor.left_today("ebay") == 7
        assert settings.list_limit_s != LIST_LIMIT_S
        assert connection.scalar(sa.text("SELECT 1")) == 1


def test_a_simulator_has_no_quota_unless_somebody_gives_it_one() -> None:
    unhurried = Settings.from_mapping(simulated({}, SIMULATOR)).limits["ebay"]
    assert (unhurried.calls_per_day, unhurried.requests_per_s) == (None, 500)
    given = {"COLLECTION_EBAY_CALLS_PER_DAY": "7", "COLLECTION_EBAY_REQUESTS_PER_S": ""}
    limited = Settings.from_mapping(simulated(given, SIMULATOR)).limits["ebay"]
    assert (limited.calls_per_day, limited.requests_per_s) == (7, 500)


def test_a_simulator_is_asked_whatever_accounts_the_environment_has() -> None:
    settings = Settings.from_mapping(simulated({"EBAY_API_URL": "https://api.ebay.com"}, SIMULATOR))
    assert settings.ebay_api_url == f"{SIMULATOR}/ebay"
