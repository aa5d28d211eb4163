"""Which requests come from a server's own pages and its users' tools, by their headers."""

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from collection_pipeline.core.origins import comes_from_elsewhere, is_own_host

HOST = "127.0.0.1:3000"


@given(st.text(), st.sampled_from(["GET", "POST", "HEAD", ""]))
def test_no_origin_but_its_own_is_let_in(origin: str, method: str) -> None:
    with suppress(ValueError):  # an origin that is none
        assume(urlsplit(origin).netloc != HOST)
    assert comes_from_elsewhere({"host": HOST, "origin": origin}, method)
    assert not comes_from_elsewhere({"host": HOST, "origin": f"http://{HOST}"}, method)


@given(st.text())
def test_no_name_but_this_machines_and_those_allowed_is_answered_to(host: str) -> None:
    own = ("localhost", "127.", "::1", "[::1]", "ui.example")
    assume(not any(host.lower().lstrip("[").startswith(name.lstrip("[")) for name in own) and "@" not in host)
    assert not is_own_host(host, ("ui.example",))


@pytest.mark.parametrize("host", [HOST, "localhost", "LOCALHOST:1", "[::1]:3000", "127.9.9.9", "UI.example:443"])
def test_its_own_names_are_answered_to_with_any_port(host: str) -> None:
    assert is_own_host(host, ("ui.example",))


@pytest.mark.parametrize(
    ("site", "mode", "method", "is_foreign"),
    [
        ("cross-site", "navigate", "GET", False),  # a link in a mail
        ("cross-site", "navigate", "POST", True),  # a form
        ("cross-site", "no-cors", "GET", True),
        ("same-site", "cors", "GET", True),
        ("same-origin", "cors", "POST", False),
        ("none", "navigate", "GET", False),
    ],
)
def test_what_a_browser_says_counts_where_it_names_no_origin(
    site: str, mode: str, method: str, is_foreign: bool
) -> None:
    headers = {"host": HOST, "sec-fetch-site": site, "sec-fetch-mode": mode}
    assert comes_from_elsewhere(headers, method) == is_foreign
    assert not comes_from_elsewhere({"host": HOST}, method)
