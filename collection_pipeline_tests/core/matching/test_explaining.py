"""Reasons that a person can read."""

from decimal import Decimal

from collection_pipeline.core.matching import Offer, score


def reasons(product: str, listing: str) -> tuple[str, ...]:
    return score(Offer(product, Decimal(90)), Offer(listing, Decimal(90))).reasons


def test_reasons_name_the_model_first_and_the_listing_before_the_product() -> None:
    found = reasons("Braun Coffee Maker KF8", "Braun KF8 Coffee Maker, Pack of 2")
    assert found[:2] == ("same model KF8", "pack of 2 against 1")


def test_colours_that_contradict_are_named() -> None:
    assert "red against blue" in reasons("Mug Navy", "Mug Red")


def test_words_that_the_listing_lacks_are_named() -> None:
    assert "lacks tumbler" in reasons("Stanley Tumbler", "Stanley Mug")
    assert "no word in common" in reasons("Cat Food", "Bosch Drill")
