"""What Scrapy needs for the same answers of the same marketplaces: best sellers of nodes, then one search per product.

Run by `benchmarks.collection` as a process of its own. It keeps its sellers in memory and writes nothing down, so what
it is compared with does more.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import JsonRequest, Response

from collection_pipeline.core.collecting.listings import ListingQuery, query_text
from collection_pipeline.core.money import BandRule, Money, parse_amount
from collection_pipeline.sources.ebay.browse_api import PAGE_SIZE, search_parameters
from collection_pipeline.sources.oxylabs.best_sellers import query

BASIC = "Basic " + base64.b64encode(b"simulated:simulated").decode()


class Sellers(scrapy.Spider):
    """Every seller of every node's best sellers."""

    name = "sellers"

    def __init__(self, url: str, nodes: str) -> None:
        super().__init__()
        self.url, self.nodes = url, nodes.split(",")
        self.sellers: set[str] = set()
        self.token = ""

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """A token first: every search needs it."""
        body = urlencode({"grant_type": "client_credentials", "scope": "https://api.ebay.com/oauth/api_scope"})
        headers = {"Authorization": BASIC, "Content-Type": "application/x-www-form-urlencoded"}
        yield scrapy.Request(f"{self.url}/ebay/identity/v1/oauth2/token", self.ask, "POST", headers, body)

    def ask(self, response: Response) -> Iterator[scrapy.Request]:
        """The first page of each node."""
        self.token = json.loads(response.text)["access_token"]
        for node in self.nodes:
            yield self.page(node, 1)

    def page(self, node: str, number: int) -> scrapy.Request:
        """One page of best sellers."""
        url, headers = f"{self.url}/oxylabs/v1/queries", {"Authorization": BASIC}
        asked = {"node": node, "number": number}
        return JsonRequest(url, data=query(node, number), headers=headers, callback=self.products, cb_kwargs=asked)

    def products(self, response: Response, node: str, number: int) -> Iterator[scrapy.Request]:
        """A search for each product that has a price."""
        content: dict[str, Any] = json.loads(response.text)["results"][0]["content"]
        if number < content["pages"]:
            yield self.page(node, number + 1)
        for row in content["results"]:
            price, text = parse_amount(row["price"]), query_text(row["title"])
            if price and text:
                yield self.search(ListingQuery(text, BandRule().band(Money(price, "USD"))), 1)

    def search(self, wanted: ListingQuery, number: int) -> scrapy.Request:
        """One page of listings."""
        parameters = urlencode(search_parameters(wanted, number, PAGE_SIZE))
        headers = {"Authorization": f"Bearer {self.token}", "X-EBAY-C-MARKETPLACE-ID": "EBAY_US"}
        url = f"{self.url}/ebay/buy/browse/v1/item_summary/search?{parameters}"
        asked = {"wanted": wanted, "number": number}
        # Categories share products, which the pipeline searches once; Scrapy leaves out equal requests.
        return scrapy.Request(url, self.listings, headers=headers, cb_kwargs=asked)

    def listings(self, response: Response, wanted: ListingQuery, number: int) -> Iterator[scrapy.Request]:
        """Its sellers."""
        body = json.loads(response.text)
        self.sellers.update(item["seller"]["username"] for item in body.get("itemSummaries", ()))
        if "next" in body and number < 3:
            yield self.search(wanted, number + 1)

    def closed(self, reason: str) -> None:
        """Says what came of it."""
        print(json.dumps({"reason": reason, "sellers": len(self.sellers)}))


def main() -> None:
    """`python -m benchmarks.spider URL NODE,NODE,… [REQUESTS_PER_S]`."""
    url, nodes, *rate = sys.argv[1:]
    settings: dict[str, object] = {
        "CONCURRENT_REQUESTS": 25,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 25,
        "DOWNLOAD_DELAY": 1 / float(rate[0]) if rate else 0,
        "RANDOMIZE_DOWNLOAD_DELAY": False,
        "LOG_LEVEL": "ERROR",
        "TELNETCONSOLE_ENABLED": False,
        "ROBOTSTXT_OBEY": False,
    }
    process = CrawlerProcess(settings)
    process.crawl(Sellers, url=url, nodes=nodes)
    process.start()


if __name__ == "__main__":
    main()
