"""Titles that make matching hard: of what is found under a product's words, inside its band, and is not the product."""

from __future__ import annotations

from random import Random
from typing import Literal, get_args

from collection_pipeline.simulator.world.names import EBAY_TITLE_CHARS

Offer = Literal["same", "pack", "accessory", "other_size", "bundle"]
LOOKALIKES: tuple[Offer, ...] = get_args(Offer)[1:]

_ACCESSORIES = (
    "Replacement Filter for",
    "Carrying Case for",
    "Power Adapter Compatible with",
    "Silicone Cover for",
    "Spare Parts Kit for",
    "Wall Mount for",
)
_SIZES = (("XL", "Extra Large"), ("S", "Small"), ("Mini", "Travel Size"), ("Pro", "Large Capacity"))
_EXTRAS = ("Starter Kit", "Cleaning Set", "Gift Box", "2 Year Warranty Plan")


def lookalike_title(rng: Random, title: str, model: str, offers: Offer) -> str:
    """A seller's title for something that is not quite the product of this title and model, at most 80 characters."""
    match offers:
        case "pack":
            count = rng.choice((2, 2, 2, 3, 4, 6))
            text = rng.choice((f"{count} Pack {title}", f"{count}x {title}", f"Lot of {count} {title}"))
        case "accessory":
            text = f"{rng.choice(_ACCESSORIES)} {title}"
        case "other_size":
            suffix, size = rng.choice(_SIZES)
            text = f"{size} {title.replace(model, f'{model}-{suffix}')}"
        case "bundle":
            extra = f" + {rng.choice(_EXTRAS)} Bundle"
            text = f"{title[: EBAY_TITLE_CHARS - len(extra)].rstrip()}{extra}"
        case "same":
            text = title
    return text[:EBAY_TITLE_CHARS].rstrip()


def own_words(rng: Random, title: str, model: str) -> str:
    """The product itself in a seller's own words: cut short behind its model, shouted, or with the model in front."""
    short = title[: title.find(model) + len(model) + rng.randint(10, 40)]
    return rng.choice((short, short.upper(), f"{model} {short}", title))[:EBAY_TITLE_CHARS].rstrip()
