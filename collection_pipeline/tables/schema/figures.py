"""Figures that the database keeps up to date as listings and best sellers change, in the same transaction.

What everybody asks about everything (which sellers carry the most best sellers, how far prices spread) would otherwise
read every listing there is. One function brings the figures of some products up to date, whatever they were before: it
compares what the listings say now with what was kept, and passes the differences on to the sellers. Triggers call it.

Whoever changes a product's figures holds its row of `product_figures`, so that two who change its listings at once
count each other's. The best match of a seller is no sum: whoever may have lowered it holds the seller's row while
looking for what is best now. Rows are locked in one order everywhere: products by ASIN, then sellers by key. So a
transaction that changes several products by more than one statement, or by an upsert, which fires two triggers, locks
all first.
"""

from __future__ import annotations

# A slice keeps the arrays and sorts small when one statement changes the listings of a whole organisation.
SLICE = 500
"""Products whose figures are brought up to date together."""

SAME_PRODUCT = "0.5"
"""From this match on a listing counts for `matched_products`; the default threshold of core/matching."""

_DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"

LOCK_FIGURES = f"""
CREATE OR REPLACE FUNCTION lock_figures(of_org text, of_asins text[]) RETURNS void LANGUAGE plpgsql
{_DEFINER} SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO product_figures (org_id, asin)
    SELECT DISTINCT of_org, a FROM unnest(of_asins) a ORDER BY a ON CONFLICT DO NOTHING;
    PERFORM FROM product_figures f WHERE f.org_id = of_org AND f.asin = ANY (of_asins) ORDER BY f.asin FOR UPDATE;
END $$
"""  # noqa: S608

