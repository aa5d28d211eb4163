"""Chance that is the same in every process: a generator per seed and key. `hash()` would differ between processes."""

from __future__ import annotations

from hashlib import blake2b
from random import Random


def draw(seed: int, *key: object) -> Random:
    """The random generator of one thing: the same seed and key give the same numbers everywhere."""
    return Random(f"{seed}:" + ":".join(map(str, key)))


def number(seed: int, *key: object) -> int:
    """One 64-bit number for a seed and key; much cheaper than a generator where a single draw is enough."""
    text = f"{seed}:" + ":".join(map(str, key))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def unit(seed: int, *key: object) -> float:
    """One number in [0, 1) for a seed and key."""
    return number(seed, *key) / 2**64
