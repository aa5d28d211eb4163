from __future__ import annotations

from collection_pipeline.core.watching.answer_links import new_sellers_address


def test_an_id_stays_one_value_of_the_address() -> None:
    address = new_sellers_address("https://pages.example", "a&b c")
    assert address == "https://pages.example/answer/sellers?new_in=a%26b+c&sort=first_seen"
