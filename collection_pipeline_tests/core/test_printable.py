import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sellers.csv", "sellers.csv"),
        ("Müller & Söhne.csv", "Müller & Söhne.csv"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("turned\u202evsc.exe", "turned\\u202evsc.exe"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_what_could_change_a_line_is_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(alphabet=st.characters(), max_size=60), st.integers(1, 40))
def test_whatever_comes_is_one_short_line_of_text(text: str, longest: int) -> None:
    shown = printable(text, longest)
    assert shown.isprintable()
    assert len(shown) <= longest
    shown.encode()
