"""How rare words are."""

from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.matching.rarity import rarity


@given(st.text(max_size=20))
def test_rarity_is_a_share(word: str) -> None:
    assert 0 <= rarity(word) <= 1


def test_a_word_of_many_titles_is_less_rare_than_a_model_number() -> None:
    assert rarity("black") < rarity("panasonic") < rarity("wh1000xm5")
