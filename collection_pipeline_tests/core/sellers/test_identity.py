import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.sellers.identity import is_nameable, seller_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Deal_Hunter", "deal_hunter"),
        (" deal_hunter ", "deal_hunter"),
        ("ＤＥＡＬ", "deal"),  # full-width letters are the same letters
        ("deal\u200bhunter", "dealhunter"),
        ("STRASSE", "straße"),
        ("café", "cafe\u0301"),
        ("the  shop", "the shop"),
    ],
)
def test_names_of_one_account_have_one_key(one: str, other: str) -> None:
    assert seller_key(one) == seller_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("deal_hunter", "deal-hunter"),
        ("deal_hunter", "dealhunter"),
        ("shop", "shор"),  # Cyrillic о and р: other letters, and another account
        ("cafe", "café"),
    ],
)
def test_names_of_different_accounts_have_different_keys(one: str, other: str) -> None:
    assert seller_key(one) != seller_key(other)


@given(st.text(min_size=1, max_size=80).filter(is_nameable))
def test_a_key_is_its_own_key_and_does_not_depend_on_case_or_space(name: str) -> None:
    key = seller_key(name)
    assert seller_key(key) == key
    assert seller_key(f"  {name}\t") == key


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "x" * 201])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    assert not is_nameable(name)
    with pytest.raises(PipelineError):
        seller_key(name)
