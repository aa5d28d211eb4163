from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.sellers.identity import is_nameable
from collection_pipeline.core.sellers.pseudonyms import Pseudonyms


@given(st.text(min_size=1, max_size=20).filter(is_nameable))
def test_a_pseudonym_is_one_for_all_spellings_and_tells_nothing(name: str) -> None:
    naming = Pseudonyms("a secret of this test")
    assert naming(name) == naming(f" {name} ") == naming(naming(name))
    assert naming(name) != Pseudonyms("another secret of it")(name)
    assert "secret" not in repr(naming)


def test_a_name_that_only_looks_like_a_pseudonym_is_hashed() -> None:
    naming = Pseudonyms("a secret of this test")
    assert "dealer" not in naming("anon-dealer")
    assert naming("anon-dealer") == naming("ANON-dealer")
