"""Values keep their types on the way from Postgres to DataFrames, CSV and JSON, missing ones among them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from decimal import Decimal

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection_pipeline import query
from collection_pipeline.cli import main
from collection_pipeline.commands.values import json_text
from collection_pipeline.core.errors import PipelineError
from collection_pipeline.tables.server.querying import literal

Environment = Mapping[str, str]

VALUES = """\
SELECT n AS whole, n > 1 AS yes, n * 1.5::numeric(12, 2) AS price, n / 4::float8 AS share, 'x' || n AS name,
       date '2026-11-23' + n AS day, timestamptz '2026-11-23 14:00:00.000001+02' + n * interval '1 hour' AS at,
       n * interval '90 s' AS took, jsonb_build_object('n', n * 0.1) AS fields, ARRAY[n * 1.50, NULL] AS prices
FROM unnest(ARRAY[1, NULL, 250]) n"""


@pytest.fixture
def environment(database: sa.URL) -> Environment:
    return {"COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False)}


def command(environment: Environment, *words: str) -> Result:
    return CliRunner(env=environment).invoke(main, words)


def shown(environment: Environment, form: str, statement: str) -> str:
    result = command(environment, "sql", statement, "--format", form)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_dataframe_has_a_nullable_type_for_every_column(environment: Environment) -> None:
    found = query.sql(VALUES, environment=environment)
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "whole": "Int64",
        "yes": "boolean",
        "price": "Float64",
        "share": "Float64",
        "name": "string",
        "day": "datetime64[us]",
        "at": "datetime64[us, UTC]",
        "took": "timedelta64[us]",
        "fields": "object",
        "prices": "object",
    }
    assert list(found["whole"]) == [1, pd.NA, 250]
    assert found.iloc[1].drop(["fields", "prices"]).isna().all()
    assert found["at"][0] == pd.Timestamp("2026-11-23 13:00:00.000001", tz="UTC")


def test_the_types_are_the_same_without_a_row_and_without_a_value(environment: Environment) -> None:
    kinds = query.sql(VALUES, environment=environment).dtypes
    for condition in ("false", "n IS NULL"):
        found = query.sql(f"{VALUES} WHERE {condition}", environment=environment)
        assert found.dtypes.equals(kinds)


def test_numerics_can_be_described_cut_into_quantiles_and_multiplied(environment: Environment) -> None:
    price = query.sql(VALUES, environment=environment)["price"]
    assert price.describe()["max"] == 375.0
    assert price.quantile(0.5) == 188.25
    assert list(price * 1.08) == [pytest.approx(1.62), pd.NA, pytest.approx(405.0)]


def test_numerics_are_exact_decimals_where_they_are_asked_for(environment: Environment) -> None:
    asked = "SELECT x::numeric(20, 10) AS x, y FROM (VALUES (0.1, 12345678901234567.89), (NULL, NULL)) v(x, y)"
    found = query.sql(asked, numerics="decimal", environment=environment)
    assert found["x"].dtype == pd.ArrowDtype(pa.decimal128(20, 10))
    assert list(found["x"]) == [Decimal("0.1000000000"), pd.NA]
    assert found["y"].sum() == Decimal("12345678901234567.89")
    with pytest.raises(PipelineError, match="do not hold the values of x"):
        query.sql("SELECT 'NaN'::numeric AS x", numerics="decimal", environment=environment)


def test_chunks_hold_every_row_once_and_agree_in_their_types(environment: Environment) -> None:
    rows = "SELECT CASE WHEN n % 2 = 0 THEN n END AS half, n FROM generate_series(1, 700) n"
    found = list(query.chunks(rows, rows=300, environment=environment))
    assert [len(chunk) for chunk in found] == [300, 300, 100]
    assert list(pd.concat(found)["n"]) == list(range(1, 701))
    assert {str(kind) for chunk in found for kind in chunk.dtypes} == {"Int64"}
    [empty] = query.chunks(f"{rows} WHERE n < 0", environment=environment)
    assert list(empty.columns) == ["half", "n"]


def test_csv_has_whole_numbers_without_a_point_and_nothing_for_null(environment: Environment) -> None:
    first, missing, last = csv.DictReader(io.StringIO(shown(environment, "csv", VALUES)))
    assert (first["whole"], first["price"], first["day"]) == ("1", "1.50", "2026-11-24")
    assert (last["whole"], last["price"], last["share"]) == ("250", "375.00", "62.5")
    assert {missing[name] for name in ("whole", "yes", "price", "share", "name", "day", "at", "took")} == {""}
    assert json.loads(missing["prices"]) == [None, None]
    assert shown(environment, "csv", "SELECT 0.00000001 AS x") == "x\n0.00000001\n"


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_has_numbers_for_numerics_with_every_digit_and_null_for_null(environment: Environment, form: str) -> None:
    digits = "12345678901234567.8900000001"
    asked = f"""SELECT {digits} AS x, NULL::int AS gone, 250::bigint AS whole, '{{"n": {digits}}}'::jsonb AS fields,
                ARRAY[{digits}] AS several, 'NaN'::numeric AS none, date '2026-11-23' AS day"""
    text = shown(environment, form, asked)
    assert text.count(digits) == 3
    found = json.loads(text, parse_float=Decimal)
    [row] = found if form == "json" else [found]
    exact = Decimal(digits)
    assert row == {
        "x": exact,
        "gone": None,
        "whole": 250,
        "fields": {"n": exact},
        "several": [exact],
        "none": None,
        "day": "2026-11-23",
    }


def test_jsonl_has_a_row_a_line_and_no_line_for_no_row(environment: Environment) -> None:
    assert shown(environment, "jsonl", "SELECT generate_series(1, 2) AS n") == '{"n":1}\n{"n":2}\n'
    assert shown(environment, "jsonl", "SELECT 1 AS n WHERE false") == ""


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_every_decimal_comes_back_from_json(number: Decimal) -> None:
    assert json.loads(json_text(number), parse_float=Decimal, parse_int=Decimal) == number


def ask(environment: Environment, *words: str) -> Result:
    return command(environment, "sql", "--format", "csv", "--ask", *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sellers_of_a_category"], "needs category=…, such as category=kitchen-coffee-machines"),
        (["sellers_of_a_category", "categry=x"], "no parameter 'categry'. Did you mean category?"),
        (["count_over_time", "depth=3"], "no parameter 'depth'. It takes: since."),
        (["sellers_of_a_categry", "category=x"], "Did you mean sellers_of_a_category?"),
        (["price_spread", "limit=many"], "limit of price_spread is 'many'; it must be a whole number"),
        (["price_spread", "limit=0"], "from 1 to 1000000"),
        (["price_spread", "limit=²"], "whole number"),
        (["count_over_time", "since=yesterday"], "such as 2026-11-23"),
        (["sellers_of_a_category", "category=x' OR 'a' = 'a"], "There is no category"),
    ],
)
def test_a_wrong_parameter_is_refused_with_what_is_right(environment: Environment, words: list[str], said: str) -> None:
    result = ask(environment, *words)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ask", "price_spread", "limit"], "write NAME=VALUE"),
        (["--ask", "price_spread", "limit=1", "limit=2"], "given twice"),
        (["SELECT", "1"], "put it in quotes"),
        ([], "either a query or --ask"),
    ],
)
def test_words_that_are_no_parameters_are_refused(environment: Environment, words: list[str], said: str) -> None:
    result = command(environment, "sql", *words)
    assert result.exit_code == 2
    assert said in result.stderr


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@pytest.mark.usefixtures("environment")
def test_a_text_is_itself_as_a_literal(database: sa.URL, text: str) -> None:
    address = {"COLLECTION_DATABASE_URL": database.render_as_string(hide_password=False)}
    assert query.sql(f"SELECT {literal(text)} AS x", environment=address)["x"][0] == text
