"""Views for the usual questions. They are created by the migrations and stay stable for consumers."""

from __future__ import annotations

VIEWS: dict[str, str] = {
    "collection_progress": """
        SELECT
            c.collection_id,
            c.org_id,
            c.status,
            c.started_at,
            c.completed_at,
            k.departments,
            k.categories_total,
            k.categories_listed,
            k.categories_done,
            k.categories_failed,
            k.products_found,
            s.searches_total,
            s.searches_done,
            s.searches_failed,
            s.searches_skipped,
            s.listings_found,
            (SELECT count(*) FROM seller_sightings g WHERE g.collection_id = c.collection_id) AS sellers_found,
            k.new_sellers,
            c.calls,
            c.cost,
            c.cost_cap,
            f.failures,
            r.searches_per_minute,
            CASE WHEN c.completed_at IS NULL AND r.searches_per_minute > 0 AND k.categories_listed > 0 THEN
                make_interval(secs => 60 * greatest(0, s.searches_total * k.categories_total::float8
                    / k.categories_listed - s.searches_ended) / r.searches_per_minute)
            END AS time_left,
            c.paused_reason,
            c.paused_until
        FROM collections c
        CROSS JOIN LATERAL (
            SELECT
                count(DISTINCT d.department) AS departments,
                count(*) AS categories_total,
                count(u.products) AS categories_listed,
                count(*) FILTER (WHERE u.status = 'done') AS categories_done,
                count(*) FILTER (WHERE u.status = 'failed') AS categories_failed,
                coalesce(sum(u.products), 0)::bigint AS products_found,
                coalesce(sum(u.new_sellers), 0)::bigint AS new_sellers
            FROM collection_categories u
            LEFT JOIN categories d USING (category)
            WHERE u.collection_id = c.collection_id
        ) k
        CROSS JOIN LATERAL (
            SELECT
                count(*) AS searches_total,
                count(*) FILTER (WHERE p.status IN ('done', 'empty')) AS searches_done,
                count(*) FILTER (WHERE p.status = 'failed') AS searches_failed,
                count(*) FILTER (WHERE p.status = 'skipped') AS searches_skipped,
                count(*) FILTER (WHERE p.status <> 'planned') AS searches_ended,
                coalesce(sum(p.listings), 0)::bigint AS listings_found
            FROM product_searches p
            WHERE p.collection_id = c.collection_id
        ) s
        CROSS JOIN LATERAL (
            SELECT coalesce(jsonb_object_agg(kind, count), '{}') AS failures FROM (
                SELECT coalesce(reason, 'unknown') AS kind, count(*) FROM (
                    SELECT reason FROM product_searches p
                    WHERE p.collection_id = c.collection_id AND p.status = 'failed'
                    UNION ALL
                    SELECT reason FROM collection_categories u
                    WHERE u.collection_id = c.collection_id AND u.status = 'failed'
                ) failed GROUP BY kind
            ) kinds
        ) f
        CROSS JOIN LATERAL (
            SELECT s.searches_ended * 60 / nullif(greatest(
                extract(epoch FROM coalesce(c.completed_at, now()) - c.started_at), 0.001
            ), 0)::float8 AS searches_per_minute
        ) r
    """,
    "collection_plan_results": """
        SELECT p.collection_id, c.org_id, p.category, u.status, p.budget_calls,
               p.searches AS planned_searches, s.searches,
               p.calls AS planned_calls, s.calls,
               p.expected_new_sellers, p.expected_low, p.expected_high, u.new_sellers,
               p.left_out AS planned_left_out, s.left_out
        FROM collection_plans p
        JOIN collections c USING (collection_id)
        JOIN collection_categories u USING (collection_id, category)
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(r.count) FILTER (WHERE r.status IN ('done', 'empty', 'failed')), 0)::bigint AS searches,
                   coalesce(sum(r.calls), 0)::bigint AS calls,
                   coalesce(jsonb_object_agg(r.reason, r.count) FILTER (WHERE r.status = 'skipped'), '{}') AS left_out
            FROM (
                SELECT q.status, CASE WHEN q.status = 'skipped' THEN q.reason END AS reason,
                       count(*) AS count, sum(q.calls) AS calls
                FROM product_searches q
                WHERE q.collection_id = p.collection_id AND q.category = p.category
                GROUP BY 1, 2
            ) r
        ) s
    """,
    "collection_failures": """
        SELECT collection_id, 'category' AS unit, category, NULL AS asin, reason, error_stage, error_message,
               ended_at AS failed_at
        FROM collection_categories WHERE status = 'failed'
        UNION ALL
        SELECT collection_id, 'product', category, asin, reason, error_stage, error_message, searched_at
        FROM product_searches WHERE status = 'failed'
    """,
    "category_sellers": """
        SELECT p.org_id, p.category, p.asin, p.position, x.marketplace, x.seller_key, s.display_name,
               x.match
        FROM amazon_products p
        JOIN seller_products x ON x.org_id = p.org_id AND x.asin = p.asin
        JOIN sellers s ON s.org_id = x.org_id AND s.marketplace = x.marketplace AND s.seller_key = x.seller_key
        WHERE s.status = 'active'
    """,
    "seller_overview": """
        SELECT s.org_id, s.marketplace, s.seller_key, s.display_name, s.status, s.is_flagged,
               coalesce(f.products, 0) AS products, coalesce(f.best_sellers, 0) AS best_sellers,
               coalesce(f.categories, 0) AS categories, coalesce(f.matched_products, 0) AS matched_products,
               f.best_match
        FROM sellers s LEFT JOIN seller_figures f USING (org_id, marketplace, seller_key)
    """,
    "seller_history": """
        SELECT v.org_id, v.marketplace, v.seller_key, v.display_name, v.status, v.note, v.is_flagged,
               a.created_at AS changed_at, a.action, a.actor, a.source, a.collection_id,
               v.from_audit_id, v.to_audit_id
        FROM seller_versions v
        JOIN seller_audit_log a ON a.id = v.from_audit_id
    """,
    "list_timeline": """
        SELECT org_id, created_at AS happened_at, 'change' AS kind, action, actor, source, collection_id,
               affected_count, seller_count_snapshot AS seller_count, id AS audit_id
        FROM seller_audit_log
        UNION ALL
        SELECT org_id, taken_at, 'count', NULL, NULL, cause, collection_id, new_sellers, seller_count, NULL
        FROM seller_count_snapshots WHERE audit_id IS NULL
    """,
}

COMMENTS: dict[str, str] = {
    "collection_progress": "Figures of every collection, true at any moment: categories, products, searches, sellers.",
    "collection_plan_results": "What was planned for each category of a collection, beside what came of it.",
    "collection_failures": "Every category and product that failed in a collection, with its reason.",
    "seller_history": "Every state that every seller of a list ever was in, with the change that brought it about.",
    "list_timeline": "Everything that changed or counted a list: collections and edits, with the count after each.",
    "category_sellers": "Who on the list sells which current best seller of which category, and its best match.",
    "seller_overview": "Every seller of a list with what it sells now, and how likely that is really the products.",
}