# Every statement of a function sees what was committed before it began: after the locks, all of it.
REFRESH_FIGURES = f"""
CREATE OR REPLACE FUNCTION refresh_figures(of_org text, of_asins text[]) RETURNS void LANGUAGE plpgsql
{_DEFINER} SET enable_seqscan = off AS $$
DECLARE lowered record;
BEGIN
    PERFORM lock_figures(of_org, of_asins);
    WITH asked AS MATERIALIZED (
        SELECT DISTINCT a AS asin FROM unnest(of_asins) a
    ), listing AS MATERIALIZED (
        SELECT a.asin, l.marketplace, l.seller_key, l.price, l.match FROM asked a CROSS JOIN LATERAL (
            SELECT * FROM ebay_listings l WHERE l.org_id = of_org AND l.asin = a.asin AND l.gone_at IS NULL OFFSET 0
        ) l
    ), now_sold AS MATERIALIZED (
        SELECT asin, marketplace, seller_key, count(*)::integer AS listings, max(match) AS match
        FROM listing GROUP BY 1, 2, 3
    ), was_sold AS MATERIALIZED (
        SELECT a.asin, s.marketplace, s.seller_key, s.listings, s.match FROM asked a CROSS JOIN LATERAL (
            SELECT * FROM seller_products s WHERE s.org_id = of_org AND s.asin = a.asin OFFSET 0
        ) s
    ), listed AS MATERIALIZED (
        SELECT a.asin, f.categories AS before, coalesce(n.categories, '{{}}') AS after
        FROM asked a
        JOIN product_figures f ON f.org_id = of_org AND f.asin = a.asin
        CROSS JOIN LATERAL (
            SELECT array_agg(p.category ORDER BY p.category) AS categories
            FROM amazon_products p WHERE p.org_id = of_org AND p.asin = a.asin
        ) n
    ), priced AS (
        SELECT asin, count(*)::integer AS listings, min(price) AS low, max(price) AS high,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY price)::numeric(12, 2) AS median
        FROM listing GROUP BY asin
    ), product AS (
        UPDATE product_figures f SET
            categories = l.after, listings = coalesce(p.listings, 0), sellers = coalesce(s.sellers, 0),
            price_low = p.low, price_median = p.median, price_high = p.high
        FROM listed l
        LEFT JOIN priced p ON p.asin = l.asin
        LEFT JOIN (SELECT asin, count(*)::integer AS sellers FROM now_sold GROUP BY asin) s ON s.asin = l.asin
        WHERE f.org_id = of_org AND f.asin = l.asin
    ), lost AS (
        DELETE FROM seller_products s USING was_sold w
        WHERE s.org_id = of_org AND s.asin = w.asin AND s.marketplace = w.marketplace AND s.seller_key = w.seller_key
          AND NOT EXISTS (
            SELECT FROM now_sold n
            WHERE (n.asin, n.marketplace, n.seller_key) = (w.asin, w.marketplace, w.seller_key))
    ), sold AS (
        INSERT INTO seller_products (org_id, asin, marketplace, seller_key, listings, match)
        SELECT of_org, n.asin, n.marketplace, n.seller_key, n.listings, n.match FROM now_sold n
        WHERE NOT EXISTS (
            SELECT FROM was_sold w
            WHERE (w.asin, w.marketplace, w.seller_key, w.listings)
                = (n.asin, n.marketplace, n.seller_key, n.listings) AND w.match IS NOT DISTINCT FROM n.match)
        ON CONFLICT (org_id, asin, marketplace, seller_key)
        DO UPDATE SET listings = excluded.listings, match = excluded.match
    ), pair AS MATERIALIZED (
        -- Only those of whom something changes: on a page of known listings there is none, and little to do after this.
        SELECT p.* FROM (
            SELECT asin, marketplace, seller_key, n.listings IS NOT NULL AS sells, w.listings IS NOT NULL AS sold,
                   n.match, w.match AS former_match
            FROM now_sold n FULL JOIN was_sold w USING (asin, marketplace, seller_key)
        ) p JOIN listed l USING (asin)
        WHERE p.sells <> p.sold OR p.match IS DISTINCT FROM p.former_match OR l.before <> l.after
    ), by_category AS MATERIALIZED (
        SELECT p.marketplace, p.seller_key, c.category,
               sum((p.sells AND c.category = ANY (l.after))::integer
                   - (p.sold AND c.category = ANY (l.before))::integer)::integer AS change
        FROM pair p
        JOIN listed l USING (asin)
        CROSS JOIN LATERAL (SELECT DISTINCT unnest(l.before || l.after) AS category) c
        GROUP BY 1, 2, 3
    ), in_category AS (
        INSERT INTO seller_categories AS t (org_id, marketplace, seller_key, category, best_sellers)
        SELECT of_org, b.marketplace, b.seller_key, b.category, b.change FROM by_category b WHERE b.change <> 0
        ORDER BY b.marketplace, b.seller_key, b.category
        ON CONFLICT (org_id, marketplace, seller_key, category)
        DO UPDATE SET best_sellers = t.best_sellers + excluded.best_sellers
        RETURNING t.marketplace, t.seller_key, t.category, t.best_sellers
    ), by_seller AS MATERIALIZED (
        SELECT marketplace, seller_key, sum(products)::integer AS products, sum(best_sellers)::integer AS best_sellers,
               sum(categories)::integer AS categories, sum(matched_products)::integer AS matched_products,
               max(match) AS best_match, bool_or(is_rematched) AS is_rematched, max(lost_match) AS lost_match
        FROM (
            SELECT p.marketplace, p.seller_key, p.sells::integer - p.sold::integer AS products,
                   (p.sells AND l.after <> '{{}}')::integer - (p.sold AND l.before <> '{{}}')::integer AS best_sellers,
                   0 AS categories,
                   coalesce(p.match >= {SAME_PRODUCT}, false)::integer
                   - coalesce(p.former_match >= {SAME_PRODUCT}, false)::integer AS matched_products,
                   p.match, p.match IS DISTINCT FROM p.former_match AS is_rematched,
                   CASE WHEN p.match >= p.former_match THEN NULL ELSE p.former_match END AS lost_match
            FROM pair p JOIN listed l USING (asin)
            UNION ALL
            SELECT i.marketplace, i.seller_key, 0, 0,
                   (i.best_sellers = b.change)::integer - (i.best_sellers = 0)::integer, 0, NULL, false, NULL
            FROM in_category i JOIN by_category b USING (marketplace, seller_key, category)
        ) change
        GROUP BY 1, 2
    ), of_seller AS (
        INSERT INTO seller_figures AS t
            (org_id, marketplace, seller_key, products, best_sellers, categories, matched_products, best_match)
        SELECT of_org, b.marketplace, b.seller_key, b.products, b.best_sellers, b.categories, b.matched_products,
               b.best_match
        FROM by_seller b
        WHERE (b.products, b.best_sellers, b.categories) <> (0, 0, 0) OR b.is_rematched
        ORDER BY b.marketplace, b.seller_key
        ON CONFLICT (org_id, marketplace, seller_key) DO UPDATE SET
            products = t.products + excluded.products, best_sellers = t.best_sellers + excluded.best_sellers,
            categories = t.categories + excluded.categories,
            matched_products = t.matched_products + excluded.matched_products,
            best_match = greatest(t.best_match, excluded.best_match)
        RETURNING t.marketplace, t.seller_key, t.best_match
    )
    SELECT count(*) AS sellers, array_agg(marketplace) FILTER (WHERE b.lost_match >= f.best_match) AS marketplaces,
           array_agg(seller_key) FILTER (WHERE b.lost_match >= f.best_match) AS keys
    INTO lowered FROM of_seller f JOIN by_seller b USING (marketplace, seller_key);
    IF lowered.sellers = 0 THEN
        RETURN;
    END IF;
    -- Who lost what may have been the best match. Their rows are held: nobody else changes what is best meanwhile.
    IF lowered.keys IS NOT NULL THEN
        UPDATE seller_figures f SET best_match = (
            SELECT max(x.match) FROM seller_products x
            WHERE x.org_id = of_org AND x.marketplace = f.marketplace AND x.seller_key = f.seller_key)
        FROM unnest(lowered.marketplaces, lowered.keys) AS l (marketplace, seller_key)
        WHERE f.org_id = of_org AND f.marketplace = l.marketplace AND f.seller_key = l.seller_key;
    END IF;
    -- Who sells nothing any more leaves no trace. A row that somebody else holds is theirs to remove.
    DELETE FROM seller_categories WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM seller_categories WHERE org_id = of_org AND best_sellers = 0 FOR UPDATE SKIP LOCKED));
    DELETE FROM seller_figures WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM seller_figures WHERE org_id = of_org AND products = 0 FOR UPDATE SKIP LOCKED));
END $$
"""  # noqa: S608

