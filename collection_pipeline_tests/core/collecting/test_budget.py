from decimal import Decimal

import pytest

from collection_pipeline.core.collecting.budget import TYPICAL, Estimate, estimate, require_affordable
from collection_pipeline.core.collecting.tariff import BROWSE, CategoryCalls, Price, Tariff
from collection_pipeline.core.collecting.usage import Source
from collection_pipeline.core.errors import PipelineError

WANTED = Estimate(2, {"oxylabs": 4, "ebay": 240}, Decimal(244))
LEFT: dict[Source, int | None] = {"oxylabs": None, "ebay": 5_000}


def test_a_known_category_costs_what_it_cost_and_an_unknown_one_the_typical() -> None:
    known = {"books": CategoryCalls(best_sellers=1, searches=30)}
    made = estimate(["books", "toys"], known, BROWSE)
    assert made.calls == {"oxylabs": 1 + TYPICAL.best_sellers, "ebay": 30 + TYPICAL.searches}
    assert made.cost == 1 + 2 + 30 + 120


def test_an_estimate_says_what_it_costs_in_money_where_that_is_known() -> None:
    priced = Tariff(prices={"oxylabs": Price(Decimal("0.0028"), "USD")})
    assert str(estimate(["toys"], {}, priced)).endswith("a cost of 122, which is about 0.01 USD")


def test_nothing_costs_nothing() -> None:
    assert estimate([], {}, BROWSE).cost == 0


def test_an_estimate_reads_as_a_sentence() -> None:
    big = Estimate(79, {"oxylabs": 158, "ebay": 9_480}, Decimal(9_638))
    assert str(big) == "about 158 oxylabs calls and 9,480 ebay calls for 79 categories, a cost of 9,638"


@pytest.mark.parametrize(
    ("cap", "ebay", "said"),
    [
        (Decimal(243), 5_000, "cap of 243"),
        (None, 239, "ebay allows only 239 more calls today"),
        (None, 0, "ebay allows only 0"),
    ],
)
def test_what_cannot_be_afforded_is_refused_with_the_figures_and_a_way_out(
    cap: Decimal | None, ebay: int, said: str
) -> None:
    with pytest.raises(PipelineError, match=said) as refused:
        require_affordable(WANTED, cap=cap, left_today={**LEFT, "ebay": ebay})
    assert "--as-far-as-it-goes" in str(refused.value)


@pytest.mark.parametrize(("cap", "ebay"), [(Decimal(244), 240), (None, None)])
def test_what_fits_exactly_is_afforded(cap: Decimal | None, ebay: int | None) -> None:
    require_affordable(WANTED, cap=cap, left_today={**LEFT, "ebay": ebay})
