import re
from collections.abc import Mapping

import pytest
import sqlalchemy as sa

from collection_pipeline import query
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.query.questions import BY_NAME
from collection_pipeline.query.views import CATEGORIES
from collection_pipeline.tables.store import Store
from collection_pipeline_tests.conftest import REPOSITORY
from collection_pipeline_tests.tables.examples import collect, finish, listing, start


@pytest.fixture
def environment(database: sa.URL) -> Mapping[str, str]:
    return {"COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False)}


def collected(store: Store) -> None:
    start(store, "c1", "kitchen-coffee-machines", "toys")
    collect(
        store,
        "c1",
        "kitchen-coffee-machines",
        {"B000000001": [listing("1", "ann", "190.00"), listing("2", "bob", "210.00")], "B000000002": []},
    )
    collect(store, "c1", "toys", {"B000000003": [listing("3", "ann"), listing("4", "cid; DROP TABLE sellers")]})
    finish(store, "c1")
    store.snapshots.of_collection("c1")


def test_every_question_has_its_answer(store: Store, environment: Mapping[str, str]) -> None:
    collected(store)
    new = query.ask("new_sellers", environment=environment)
    assert list(new["display_name"]) == ["ann", "bob", "cid; DROP TABLE sellers"]
    top = query.ask("sellers_by_best_sellers", environment=environment)
    assert top.iloc[0].to_dict() == {"display_name": "ann", "best_sellers": 2, "categories": 2}
    coffee = query.ask("sellers_of_a_category", category="kitchen-coffee-machines", environment=environment)
    assert set(coffee["display_name"]) == {"ann", "bob"}
    spread = query.ask("price_spread", environment=environment).set_index("asin").loc["B000000001"]
    assert [spread[name] for name in ("ebay_min", "ebay_median", "ebay_max")] == [190.0, 200.0, 210.0]
    assert spread["sellers"] == 2
    counts = query.ask("count_over_time", environment=environment)
    assert list(counts["seller_count"]) == [3]


def test_a_parameter_changes_what_is_asked(store: Store, environment: Mapping[str, str]) -> None:
    collected(store)
    toys = query.ask("sellers_of_a_category", category="toys", environment=environment)
    assert set(toys["display_name"]) == {"ann", "cid; DROP TABLE sellers"}
    assert len(query.ask("sellers_by_best_sellers", limit=1, environment=environment)) == 1
    assert query.ask("count_over_time", since="2100-01-01", environment=environment).empty
    assert len(query.ask("new_sellers", collection="c1", environment=environment)) == 3
    with pytest.raises(PipelineError, match=r"There is no category 'toy'\. Did you mean toys"):
        query.ask("sellers_of_a_category", category="toy", environment=environment)


def test_a_question_can_be_asked_about_what_is_likely_the_product(store: Store, environment: Mapping[str, str]) -> None:
    collected(store)
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE ebay_listings SET match = 0.5 WHERE listing_id IN ('1', '3')"))
        connection.execute(sa.text("UPDATE ebay_listings SET match = 0.499 WHERE listing_id = '2'"))
    asked = {name: query.ask(name, match=0.5, environment=environment) for name in ("new_sellers", "price_spread")}
    assert list(asked["new_sellers"]["display_name"]) == ["ann"]
    assert sorted(asked["price_spread"]["ebay_max"]) == [190.0, 200.0]
    top = query.ask("sellers_by_best_sellers", match=0.5, environment=environment)
    assert [*top.itertuples(index=False)] == [("ann", 2, 2)]
    coffee = query.ask(
        "sellers_of_a_category", category="kitchen-coffee-machines", match="0.4", environment=environment
    )
    assert list(coffee["display_name"]) == ["ann", "bob"]
    # Columns are the same, so that whoever reads them need not know which way it was asked.
    for name, answer in asked.items():
        assert list(answer.columns) == list(query.ask(name, environment=environment).columns)
        assert (answer.dtypes == query.ask(name, environment=environment).dtypes).all()


@pytest.mark.parametrize("match", ["1.5", "-1", "much", "0.5 OR true", "0.1234", ""])
def test_a_match_that_is_none_is_refused(environment: Mapping[str, str], match: str) -> None:
    with pytest.raises(PipelineError, match="must be a match from 0 to 1"):
        query.ask("new_sellers", match=match, environment=environment)


def test_the_document_of_answers_asks_the_same_questions() -> None:
    answers = (REPOSITORY / "docs" / "answers.md").read_text()
    asked = dict(re.findall(r"\(`(\w+)`\)\n\n```sql\n(.*?)\n```", answers, re.DOTALL))
    assert asked == query.QUESTIONS
    assert set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", answers, re.MULTILINE)) == {
        (question.name, name) for question in BY_NAME.values() for name in question.parameters
    }


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sellers",
        "DROP TABLE sellers",
        "SELECT 1; DELETE FROM sellers",
        "COMMIT; DELETE FROM sellers",
        "WITH gone AS (DELETE FROM sellers RETURNING 1) SELECT * FROM gone",
        "SELECT nothing FROM nowhere",
        "SELEC",
        "",
    ],
)
def test_a_query_changes_nothing_and_fails_in_words(
    store: Store, environment: Mapping[str, str], statement: str
) -> None:
    collected(store)
    if statement:
        with pytest.raises(PipelineError, match="did not run"):
            query.sql(statement, environment=environment)
    else:
        assert query.sql(statement, environment=environment).empty
    assert store.sellers.count("default") == 3


def test_percent_signs_and_colons_are_just_sql(store: Store, environment: Mapping[str, str]) -> None:
    collected(store)
    found = query.sql(
        "SELECT display_name::text AS n FROM sellers WHERE display_name LIKE 'a%'", environment=environment
    )
    assert list(found["n"]) == ["ann"]


def test_an_unknown_question_is_refused_with_those_there_are(environment: Mapping[str, str]) -> None:
    with pytest.raises(PipelineError, match="new_sellers, sellers_by_best_sellers"):
        query.ask("why", environment=environment)


@pytest.mark.parametrize("name", query.READABLE)
def test_every_view_and_table_is_a_data_frame(store: Store, environment: Mapping[str, str], name: str) -> None:
    collected(store)
    made = query.view(name, limit=5, environment=environment)
    assert len(made.columns) > 0
    wrong = {column: kind for column, kind in made.dtypes.items() if kind == "category" and column not in CATEGORIES}
    assert wrong == {}


def test_a_view_has_types_that_can_be_counted_with(store: Store, environment: Mapping[str, str]) -> None:
    collected(store)
    sellers = query.view("seller_overview", environment=environment)
    kinds = {column: str(kind) for column, kind in sellers.dtypes.items()}
    assert (kinds["status"], kinds["products"], kinds["best_match"]) == ("category", "Int64", "Float64")
    assert sellers.groupby("status", observed=True)["products"].sum()["active"] == 4
    listings = query.view("ebay_listings", numerics="decimal", environment=environment)
    assert str(listings.dtypes["price"]).startswith("decimal128")
    assert str(listings.dtypes["last_seen_at"]) == "datetime64[us, UTC]"
    with pytest.raises(PipelineError, match="Did you mean seller_overview"):
        query.view("seller_overviews", environment=environment)
