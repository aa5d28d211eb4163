"""What is read from a title."""

import pytest

from collection_pipeline.core.matching.reading import LONGEST_TITLE, Offer, Reading, read


def reading(title: str) -> Reading:
    return read(Offer(title))


@pytest.mark.parametrize("title", ["D-Link DGS-1008P switch", "D-Link DGS1008P switch", "d-link dgs-1008p SWITCH"])
def test_a_model_number_is_the_same_with_and_without_hyphen(title: str) -> None:
    assert reading(title).models == {"dgs1008p"}


@pytest.mark.parametrize(
    "title", ['17" stand', "17 inch stand", "17-inch stand", "17in stand", "17 Inches stand", "17″ stand"]
)
def test_a_size_is_the_same_however_it_is_written(title: str) -> None:
    assert reading(title).sizes == {"in": {17.0}}


@pytest.mark.parametrize(
    "title",
    ["mug pack of 4", "mug 4 pack", "mug 4-pack", "mug 4pk", "mug lot of 4", "4x mug", "mug x4", "mug four pack"],
)
def test_a_pack_is_the_same_however_it_is_written(title: str) -> None:
    assert reading(title).packs == {4}


@pytest.mark.parametrize("title", ["camera with 12x zoom lens", "coffee maker", "hp 53x toner black"])
def test_a_magnification_or_model_is_no_pack(title: str) -> None:
    assert reading(title).packs == set()


def test_what_is_inside_a_pack_is_counted_apart() -> None:
    read_title = reading("K-Cup Pods 72 Count (Pack of 2)")
    assert (read_title.counts, read_title.packs) == ({72}, {2})


def test_words_after_for_are_what_it_is_made_for_unless_they_come_before_it_too() -> None:
    assert reading("Keurig filter for Keurig brewer").made_for == {"brewer"}


def test_words_that_say_nothing_are_left_out() -> None:
    assert list(reading("NEW Mug with the Handle FREE SHIPPING").words) == ["mug", "handle"]


def test_no_more_of_a_title_is_read_than_marketplaces_allow() -> None:
    assert "mug" not in reading("a" * LONGEST_TITLE + " mug").words


def test_colours_are_read_as_families() -> None:
    assert reading("Navy and Gray mug").colours == {"blue", "grey"}