_KEPT = f"""
    LOOP
        PERFORM lock_figures(changed.org_id, changed.asins);
        FOR begins IN 1 .. cardinality(changed.asins) BY {SLICE} LOOP
            PERFORM refresh_figures(changed.org_id, changed.asins[begins : begins + {SLICE - 1}]);
        END LOOP;
    END LOOP;
"""

KEEP_FIGURES_OF_LISTINGS = f"""
CREATE OR REPLACE FUNCTION keep_figures_of_listings() RETURNS trigger LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE changed record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR changed IN
            SELECT n.org_id, array_agg(DISTINCT n.asin) AS asins FROM new_rows n WHERE n.gone_at IS NULL
            GROUP BY n.org_id ORDER BY n.org_id
        {_KEPT}
    ELSIF TG_OP = 'DELETE' THEN
        FOR changed IN
            SELECT o.org_id, array_agg(DISTINCT o.asin) AS asins FROM old_rows o WHERE o.gone_at IS NULL
            GROUP BY o.org_id ORDER BY o.org_id
        {_KEPT}
    ELSE
        FOR changed IN
            SELECT n.org_id, array_agg(DISTINCT n.asin) AS asins
            FROM old_rows o JOIN new_rows n USING (org_id, asin, listing_id)
            WHERE (o.gone_at IS NULL) <> (n.gone_at IS NULL)
               OR n.gone_at IS NULL AND (o.price, o.marketplace, o.seller_key, o.match)
                                        IS DISTINCT FROM (n.price, n.marketplace, n.seller_key, n.match)
            GROUP BY n.org_id ORDER BY n.org_id
        {_KEPT}
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608

KEEP_FIGURES_OF_BEST_SELLERS = f"""
CREATE OR REPLACE FUNCTION keep_figures_of_best_sellers() RETURNS trigger LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE changed record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR changed IN
            SELECT n.org_id, array_agg(DISTINCT n.asin) AS asins FROM new_rows n GROUP BY n.org_id ORDER BY n.org_id
        {_KEPT}
    ELSE
        FOR changed IN
            SELECT o.org_id, array_agg(DISTINCT o.asin) AS asins FROM old_rows o GROUP BY o.org_id ORDER BY o.org_id
        {_KEPT}
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608


def _trigger(table: str, event: str, function: str) -> str:
    rows = {"INSERT": "NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows"}
    referenced = rows.get(event, "OLD TABLE AS old_rows NEW TABLE AS new_rows")
    return (
        f"CREATE OR REPLACE TRIGGER {function}_{event.lower()} AFTER {event} ON {table} "
        f"REFERENCING {referenced} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


_TRIGGERS = (
    *(_trigger("ebay_listings", event, "keep_figures_of_listings") for event in ("INSERT", "UPDATE", "DELETE")),
    *(_trigger("amazon_products", event, "keep_figures_of_best_sellers") for event in ("INSERT", "DELETE")),
)

_COMMENTS = (
    "COMMENT ON FUNCTION refresh_figures(text, text[]) IS "
    "'Brings the figures of some products, and of who sells them, up to date with the listings. Twice is harmless.'",
    "COMMENT ON FUNCTION lock_figures(text, text[]) IS "
    "'Takes the figures of some products for this transaction, in the order that everybody takes them in.'",
)

FIGURES = (
    LOCK_FIGURES,
    REFRESH_FIGURES,
    KEEP_FIGURES_OF_LISTINGS,
    KEEP_FIGURES_OF_BEST_SELLERS,
    *_TRIGGERS,
    *_COMMENTS,
)
"""The functions and triggers, for the migrations to make; each statement may be run again."""

TRIGGER_FUNCTIONS = ("keep_figures_of_listings()", "keep_figures_of_best_sellers()")
