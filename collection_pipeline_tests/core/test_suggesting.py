import pytest

from collection_pipeline.core.suggesting import did_you_mean


@pytest.mark.parametrize(
    ("name", "known", "otherwise", "said"),
    [
        ("startr", ["starter", "home"], "", " Did you mean starter?"),
        ("STARTER", ["starter"], "", " Did you mean starter?"),
        ("zzz", ["starter"], "List them.", " List them."),
        ("zzz", ["starter"], "", ""),
        ("zzz", [], "", ""),
    ],
)
def test_the_nearest_known_name_is_suggested(name: str, known: list[str], otherwise: str, said: str) -> None:
    assert did_you_mean(name, known, otherwise) == said
