"""The questions that a team usually asks, each as SQL with parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from string import Template

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.suggesting import did_you_mean
from collection_pipeline.tables.server.querying import literal

LARGEST_LIMIT = 1_000_000


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("contains a null character")
    return literal(value)


def _limit(value: str) -> str:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= LARGEST_LIMIT:
        raise ValueError(f"must be a whole number from 1 to {LARGEST_LIMIT}")
    return str(int(value))


def _match(value: str) -> str:
    if not re.fullmatch(r"0|1|[01]?\.[0-9]{1,3}", value, re.ASCII) or float(value) > 1:
        raise ValueError("must be a match from 0 to 1, such as 0.5")
    return value


def _moment(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a date or a moment in UTC, such as 2026-11-23 or 2026-11-23T14:00") from None
    return literal((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a question takes."""

    example: str
    default: str | None = None
    """SQL that is used when no value is given; None for a parameter that must be given."""
    to_sql: Callable[[str], str] = _text
    """The value as SQL. Raises ValueError, which says what is wrong with it."""
    known: str | None = None
    """A SELECT of all the values that there are, where they are few."""


@dataclass(frozen=True, slots=True)
class Question:
    """A SELECT with a $name for each parameter."""

    name: str
    template: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    matching: str = ""
    """The same about listings from a $match on, where that is given. It may have to read what the other has counted."""

    @property
    def example(self) -> str:
        """The SELECT with its defaults, and with examples for what has none."""
        return Template(self.template).substitute(
            {name: one.default or one.to_sql(one.example) for name, one in self.parameters.items()}
        )

    def sql(self, values: Mapping[str, str]) -> str:
        """The SELECT with these values. Raises PipelineError for one that is unknown, missing or wrong."""
        for name in values:
            if name not in self.parameters:
                raise PipelineError(
                    f"The question {self.name} has no parameter {name!r}.{did_you_mean(name, self.parameters)} "
                    + (f"It takes: {', '.join(self.parameters)}." if self.parameters else "It takes none.")
                )
        template = self.matching if "match" in values else self.template
        return Template(template).substitute(
            {name: self._value(name, one, values.get(name)) for name, one in self.parameters.items()}
        )

    def _value(self, name: str, parameter: Parameter, value: str | None) -> str:
        if value is None:
            if parameter.default is None:
                raise PipelineError(f"The question {self.name} needs {name}=…, such as {name}={parameter.example}.")
            return parameter.default
        try:
            return parameter.to_sql(value)
        except ValueError as error:
            raise PipelineError(f"The parameter {name} of {self.name} is {value!r}; it {error}.") from None


_LIMIT = Parameter("50", default="20", to_sql=_limit)
_MATCH = Parameter("0.5", default="0", to_sql=_match)
_LAST_COLLECTION = """\
(SELECT collection_id FROM collections
                               WHERE completed_at IS NOT NULL ORDER BY completed_at DESC LIMIT 1)"""

_ALL = (
    Question(
        "new_sellers",
        """\
SELECT s.display_name, s.product_count, s.feedback_percent, s.feedback_score
FROM sellers s
WHERE s.first_collection_id = $collection
ORDER BY s.product_count DESC, s.display_name""",
        {
            "collection": Parameter(
                "starter-20261123-141500", default=_LAST_COLLECTION, known="SELECT collection_id FROM collections"
            ),
            "match": _MATCH,
        },
        matching="""\
SELECT s.display_name, s.product_count, s.feedback_percent, s.feedback_score
FROM sellers s
JOIN seller_figures f USING (org_id, marketplace, seller_key)
WHERE s.first_collection_id = $collection AND f.best_match >= $match
ORDER BY s.product_count DESC, s.display_name""",
    ),
    Question(
        "sellers_by_best_sellers",
        """\
SELECT s.display_name, f.best_sellers, f.categories
FROM seller_figures f
JOIN sellers s USING (org_id, marketplace, seller_key)
WHERE s.status = 'active' AND f.best_sellers > 0
ORDER BY f.best_sellers DESC, f.seller_key
LIMIT $limit""",
        {"limit": _LIMIT, "match": _MATCH},
        matching="""\
SELECT s.display_name, m.best_sellers, m.categories
FROM (SELECT x.org_id, x.marketplace, x.seller_key, count(DISTINCT p.asin) AS best_sellers,
             count(DISTINCT p.category) AS categories
      FROM seller_products x JOIN amazon_products p USING (org_id, asin)
      WHERE x.match >= $match GROUP BY x.org_id, x.marketplace, x.seller_key) m
JOIN sellers s USING (org_id, marketplace, seller_key)
WHERE s.status = 'active'
ORDER BY m.best_sellers DESC, m.seller_key
LIMIT $limit""",
    ),
    Question(
        "sellers_of_a_category",
        """\
SELECT display_name, count(DISTINCT asin) AS best_sellers, min(position) AS best_position
FROM category_sellers
WHERE category = $category
GROUP BY seller_key, display_name
ORDER BY best_sellers DESC, best_position""",
        {
            "category": Parameter(
                "kitchen-coffee-machines",
                # Those that left the catalogue have kept their listings.
                known="SELECT category FROM categories UNION SELECT category FROM collection_categories",
            ),
            "match": _MATCH,
        },
        matching="""\
SELECT display_name, count(DISTINCT asin) AS best_sellers, min(position) AS best_position
FROM category_sellers
WHERE category = $category AND match >= $match
GROUP BY seller_key, display_name
ORDER BY best_sellers DESC, best_position""",
    ),
    Question(
        "price_spread",
        """\
SELECT p.asin, left(p.title, 40) AS title, p.price AS amazon, f.price_low AS ebay_min,
       f.price_median AS ebay_median, f.price_high AS ebay_max, f.sellers
FROM product_figures f
CROSS JOIN LATERAL (SELECT DISTINCT a.asin, a.title, a.price FROM amazon_products a
                    WHERE a.org_id = f.org_id AND a.asin = f.asin) p
WHERE f.categories <> '{}' AND f.sellers > 0
ORDER BY f.sellers DESC, f.asin
LIMIT $limit""",
        {"limit": _LIMIT, "match": _MATCH},
        matching="""\
SELECT p.asin, left(p.title, 40) AS title, p.price AS amazon, l.ebay_min, l.ebay_median, l.ebay_max, l.sellers
FROM (SELECT org_id, asin, min(price) AS ebay_min, max(price) AS ebay_max,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY price)::numeric(12, 2) AS ebay_median,
             count(DISTINCT (marketplace, seller_key))::integer AS sellers
      FROM ebay_listings WHERE gone_at IS NULL AND match >= $match GROUP BY org_id, asin) l
CROSS JOIN LATERAL (SELECT DISTINCT a.asin, a.title, a.price FROM amazon_products a
                    WHERE a.org_id = l.org_id AND a.asin = l.asin) p
ORDER BY l.sellers DESC, l.asin
LIMIT $limit""",
    ),
    Question(
        "count_over_time",
        """\
SELECT taken_at, seller_count, new_sellers, cause, collection_id
FROM seller_count_snapshots
WHERE taken_at >= $since
ORDER BY taken_at""",
        {"since": Parameter("2026-11-23", default="'-infinity'", to_sql=_moment)},
    ),
)
BY_NAME = {question.name: question for question in _ALL}


def question_of(name: str) -> Question:
    """The question. Raises PipelineError for one that is not there."""
    if name not in BY_NAME:
        raise PipelineError(
            f"There is no question {name!r}.{did_you_mean(name, BY_NAME)} There are: {', '.join(BY_NAME)}."
        )
    return BY_NAME[name]
