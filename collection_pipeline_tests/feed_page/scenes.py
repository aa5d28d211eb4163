"""Collections worth looking at."""

from __future__ import annotations

import random

from collection_pipeline_tests.feed_page.standin import Facts, Scene, category, utc_text

PRODUCTS = (
    "Ninja Professional Blender 1000 W with Total Crushing Technology",
    "Vitamix 5200 Professional-Grade, 64 oz Container, Black",
    "Sony WH-1000XM5 Wireless Noise Cancelling Headphones",
    "KitchenAid Artisan Series 5-Quart Tilt-Head Stand Mixer",
    "Anker Soundcore 2 Portable Bluetooth Speaker",
    "Breville Barista Express Espresso Machine BES870XL",
)
RUNNING = ("kitchen-blenders", "electronics-headphones", "computers-keyboards")


def busy(collection_id: str = "starter-20261123-1402", seed: int = 1) -> Scene:
    """A collection half-way through: done, failed, running and planned categories, and every state of a worker."""
    done = [
        category("kitchen-coffee-machines", "done", 890, 520),
        category("electronics-earbuds", "done", 885, 430, new_sellers=11),
        category("toys-building-sets", "done", 880, 300, new_sellers=42, attempt=2),
        category("kitchen-toasters", "done", 515, 190, new_sellers=7),
    ]
    failed = category(
        "computers-monitors",
        "failed",
        425,
        210,
        reason="unknown_node",
        error_message="Amazon knows no node 1292115011.",
    )
    running = [
        category(name, "running", 280 - 60 * number, searches_ended=62 - 20 * number)
        for number, name in enumerate(RUNNING)
    ]
    planned = [category(f"garden-{name}") for name in ("grills", "hoses", "lawn-mowers", "planters", "shears")]
    scene = Scene(collection_id, categories=[*done, failed, *running, *planned])
    scene.facts |= {"failures": {"unknown_node": 1, "transient": 3}, "searches_failed": 3}
    rng = random.Random(seed)
    for number in range(80):
        name, worker = rng.choice(RUNNING), rng.randint(1, 5)
        _search(scene, name, worker, rng, 90 - number)
    for action, count in (("uploading", 312), ("deduped", 140), ("inserted", 7), ("updated", 133)):
        scene.emit(
            action,
            0,
            category="kitchen-toasters",
            items_count=count,
            new_sellers_count=count if action == "inserted" else None,
            ago_s=10,
            run_id="run-kitchen-toasters",
        )
    for name in RUNNING:
        _each_state(scene, name, rng)
    scene.metrics = _metrics(scene)
    return scene


def _search(scene: Scene, name: str, worker: int, rng: random.Random, ago_s: float) -> None:
    product = rng.choice(PRODUCTS)
    low = rng.randint(20, 300)
    params = {"q": product[:34], "band": f"{low}.00–{low * 1.2:.2f} USD", "page": 1}
    common = {"category": name, "product_name": product, "api_params": params}
    scene.emit("fetching", worker, ago_s=ago_s + 0.8, **common)
    scene.emit(
        "found", worker, ago_s=ago_s, items_count=rng.randint(1, 60), duration_ms=rng.randint(180, 2400), **common
    )
    scene.emit(
        "complete",
        worker,
        ago_s=ago_s - 0.1,
        items_count=rng.randint(1, 60),
        duration_ms=rng.randint(400, 4000),
        category=name,
        product_name=product,
    )


def _each_state(scene: Scene, name: str, rng: random.Random) -> None:
    common: Facts = {"category": name, "product_name": rng.choice(PRODUCTS)}
    params = {"q": "ninja professional blender", "band": "161.99–197.99 USD", "page": 1}
    scene.emit("fetching", 1, ago_s=1.4, api_params=params, **common)
    scene.emit("found", 2, ago_s=0.5, api_params=params, items_count=37, duration_ms=912, **common)
    scene.emit(
        "rate_limited",
        3,
        ago_s=1,
        attempt=2,
        duration_ms=210,
        api_params={**params, "wait_ms": 28_000},
        error_type="rate_limited",
        error_stage="api",
        error_message="eBay, page 1 of “ninja professional blender”: too many requests.",
        **common,
    )
    scene.emit(
        "error",
        4,
        ago_s=3,
        attempt=3,
        duration_ms=10_004,
        api_params=params,
        error_type="transient",
        error_stage="api",
        error_message="eBay, page 1: no answer within 10 s.",
        **common,
    )
    scene.emit("complete", 5, ago_s=60, items_count=12, duration_ms=2210, **common)


def _metrics(scene: Scene) -> Facts:
    failures = [
        ("transient", "api", 14),
        ("rate_limited", "api", 6),
        ("malformed", "seller_extraction", 3),
        ("unknown_node", "product_extraction", 1),
    ]
    return {
        "events": len(scene.events),
        "failures": [{"error_type": kind, "error_stage": stage, "count": count} for kind, stage, count in failures],
        "workers": [
            {
                "run_id": f"run-{name}",
                "category": name,
                "worker_id": worker,
                "products": 12 + worker,
                "pages": 19 + worker,
                "errors": worker % 3,
                "rate_limited": worker % 2,
                "new_sellers": 0,
                "mean_ms": 900 + 31 * worker,
            }
            for name in RUNNING
            for worker in range(1, 6)
        ],
    }


def counted(collections: int = 24) -> list[Facts]:
    """The seller list's size after each of some collections."""
    rng, count, snapshots = random.Random(3), 1840, []
    for number in range(collections):
        new = rng.randint(10, 320)
        count += new
        snapshots.append(
            {
                "taken_at": utc_text(86_400 * (collections - number)),
                "collection_id": f"starter-{number}",
                "seller_count": count,
                "new_sellers": new,
                "cause": "collection",
            }
        )
    return snapshots


def flood(scene: Scene, start: int, count: int) -> None:
    """Many ordinary events at once."""
    for number in range(start, start + count):
        scene.emit(
            "found",
            1 + number % 5,
            category=RUNNING[number % 3],
            product_name=f"{PRODUCTS[number % 6]} #{number}",
            items_count=number % 60,
            duration_ms=300,
            api_params={"q": "x", "band": "1.00–2.00 USD", "page": 1},
        )
