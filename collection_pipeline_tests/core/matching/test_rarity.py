from collection_pipeline.core.matching.rarity import forget_rarities, rarity


def test_a_word_that_nobody_knows_is_as_rare_as_can_be_and_a_common_one_is_not() -> None:
    assert rarity("xq7zzk") == 1
    assert 0 <= rarity("black") < 0.7


def test_reading_the_file_anew_gives_the_same() -> None:
    before = rarity("black")
    forget_rarities()
    assert rarity("black") == before
