"""How these tests ask the simulator: plain httpx, nothing of the pipeline's own clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any
from urllib.parse import urlencode

import httpx

from collection_pipeline.simulator.server import RunningSimulator

NODE = "172541"
SEARCH = "/buy/browse/v1/item_summary/search"
FORM = {"grant_type": "client_credentials", "scope": "https://api.ebay.com/oauth/api_scope"}
CENT = Decimal("0.01")


@dataclass
class Asking:
    """One client of one simulator."""

    simulator: RunningSimulator
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=10))

    def node(self, node: str = NODE, /, **values: Any) -> httpx.Response:
        body = {"source": "amazon_bestsellers", "domain": "com", "query": node, "render": "html", "parse": True}
        return self.http.post(f"{self.simulator.oxylabs_url}/v1/queries", auth=("user", "pass"), json=body | values)

    def result_page(self, q: str = "coffee", **parameters: str) -> str:
        """The HTML of one of eBay's result pages."""
        asked = {"_nkw": q, "LH_BIN": "1", "_dmd": "1", **parameters}
        body = {"source": "ebay", "url": f"https://www.ebay.com/sch/i.html?{urlencode(asked)}"}
        [result] = self.http.post(f"{self.simulator.oxylabs_url}/v1/queries", auth=("u", "p"), json=body).json()[
            "results"
        ]
        assert (result["status_code"], result["type"]) == (200, "raw")
        return str(result["content"])

    def push(self, path: str, **values: Any) -> httpx.Response:
        body = {"source": "amazon_bestsellers", "query": NODE, "render": "html", "parse": True}
        url = f"{self.simulator.oxylabs_data_url}/v1/queries{path}"
        return self.http.post(url, auth=("user", "pass"), json=body | values)

    def pull(self, path: str) -> httpx.Response:
        return self.http.get(f"{self.simulator.oxylabs_data_url}/v1/queries/{path}", auth=("user", "pass"))

    def rows(self, node: str = NODE) -> list[dict[str, Any]]:
        results = self.node(node, pages=self.simulator.simulator.config.pages).json()["results"]
        return [row for result in results for row in result["content"]["results"]]

    def token_response(self, **request: Any) -> httpx.Response:
        request = {"auth": ("id", "secret"), "data": FORM} | request
        return self.http.post(f"{self.simulator.ebay_url}/identity/v1/oauth2/token", **request)

    def token(self) -> str:
        return str(self.token_response().json()["access_token"])

    def search(self, q: str = "coffee", *, token: str | None = None, market: str = "", **params: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        if market:
            headers["X-EBAY-C-MARKETPLACE-ID"] = market
        asked = ({"q": q} if q else {}) | params
        return self.http.get(f"{self.simulator.ebay_url}{SEARCH}", headers=headers, params=asked)

    def items(self, q: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.search(q, **{"limit": 200} | params).json().get("itemSummaries", [])
        return found

    def pages(self, q: str, *, limit: int, max_pages: int = 10_000, **params: Any) -> Iterator[dict[str, Any]]:
        """Every page of a search, following `next`."""
        token = self.token()
        page = self.search(q, token=token, limit=limit, **params).json()
        yield page
        for _ in range(max_pages - 1):
            if "next" not in page:
                return
            page = self.http.get(page["next"], headers={"Authorization": f"Bearer {token}"}).json()
            yield page


def cleaned(title: str) -> str:
    """A title without operators, cut at a word."""
    words = re.sub(r"""[()\[\]{},*"<>|]""", " ", title).split()
    while len(" ".join(words)) > 100:
        words.pop()
    return " ".join(words)


def band(price: Decimal, low: str = "1.8", high: str = "2.2") -> tuple[Decimal, Decimal]:
    return (
        (price * Decimal(low)).quantize(CENT, ROUND_CEILING),
        (price * Decimal(high)).quantize(CENT, ROUND_FLOOR),
    )


def full_filter(low: Decimal, high: Decimal) -> str:
    return (
        f"conditionIds:{{1000}},buyingOptions:{{FIXED_PRICE}},price:[{low}..{high}],priceCurrency:USD,"
        "maxDeliveryCost:0,deliveryCountry:US,itemLocationCountry:US"
    )
