"""The answers behind the answer page: lists in pages, single rows, and the overview."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar, cast

from starlette.requests import Request
from starlette.responses import Response

from collection_pipeline.core.collecting.next_tick import next_tick
from collection_pipeline.core.errors import PipelineError, TookTooLong
from collection_pipeline.core.sellers.identity import MARKETPLACE
from collection_pipeline.feed.access import FeedConfig
from collection_pipeline.feed.answer_page import asking
from collection_pipeline.feed.answer_page.editing import Editing
from collection_pipeline.feed.answer_page.rows import CategoryChoice, Choices, NextCollection, Overview, SellerCount
from collection_pipeline.feed.answers import Refused, answer
from collection_pipeline.feed.parameters import needed, one_of, org_of, require_control, shown_org, text, whole_number
from collection_pipeline.feed.reading import Lane
from collection_pipeline.tables.collecting.browsing import ListingSort, ProductBrowser, ProductSort
from collection_pipeline.tables.collecting.comparing import Change, CollectionBrowser, CollectionFigures
from collection_pipeline.tables.sellers.browsing import SellerBrowser, SellerSort
from collection_pipeline.tables.sellers.profiles import SellerProfiles
from collection_pipeline.tables.store import Store
from collection_pipeline.tables.watching.overview import DAYS_OF_ALERTS, DAYS_OF_NEW_SELLERS, OverviewStore

P = ParamSpec("P")
R = TypeVar("R")

MOST_ROWS = 200


class AnswerEndpoints:
    """The endpoints of the answer page."""

    def __init__(self, config: FeedConfig, store: Store, lane: Lane) -> None:
        self._config, self._store, self._lane = config, store, lane
        self._sellers, self._profiles = SellerBrowser(store.engine), SellerProfiles(store.engine)
        self._products, self._collections = ProductBrowser(store.engine), CollectionBrowser(store.engine)
        self._overview = OverviewStore(store.engine)
        self._editing = Editing(config, store)

    async def overview(self, request: Request) -> Response:
        """What a manager opens on Monday."""
        return answer(await self._read(self._whole_overview, self._org(request), shown_org(request)))

    async def choices(self, request: Request) -> Response:
        """What can be chosen in filters."""
        return answer(await self._read(self._choices, self._org(request)))

    async def sellers(self, request: Request) -> Response:
        """A page of the seller list."""
        wanted, sort = asking.seller_filter(request), one_of(request, "sort", SellerSort, SellerSort.NAME)
        page = await self._read(
            self._sellers.page,
            self._org(request),
            wanted,
            sort,
            is_descending=asking.is_descending(request, default=sort is not SellerSort.NAME),
            after=text(request, "after"),
            limit=_limit(request),
        )
        return answer(page)

    async def seller_count(self, request: Request) -> Response:
        """How many sellers fit the same filters."""
        counted = await self._read(self._sellers.count, self._org(request), asking.seller_filter(request))
        return answer(SellerCount(counted.count, counted.is_more))

    async def seller(self, request: Request) -> Response:
        """One seller."""
        who = self._org(request), *_seller(request)
        profile = await self._read(self._profiles.profile, *who)
        if profile is None:
            raise Refused(404, f"There is no seller {who[2]!r} on this list.")
        return answer(profile)

    async def seller_listings(self, request: Request) -> Response:
        """A page of one seller's listings."""
        page = await self._read(
            self._profiles.listings,
            self._org(request),
            *_seller(request),
            text(request, "after"),
            _limit(request),
            min_match=asking.min_match(request),
        )
        return answer(page)

    async def products(self, request: Request) -> Response:
        """A page of best sellers."""
        category = text(request, "category")
        sort = one_of(request, "sort", ProductSort, ProductSort.POSITION if category else ProductSort.SELLERS)
        page = await self._read(
            self._products.page,
            self._org(request),
            category=category,
            words=text(request, "q"),
            sort=sort,
            is_descending=asking.is_descending(request, default=sort is not ProductSort.POSITION),
            after=text(request, "after"),
            limit=_limit(request),
        )
        return answer(page)

    async def product(self, request: Request) -> Response:
        """One product."""
        asin = needed(request, "asin")
        profile = await self._read(self._products.profile, self._org(request), asin)
        if profile is None:
            raise Refused(404, f"There is no product {asin!r} among the current best sellers.")
        return answer(profile)

    async def product_listings(self, request: Request) -> Response:
        """A page of one product's listings."""
        page = await self._read(
            self._products.listings,
            self._org(request),
            needed(request, "asin"),
            text(request, "after"),
            _limit(request),
            sort=one_of(request, "sort", ListingSort, ListingSort.PRICE),
            min_match=asking.min_match(request),
        )
        return answer(page)

    async def timeline(self, request: Request) -> Response:
        """A page of collections, newest first."""
        asked = self._org(request), text(request, "after"), _limit(request, 20)
        return answer(await self._read(self._collections.page, *asked))

    async def compare(self, request: Request) -> Response:
        """Two collections compared."""
        first, second = await self._two(request)
        return answer(await self._read(self._collections.compared, first, second))

    async def compared_sellers(self, request: Request) -> Response:
        """A page of those who came or left."""
        first, second = await self._two(request)
        change = cast(Change, str(one_of(request, "change", asking.Changed, asking.Changed.CAME)))
        ids = self._org(request), first.collection_id, second.collection_id
        return answer(
            await self._read(self._collections.changed, *ids, change, text(request, "after"), _limit(request))
        )

    async def flag(self, request: Request) -> Response:
        """Flags sellers, or takes their flags away."""
        return await self._edit(request, self._editing.flag)

    async def remove(self, request: Request) -> Response:
        """Takes sellers off the list."""
        return await self._edit(request, self._editing.remove)

    async def undo(self, request: Request) -> Response:
        """Takes an edit back."""
        return await self._edit(request, self._editing.undo)

    async def judge(self, request: Request) -> Response:
        """Whether listings are a product."""
        return await self._edit(request, self._editing.judge)

    async def export(self, request: Request) -> Response:
        """Sellers as a file."""
        return await self._edit(request, self._editing.export)

    async def _edit(self, request: Request, edit: Callable[[str, asking.Edit], Response]) -> Response:
        require_control(request)
        org_id, asked = self._org(request), await asking.edit_of(request)
        try:
            return await self._lane.read(edit, org_id, asked)
        except PipelineError as error:
            raise Refused(409, str(error)) from None

    async def _two(self, request: Request) -> tuple[CollectionFigures, CollectionFigures]:
        org_id, first, second = self._org(request), needed(request, "first"), needed(request, "second")
        return await self._of_id(org_id, first), await self._of_id(org_id, second)

    async def _of_id(self, org_id: str, collection_id: str) -> CollectionFigures:
        found = await self._read(self._collections.one, org_id, collection_id)
        if found is None:
            raise Refused(404, f"There is no collection {collection_id!r}. /api/answer/collections lists them.")
        return found

    async def _read(self, query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await self._lane.read(query, *args, **kwargs)
        except TookTooLong as error:
            raise Refused(503, str(error)) from None
        except PipelineError as error:
            raise Refused(400, str(error)) from None

    def _org(self, request: Request) -> str:
        return org_of(request, self._config.org_id)

    def _whole_overview(self, org_id: str, shown: str | None) -> Overview:
        now, schedule = datetime.now(UTC), self._config.schedule
        return Overview(
            org_id=org_id,
            points=self._overview.points(org_id),
            new_sellers=self._overview.new_sellers(org_id, now - timedelta(days=DAYS_OF_NEW_SELLERS)),
            new_sellers_days=DAYS_OF_NEW_SELLERS,
            alerts=self._overview.alerts(shown, now - timedelta(days=DAYS_OF_ALERTS)),
            alerts_days=DAYS_OF_ALERTS,
            quotas=self._overview.quotas(self._config.limits, now),
            newest=self._collections.page(org_id, limit=1).rows,
            next_collection=NextCollection(next_tick(schedule.cron, schedule.timezone, now), schedule.preset),
        )

    def _choices(self, org_id: str) -> Choices:
        catalogue = self._store.catalogue.current()
        categories = [CategoryChoice(one.key, one.name, one.department_name) for one in catalogue.categories.values()]
        newest = self._collections.page(org_id, limit=100).rows
        return Choices(categories, [one.collection_id for one in newest])


def _limit(request: Request, default: int = 50) -> int:
    return whole_number(request, "limit", default, least=1, most=MOST_ROWS)


def _seller(request: Request) -> tuple[str, str]:
    return text(request, "marketplace") or MARKETPLACE, needed(request, "key")
