from collection_pipeline.core.matching import vocabulary

SETS = ("MULTIPLES", "COUNTS", "ACCESSORIES", "PARTIAL", "COMPATIBLE", "BUNDLES", "SILENT")


def test_every_word_is_in_lower_case_and_alone() -> None:
    for name in SETS:
        for word in getattr(vocabulary, name):
            assert word == word.lower().strip()
            assert " " not in word
