"""Statements that give a category a past, for what compares with it: six monthly collections."""

COLLECTIONS = """
    INSERT INTO collections (collection_id, org_id, status, started_at, completed_at)
    SELECT 'past-' || n, 'default', 'completed', now() - n * interval '30 days', now() - n * interval '30 days'
    FROM generate_series(1, 6) n
"""


def products(category: str, count: int) -> str:
    """In each of them it had so many best sellers."""
    return f"""
        INSERT INTO amazon_product_history (collection_id, category, asin, position, title, seen_at, price)
        SELECT 'past-' || n, '{category}', 'B' || lpad(p::text, 9, '0'), p, 'Title', now() - n * interval '30 days', 1
        FROM generate_series(1, 6) n, generate_series(1, {count}) p
    """


def searches(category: str, listings: int) -> str:
    """In each of them its twenty searches found so many listings each."""
    return f"""
        INSERT INTO product_searches (collection_id, asin, category, status, listings, searched_at)
        SELECT 'past-' || n, 'B' || lpad(p::text, 9, '0'), '{category}', 'done', {listings},
               now() - n * interval '30 days'
        FROM generate_series(1, 6) n, generate_series(1, 20) p
    """


def matches(category: str, median: float) -> str:
    """In each of them so likely its listings were the products."""
    return f"""
        INSERT INTO collection_categories (collection_id, category, status, median_match, started_at)
        SELECT 'past-' || n, '{category}', 'done', {median}, now() - n * interval '30 days'
        FROM generate_series(1, 6) n
    """


def new_sellers(category: str, count: int) -> str:
    """In each of them it brought so many new sellers."""
    return f"""
        INSERT INTO collection_categories (collection_id, category, status, new_sellers, sellers_found, started_at)
        SELECT 'past-' || n, '{category}', 'done', {count}, 10, now() - n * interval '30 days'
        FROM generate_series(1, 6) n
    """
