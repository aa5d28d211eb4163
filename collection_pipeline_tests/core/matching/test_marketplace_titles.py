"""Titles as eBay's sellers write them, against Amazon's, where listings cost about twice the product."""

from decimal import Decimal

import pytest

from collection_pipeline.core.matching import DEFAULT_THRESHOLD, Match, Offer, score

COFFEE = "Keurig K-Classic Coffee Maker, Single Serve K-Cup Pod Coffee Brewer, Black"
SONY = "Sony WH-1000XM5 Wireless Noise Canceling Headphones, Black"
SKILLET = "Lodge 10.25 Inch Cast Iron Skillet"
COOKER = "Instant Pot Duo 7-in-1 Electric Pressure Cooker, 6 Quart"
CARD = "SanDisk 128GB Ultra microSDXC Memory Card"
BRAUN = "Braun Coffee Maker KF8"


def match(product: str, listing: str, price: str = "180.00") -> Match:
    return score(Offer(product, Decimal("90.00")), Offer(listing, Decimal(price)))


@pytest.mark.parametrize(
    ("product", "listing"),
    [
        (COFFEE, "Keurig K-Classic Single Serve K-Cup Pod Coffee Maker Black NEW SEALED"),
        (SONY, "SONY WH1000XM5 WIRELESS HEADPHONES BLACK NEW"),
        (SONY, "Sony WH-1000XM5 Wireless Noise Cancelling Over-Ear Headphones - Black"),
        (SKILLET, 'Lodge 10.25" Cast Iron Skillet'),
        (COOKER, "NEW Instant Pot Duo 7-in-1 Electric Pressure Cooker 6 Qt FREE SHIPPING"),
        (BRAUN, "Braun KF8 Coffee Maker"),
    ],
)
def test_the_same_product_in_other_words_matches(product: str, listing: str) -> None:
    assert match(product, listing).probability >= DEFAULT_THRESHOLD


@pytest.mark.parametrize(
    ("product", "listing", "reason"),
    [
        (BRAUN, "Braun Coffee Maker KF8 2 Pack", "pack of 2 against 1"),
        (SKILLET, "2x Lodge 10.25 Inch Cast Iron Skillet", "pack of 2 against 1"),
        (COFFEE, "Lot of 2 Keurig K-Classic Single Serve K-Cup Pod Coffee Maker Black", "pack of 2 against 1"),
        ("Bounty Paper Towels, 12 Count", "Bounty Paper Towels 6 Count", "pack of 6 against 12"),
        (SKILLET, "Lodge 12 Inch Cast Iron Skillet", "12 in against 10.25 in"),
        (CARD, "SanDisk 256GB Ultra microSDXC Memory Card", "256 gb against 128 gb"),
        (COOKER, "Instant Pot Duo 7-in-1 Electric Pressure Cooker 8 Quart", "8 qt against 6 qt"),
        (SONY, "Sony WH-1000XM4 Wireless Noise Canceling Headphones, Black", "model WH1000XM4 against WH1000XM5"),
        (SONY, "Hard Case for Sony WH-1000XM5 Wireless Noise Canceling Headphones", "one is made for the other"),
        (SKILLET, "Silicone Handle Cover for Lodge 10.25 Inch Cast Iron Skillet", "one is made for the other"),
        (COFFEE, "Reusable Filter for Keurig K-Classic Coffee Maker", "one is made for the other"),
        (
            SONY,
            "Ear Pads Cushions Compatible with Sony WH1000XM5 Headphones Black",
            'only one says "compatible" or "replacement"',
        ),
        (
            COOKER,
            "Instant Pot Duo 7-in-1 Electric Pressure Cooker 6 Quart - BOX ONLY",
            "only one is a part, empty or broken",
        ),
    ],
)
def test_another_product_does_not_match_and_the_reason_names_the_difference(
    product: str, listing: str, reason: str
) -> None:
    found = match(product, listing)
    assert found.probability < DEFAULT_THRESHOLD
    assert reason in found.reasons


def test_the_same_pack_is_no_contradiction() -> None:
    found = match("Bounty Paper Towels (Pack of 12)", "Bounty Paper Towels 12 Count")
    assert not [reason for reason in found.reasons if reason.startswith("pack")]


def test_who_a_product_is_for_does_not_make_it_an_accessory() -> None:
    found = match("Sony WH-1000XM5 Headphones for Travel", "Sony WH-1000XM5 Headphones Black")
    assert "one is made for the other" not in found.reasons


def test_upper_case_makes_no_difference() -> None:
    assert match(SONY, SONY.upper()).probability == match(SONY, SONY.lower()).probability


def test_a_price_far_off_lowers_the_match_and_is_named() -> None:
    assert match(SONY, SONY, "9.00").probability < match(SONY, SONY, "90.00").probability
    assert "price 0.1 times the product's" in match(SONY, SONY, "9.00").reasons
