"""Contradictions, each by itself."""

import pytest

from collection_pipeline.core.matching.contradictions import (
    ACCESSORY,
    COMPATIBLE_WITH,
    MADE_FOR,
    OTHER_PACK,
    PART,
    contradictions,
)
from collection_pipeline.core.matching.reading import Offer, read


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("Lodge Skillet", "Lodge Skillet Black", []),
        ("Lodge Skillet", "Lodge Skillet 2 Pack", [OTHER_PACK]),
        ("Lodge Skillet 2 Pack", "Lodge Skillet Pack of 3", [OTHER_PACK]),
        ("Lodge Skillet 2 Pack", "Lodge Skillet Lot of 2", []),
        ("Lodge Skillet", "Lodge Skillet Pack of 1", []),
        ("Lodge Skillet", "Glass Lid for Lodge Skillet", [MADE_FOR]),
        ("Glass Lid for Lodge Skillet", "Glass Lid for 10 Inch Lodge Skillet", []),
        ("Lodge Skillet", "Lodge Skillet Lid", [ACCESSORY]),
        ("Lodge Skillet", "Skillet Generic Lodge", [COMPATIBLE_WITH]),
        ("Lodge Skillet", "Lodge Skillet Box Only", [PART]),
    ],
)
def test_what_contradicts(one: str, other: str, found: list[str]) -> None:
    assert contradictions(read(Offer(one)), read(Offer(other))) == found
    assert contradictions(read(Offer(other)), read(Offer(one))) == found
