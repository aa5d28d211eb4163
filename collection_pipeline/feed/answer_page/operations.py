"""The addresses behind the answer page, and what each answers."""

from __future__ import annotations

from typing import Any

from collection_pipeline.actions.judging import Verdict
from collection_pipeline.feed.answer_page.asking import MOST_CHOSEN, Changed, Direction, Shown
from collection_pipeline.feed.answer_page.endpoints import MOST_ROWS, AnswerEndpoints
from collection_pipeline.feed.answer_page.rows import Choices, Edited, Judged, Overview, SellerCount
from collection_pipeline.feed.operation import Operation, Parameter, limit_parameter
from collection_pipeline.feed.schemas import Schema, object_of, schema_of
from collection_pipeline.files.export import Format
from collection_pipeline.tables.collecting.browsing import (
    BrowsedProduct,
    ListingSort,
    ProductListing,
    ProductProfile,
    ProductSort,
)
from collection_pipeline.tables.collecting.comparing import CollectionFigures, CollectionsCompared, ComparedSeller
from collection_pipeline.tables.sellers.browsing import BrowsedSeller, SellerSort
from collection_pipeline.tables.sellers.profiles import SellerListing, SellerProfile

_TEXT, _COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
_YES_NO = {"type": "string", "enum": ["yes", "no"]}

_ORG = Parameter("org_id", "Whose; by default the token's, or this installation's.", _TEXT)
_PAGE = (Parameter("after", "Where the page begins: `next` of the one before.", _TEXT), limit_parameter(50, MOST_ROWS))


def _page_of(kind: Any) -> Schema:
    return object_of({"rows": {"type": "array", "items": schema_of(kind)}, "next": schema_of(str | None)})


def _sort(kind: type[SellerSort] | type[ProductSort]) -> tuple[Parameter, Parameter]:
    return (
        Parameter("sort", "What it is sorted by.", {"type": "string", "enum": [*kind]}),
        Parameter("direction", "Which way; each sort has its usual one.", {"type": "string", "enum": [*Direction]}),
    )


_FILTER = (
    Parameter("q", "Beginnings of words of the name.", _TEXT),
    Parameter("category", "Who sells a current best seller of it.", _TEXT),
    Parameter("new_in", "Who came by this collection.", _TEXT),
    Parameter("since", "Who came on this day or later, or since this moment.", _TEXT),
    Parameter("min_products", "Who sells at least so many products.", _COUNT),
    Parameter("min_feedback", "Who has at least this feedback score.", _COUNT),
    Parameter("min_feedback_percent", "Whose positive feedback is at least so many percent.", {"type": "number"}),
    Parameter("min_match", "Who has a listing that is known to match its product as much, 0 to 1.", {"type": "number"}),
    Parameter("flagged", "Flagged ones, or the others.", _YES_NO),
    Parameter("exported", "Those that an export has included, or the others.", _YES_NO),
    Parameter("status", "Active ones unless told otherwise.", {"type": "string", "enum": [*Shown]}),
    _ORG,
)
_MIN_MATCH = Parameter("min_match", "Those that are known to match the product as much, 0 to 1.", {"type": "number"})
_SELLER = (
    Parameter("key", "The seller's key.", _TEXT, example="anna"),
    Parameter("marketplace", "Where the account is.", {**_TEXT, "default": "ebay"}),
    _ORG,
)
_PRODUCT = (Parameter("asin", "The product's number.", _TEXT, example="A1"), _ORG)
_TWO = (
    Parameter("first", "The earlier collection.", _TEXT, example="c"),
    Parameter("second", "The later one.", _TEXT, example="c"),
    _ORG,
)
_KEYS: Schema = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": MOST_CHOSEN}
_ACTOR = {"actor": {**_TEXT, "description": "Who asks, for the log."}}

_API = "/api/answer"
_EDITED = schema_of(Edited)

