from pathlib import Path

import pytest

from collection_pipeline.core.collecting.usage import Call
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.settings.pipeline import EBAY_API_URL, OXYLABS_URL, Settings

ACCOUNTS = {
    "OXYLABS_USERNAME": "user",
    "OXYLABS_PASSWORD": "hunter2",
    "EBAY_CLIENT_ID": "id",
    "EBAY_CLIENT_SECRET": "hunter3",
}


def test_without_any_setting_the_data_is_simulated_and_the_database_embedded() -> None:
    settings = Settings.from_mapping({})
    assert settings.is_simulated
    assert settings.database_url is None
    assert (settings.home, settings.org_id) == (Path(".collection").absolute(), "default")


def test_with_both_accounts_the_real_marketplaces_are_asked() -> None:
    settings = Settings.from_mapping(ACCOUNTS)
    assert not settings.is_simulated
    assert (settings.oxylabs_url, settings.ebay_api_url) == (OXYLABS_URL, EBAY_API_URL)
    assert settings.oxylabs_credentials == ("user", "hunter2")
    assert settings.ebay_credentials == ("id", "hunter3")


def test_names_of_the_ui_are_hosts_and_nothing_else() -> None:
    read = Settings.from_mapping({"COLLECTION_UI_HOSTS": " Dagster.Example, ui.example ,"})
    assert read.ui_hosts == ("dagster.example", "ui.example")
    assert Settings.from_mapping({}).ui_hosts == ()
    for value in ("*", "https://dagster.example", "dagster.example:443", "a b", "-a", "[::1]"):
        with pytest.raises(PipelineError, match=r"name hosts only, as in dagster\.example\.com"):
            Settings.from_mapping({"COLLECTION_UI_HOSTS": value})


@pytest.mark.parametrize("missing", sorted(ACCOUNTS))
def test_half_of_the_credentials_is_refused_with_what_is_missing(missing: str) -> None:
    half = {name: value for name, value in ACCOUNTS.items() if name != missing}
    with pytest.raises(PipelineError, match=f"half there: {missing} is not set"):
        Settings.from_mapping(half)
    with pytest.raises(PipelineError, match=f"half there: {missing} is not set"):
        Settings.from_mapping({**half, missing: "  "})


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(PipelineError, match="EBAY_API_URL must start with http") as refused:
        Settings.from_mapping({"EBAY_API_URL": "ftp://user:hunter2@api.ebay.com"})
    assert "hunter2" not in str(refused.value)


def test_an_address_with_a_password_in_it_is_refused() -> None:
    with pytest.raises(PipelineError, match="OXYLABS_URL holds a user or password") as refused:
        Settings.from_mapping({"OXYLABS_URL": "https://user:hunter2@realtime.oxylabs.io"})
    assert "hunter2" not in str(refused.value)


def test_a_way_around_a_pooler_is_refused_where_there_is_none() -> None:
    direct = {"COLLECTION_DATABASE_DIRECT_URL": "postgresql://pipeline:hunter2@db.example/collection"}
    with pytest.raises(PipelineError, match="set the second alone") as refused:
        Settings.from_mapping(direct)
    assert "hunter2" not in str(refused.value)
    settings = Settings.from_mapping({**direct, "COLLECTION_DATABASE_URL": "postgresql://pooler.example/collection"})
    assert settings.database_direct_url == direct["COLLECTION_DATABASE_DIRECT_URL"]
    assert "hunter2" not in repr(settings)


def test_result_pages_need_no_account_at_ebay() -> None:
    settings = Settings.from_mapping({**dict(list(ACCOUNTS.items())[:2]), "EBAY_SOURCE": "pages"})
    assert settings.ebay_source == "pages"
    assert settings.tariff.search == Call("oxylabs", "search_page")
    assert not settings.is_simulated
    with pytest.raises(PipelineError, match="OXYLABS_PASSWORD is not set"):
        Settings.from_mapping({"OXYLABS_USERNAME": "user", "EBAY_SOURCE": "pages"})
    with pytest.raises(PipelineError, match=r"must be browse .* or pages"):
        Settings.from_mapping({"EBAY_SOURCE": "html"})


@pytest.mark.parametrize(
    ("value", "said"), [("fast", "must be a number"), ("0", "from 0.01"), ("nan", "from 0.01"), ("-1", "from 0.01")]
)
def test_a_rate_that_is_none_is_refused(value: str, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        Settings.from_mapping({"COLLECTION_EBAY_REQUESTS_PER_S": value})


def test_limits_are_what_the_environment_says() -> None:
    environment = {"COLLECTION_EBAY_CALLS_PER_DAY": "0", "COLLECTION_EBAY_IN_FLIGHT": "7"}
    limits = Settings.from_mapping(environment).limits["ebay"]
    assert (limits.requests_per_s, limits.in_flight, limits.calls_per_day) == (10, 7, None)


@pytest.mark.parametrize(("value", "days"), [(None, 90), ("", 90), ("7", 7), ("0", None)])
def test_runs_are_kept_for_90_days_another_number_or_for_ever(value: str | None, days: int | None) -> None:
    environment = {} if value is None else {"COLLECTION_KEEP_RUNS_DAYS": value}
    assert Settings.from_mapping(environment).keep_runs_days == days


def test_secrets_are_not_shown() -> None:
    shown = repr(Settings.from_mapping({**ACCOUNTS, "COLLECTION_DATABASE_URL": "postgresql://u:hunter4@host/db"}))
    assert "hunter" not in shown


def test_credentials_that_are_not_there_are_asked_for_by_name() -> None:
    with pytest.raises(PipelineError, match="EBAY_CLIENT_ID"):
        _ = Settings.from_mapping({}).ebay_credentials
