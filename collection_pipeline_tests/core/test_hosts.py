import pytest

from collection_pipeline.core.hosts import is_host


@pytest.mark.parametrize(
    ("host", "can_be"), [("a.b-c_d", True), ("::1", True), ("fe80::1%en0", False), ("1.2.3", False)]
)
def test_a_host_is_a_name_or_an_address(host: str, can_be: bool) -> None:
    assert is_host(host) is can_be
