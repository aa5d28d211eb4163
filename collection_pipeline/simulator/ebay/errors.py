"""eBay's error bodies, and the texts of the codes that the simulator gives (docs/sources.md 1.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TEXTS: Mapping[int, str] = {
    12000: "There was a problem with an eBay internal system or process. "
    "Contact eBay developer support for assistance.",
    12001: "The call must have a valid 'q', 'category_ids', 'epid' or 'gtin' query parameter.",
    12002: "The {filterName} value is invalid. For the valid values, refer to the API call documentation.",
    12003: "A seller 'username' provided in the request filters is invalid.",
    12004: "The 'offset' value cannot be negative.",
    12005: "The 'offset' value must be an integer.",
    12006: "The 'limit' value should be between 1 and 200 (inclusive).",
    12007: "The 'limit' value must be an integer value.",
    12008: "The 'sort' value is invalid. For the valid values, refer to the API call documentation.",
    12009: "The 'category_ids' query parameter is invalid.",
    12010: "There are four filters required for local pickup. 'pickupPostalCode','pickupCountry','pickupRadiusUnit',"
    "'pickupRadius'. One or more is missing or invalid.",
    12011: "'deliveryCountry' is a mandatory filter to provide a delivery location. 'deliveryPostalCode' is optional.",
    12012: "A valid 'price' filter and a valid 'priceCurrency' filter is necessary to filter based on price.",
    12014: "The 'sellerAccountTypes' filter is not supported for the marketplace {marketplaceId}. Valid marketplaces "
    "are: {validMarketplaces}",
    12015: "The postal code filter value is invalid for the specified country and this filter was ignored.",
    12016: "The 'fieldgroups' value {fieldgroups} is invalid. For the valid values, refer to the API call reference "
    "documentation",
    12017: "The 'aspect_filter' query parameter must include a categoryId. For information, see the API call reference "
    "documentation.",
    12021: "The 'epid' value {epid} is invalid. For information, see the API call reference documentation.",
    12022: "The 'gtin' value {gtin} is invalid. For information, see the API call reference documentation.",
    12023: "This keyword search results in a response that is too large to return. Either change the keyword or add "
    "additional query parameters and/or filters.",
    12027: "The 'auto_correct' value is invalid. For the valid values, refer to the API call documentation.",
    12029: "The maximum number of listings that can be retrieved is 10,000, so your offset value must be less than "
    "10,000. If 10,000 or more listings are matching your search criteria, "
    "consider narrowing the scope of your search.",
    12030: "The number of categories in the request has exceeded the limit. Please reduce the number of categories to "
    "{allowedMaxCategories} or less.",
    12032: "The number of sellers in the filter has exceeded the limit. Please reduce the number of sellers to 250 or "
    "fewer.",
    12507: "To filter by 'guaranteedDeliveryInDays', you must include 'deliveryCountry'.",
    12508: "To filter by 'guaranteedDeliveryInDays', you must include 'deliveryPostalCode' for the 'deliveryCountry'.",
    12515: "The 'offset' value must be either zero or a multiple of the 'limit' value.",
    12516: "The ‘q’ value is invalid. It must be longer than one character when using the "
    "‘searchInDescription’ filter.",
    12517: "Only one item location filter can be applied at a time. Refer to the API call documentation.",
    12518: "The 'itemLocationRegion' filter value is not supported for the marketplace {marketplaceId}. Valid values "
    "are: {validRegionValues}",
}

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Problem:
    """One of eBay's codes with the parameters that fill its text: an error, or a warning beside results."""

    code: int
    parameters: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, object]:
        """As it stands in `errors` or `warnings`."""
        text = _PLACE.sub(lambda found: self.parameters.get(found[1], ""), TEXTS[self.code])
        body: dict[str, object] = {
            "errorId": self.code,
            "domain": "API_BROWSE",
            "category": _category(self.code),
            "message": text,
        }
        if self.parameters:
            body["parameters"] = [{"name": name, "value": value} for name, value in self.parameters.items()]
        return body


class Refused(Exception):
    """A request that eBay refuses with a status of 400 or more."""

    def __init__(self, code: int, status: int = 400, **parameters: str) -> None:
        super().__init__(code)
        self.problem = Problem(code, parameters)
        self.status = status


def _category(code: int) -> str:
    return {12000: "APPLICATION", 12014: "BUSINESS"}.get(code, "REQUEST")


INVALID_TOKEN = {
    "errorId": 1001,
    "domain": "OAuth",
    "category": "REQUEST",
    "message": "Invalid access token",
    "longMessage": "Invalid access token. Check the value of the Authorization HTTP request header.",
}
ACCESS_DENIED = {
    "errorId": 1100,
    "domain": "ACCESS",
    "category": "REQUEST",
    "message": "Access denied",
    "longMessage": "Insufficient permissions to fulfill the request.",
}
QUOTA_GONE = {
    "errorId": 2001,
    "domain": "ACCESS",
    "category": "REQUEST",
    "message": "Too many requests.",
    "longMessage": "The request limit has been reached for the resource.",
}
