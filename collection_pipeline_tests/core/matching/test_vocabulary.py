"""The vocabularies fit together."""

from collection_pipeline.core.matching import vocabulary
from collection_pipeline.core.matching.reading import Offer, read


def test_a_word_that_is_silent_has_no_other_meaning() -> None:
    others = vocabulary.ACCESSORIES | vocabulary.PARTIAL | vocabulary.COMPATIBLE | vocabulary.BUNDLES
    assert vocabulary.SILENT & (others | vocabulary.COLOURS.keys()) == set()


def test_every_word_is_written_as_titles_are_read() -> None:
    vocabularies = (vocabulary.ACCESSORIES, vocabulary.PARTIAL, vocabulary.COMPATIBLE, vocabulary.BUNDLES)
    for word in frozenset().union(*vocabularies, vocabulary.COLOURS):
        assert list(read(Offer(word)).words) == [word]