ANSWER_OPERATIONS = (
    Operation("GET", f"{_API}/overview", AnswerEndpoints.overview, "The overview.", schema_of(Overview), (_ORG,)),
    Operation(
        "GET",
        f"{_API}/choices",
        AnswerEndpoints.choices,
        "Categories and collections that can be chosen.",
        schema_of(Choices),
        (_ORG,),
    ),
    Operation(
        "GET",
        f"{_API}/sellers",
        AnswerEndpoints.sellers,
        "The seller list.",
        _page_of(BrowsedSeller),
        (*_FILTER, *_sort(SellerSort), *_PAGE),
    ),
    Operation(
        "GET",
        f"{_API}/sellers/count",
        AnswerEndpoints.seller_count,
        "How many sellers fit these filters.",
        schema_of(SellerCount),
        _FILTER,
    ),
    Operation(
        "GET",
        f"{_API}/seller",
        AnswerEndpoints.seller,
        "One seller: its categories, its past, and who sells the same.",
        schema_of(SellerProfile),
        _SELLER,
    ),
    Operation(
        "GET",
        f"{_API}/seller/listings",
        AnswerEndpoints.seller_listings,
        "Its listings, current ones first.",
        _page_of(SellerListing),
        (*_SELLER, _MIN_MATCH, *_PAGE),
    ),
    Operation(
        "GET",
        f"{_API}/products",
        AnswerEndpoints.products,
        "Current best sellers.",
        _page_of(BrowsedProduct),
        (
            Parameter("q", "Beginnings of words of the title.", _TEXT),
            Parameter("category", "Only those on its list.", _TEXT),
            *_sort(ProductSort),
            _ORG,
            *_PAGE,
        ),
    ),
    Operation(
        "GET",
        f"{_API}/product",
        AnswerEndpoints.product,
        "One product and its places on the lists over time.",
        schema_of(ProductProfile),
        _PRODUCT,
    ),
    Operation(
        "GET",
        f"{_API}/product/listings",
        AnswerEndpoints.product_listings,
        "Its listings, current ones first: the cheapest, or the likeliest.",
        _page_of(ProductListing),
        (
            *_PRODUCT,
            Parameter("sort", "What they are sorted by.", {"type": "string", "enum": [*ListingSort]}),
            _MIN_MATCH,
            *_PAGE,
        ),
    ),
    Operation(
        "GET",
        f"{_API}/collections",
        AnswerEndpoints.timeline,
        "All collections, newest first, each with what it found and took.",
        _page_of(CollectionFigures),
        (_ORG, _PAGE[0], limit_parameter(20, MOST_ROWS)),
    ),
    Operation(
        "GET",
        f"{_API}/compare",
        AnswerEndpoints.compare,
        "Two collections: how many sellers came, left and stayed.",
        schema_of(CollectionsCompared),
        _TWO,
    ),
    Operation(
        "GET",
        f"{_API}/compare/sellers",
        AnswerEndpoints.compared_sellers,
        "Who came, or left, from one collection to the other.",
        _page_of(ComparedSeller),
        (*_TWO, Parameter("change", "Who.", {"type": "string", "enum": [*Changed]}), *_PAGE),
    ),
    Operation(
        "POST",
        f"{_API}/sellers/flag",
        AnswerEndpoints.flag,
        "Flags sellers, where this server may control.",
        _EDITED,
        (_ORG,),
        body=object_of({**_ACTOR, "keys": _KEYS, "is_flagged": schema_of(bool)}),
    ),
    Operation(
        "POST",
        f"{_API}/sellers/remove",
        AnswerEndpoints.remove,
        "Takes sellers off the list, where this server may control.",
        _EDITED,
        (_ORG,),
        body=object_of({**_ACTOR, "keys": _KEYS}),
    ),
    Operation(
        "POST",
        f"{_API}/sellers/export",
        AnswerEndpoints.export,
        "Sellers as a file, where this server may control: that they were exported is written down. `keys` names them; "
        "with `whole_view` they are all who fit the filters.",
        {"type": "string", "format": "binary"},
        _FILTER,
        "application/octet-stream",
        object_of(
            {**_ACTOR, "keys": _KEYS, "whole_view": schema_of(bool), "format": {"type": "string", "enum": [*Format]}}
        ),
    ),
    Operation(
        "POST",
        f"{_API}/listings/judge",
        AnswerEndpoints.judge,
        "Says whether listings are the product that they were found for, where this server may control.",
        schema_of(Judged),
        (_ORG,),
        body=object_of({**_ACTOR, "asin": _TEXT, "keys": _KEYS, "verdict": {"type": "string", "enum": [*Verdict]}}),
    ),
    Operation(
        "POST",
        f"{_API}/sellers/undo",
        AnswerEndpoints.undo,
        "Takes an edit back, where this server may control.",
        _EDITED,
        (_ORG,),
        body=object_of({**_ACTOR, "audit_id": schema_of(int)}),
    ),
)
