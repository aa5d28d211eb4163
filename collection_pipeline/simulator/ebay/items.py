"""eBay's ItemSummary: one listing as the Browse API shows it (docs/sources.md 1.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from collection_pipeline.simulator.ebay.filters import ACCOUNT_TYPE_MARKETPLACES
from collection_pipeline.simulator.world.kinds import CENT, NEW, OPENED, USD_PER, Shipping
from collection_pipeline.simulator.world.listings import Listing

_CONDITION_NAMES = {NEW: "New", OPENED: "Open box", "3000": "Used"}
_TODAY = datetime(2026, 9, 30, 12, 0, tzinfo=UTC)
"""Dates in items count from here, so that a world is the same on every day."""
_POSTAL_CODES = {"US": ("432**", "100**", "941**"), "CN": ("518***",), "CA": ("M5V***",), "GB": ("SW1***",)}


def item_summary(listing: Listing, variation: int, marketplace: str, *, seller_ids: bool) -> dict[str, object]:
    """The summary of a listing. One of its variations stands for all, and which one rotates."""
    shown = listing.shown
    variation_id = listing.variations[variation % len(listing.variations)] if listing.variations else "0"
    item_id = f"v1|{listing.id}|{variation_id}"
    item: dict[str, object] = {
        "itemId": item_id,
        "title": listing.title,
        "leafCategoryIds": ["20668"],
        "categories": [{"categoryId": "20668", "categoryName": "Small Appliances"}],
        "image": {"imageUrl": f"https://i.ebayimg.com/images/g/{listing.id}/s-l225.jpg"},
        "itemHref": f"https://api.ebay.com/buy/browse/v1/item/{quote(item_id)}",
        "seller": _seller(listing, marketplace, seller_ids=seller_ids),
        "buyingOptions": list(shown.buying_options),
        "itemWebUrl": f"https://www.ebay.com/itm/{listing.id}?hash=item{int(listing.id):x}",
        "itemLocation": {
            "postalCode": _POSTAL_CODES[shown.country][int(listing.id) % len(_POSTAL_CODES[shown.country])],
            "country": shown.country,
        },
        "adultOnly": False,
        "legacyItemId": listing.id,
        "availableCoupons": int(listing.id) % 17 == 0,
        "itemCreationDate": _date(_TODAY - timedelta(days=listing.age_days)),
        "topRatedBuyingExperience": int(listing.id) % 5 == 0,
        "priorityListing": int(listing.id) % 3 == 0,
        "listingMarketplaceId": marketplace,
    }
    if int(listing.id) % 11 == 0:
        del item["image"]
    if shown.condition is not None:
        item |= {"condition": _CONDITION_NAMES[shown.condition], "conditionId": shown.condition}
    if shown.price is not None:
        item["price"] = _price(shown.price, shown.currency, shown.converted_from)
        if int(listing.id) % 13 == 0:
            item["marketingPrice"] = {"discountPercentage": "0"}
    if shown.bid is not None:
        item["currentBidPrice"] = _amount(shown.bid, "USD")
        item["bidCount"] = int(listing.id) % 9
        item["itemEndDate"] = _date(_TODAY + timedelta(days=5))
    if shown.shipping is not None:
        item["shippingOptions"] = [_shipping(shown.shipping)]
    if listing.variations:
        item["itemGroupHref"] = (
            f"https://api.ebay.com/buy/browse/v1/item/get_items_by_item_group?item_group_id={listing.id}"
        )
        item["itemGroupType"] = "SELLER_DEFINED_VARIATIONS"
        item["itemWebUrl"] = f"{item['itemWebUrl']}&var={variation_id}"
    return item


def shown_name(listing: Listing, *, seller_ids: bool) -> str:
    """What `seller.username` carries for this listing."""
    return listing.seller.user_id if seller_ids else listing.seller_name


def _seller(listing: Listing, marketplace: str, *, seller_ids: bool) -> dict[str, object]:
    seller: dict[str, object] = {
        "username": shown_name(listing, seller_ids=seller_ids),
        "feedbackPercentage": listing.seller.feedback_percentage,
        "feedbackScore": listing.seller.feedback_score,
    }
    if marketplace in ACCOUNT_TYPE_MARKETPLACES:
        seller["sellerAccountType"] = listing.seller.account_type
    return seller


def _price(value: Decimal, currency: str, converted_from: str | None) -> dict[str, str]:
    price = _amount(value, currency)
    if converted_from is not None:
        original = (value / USD_PER[converted_from]).quantize(CENT)
        price |= {"convertedFromValue": str(original), "convertedFromCurrency": converted_from}
    return price


def _amount(value: Decimal, currency: str) -> dict[str, str]:
    return {"value": f"{value:.2f}", "currency": currency}


def _shipping(shipping: Shipping) -> dict[str, object]:
    option: dict[str, object] = {"shippingCostType": shipping.type}
    if shipping.cost is not None:
        option["shippingCost"] = _amount(shipping.cost, "USD")
        option["minEstimatedDeliveryDate"] = _date(_TODAY + timedelta(days=3))
        option["maxEstimatedDeliveryDate"] = _date(_TODAY + timedelta(days=6))
        option["guaranteedDelivery"] = False
    return option


def _date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
