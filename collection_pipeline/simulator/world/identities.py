"""Which product is which: an identity, and the model number that is that identity in disguise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from collection_pipeline.simulator.world.draws import number

Kind = Literal["own", "shared", "background"]

SLOTS_PER_NODE = 1000
"""Places that a node has for products of its own, those of later days included."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTER: dict[Kind, str] = {"own": "N", "shared": "S", "background": "B"}
_KIND: dict[str, Kind] = {letter: kind for kind, letter in _LETTER.items()}
_MODEL = re.compile(f"[A-Z]{{2}}[{''.join(_KIND)}][0-9A-Z]+")


@dataclass(frozen=True, slots=True)
class ProductId:
    """Which product: its kind, and its number among those of the kind."""

    kind: Kind
    number: int

    @classmethod
    def of_node(cls, node: str, slot: int) -> ProductId:
        """The product in one place of a node's list. The leading 1 keeps nodes apart that differ in leading zeros."""
        return cls("own", int(f"1{node}") * SLOTS_PER_NODE + slot)

    @property
    def node(self) -> str:
        """The node of a product of its own."""
        return str(self.number // SLOTS_PER_NODE)[1:]


def model_number(seed: int, identity: ProductId) -> str:
    """A model number: two letters that check the rest, the kind, and the number to the base of 36."""
    check = number(seed, "model", identity.kind, identity.number)
    letters = chr(65 + check % 26) + chr(65 + check // 26 % 26)
    # Padded, so that even the first of the pool looks like a model number and is no ordinary word.
    return f"{letters}{_LETTER[identity.kind]}{base36(identity.number).rjust(4, '0')}"


def identity_of(seed: int, word: str) -> ProductId | None:
    """The identity whose model number a word is, whatever its case; None if it is none."""
    core = word.upper()
    if len(core) < 4 or not _MODEL.fullmatch(core):
        return None
    identity = ProductId(_KIND[core[2]], int(core[3:], 36))
    return identity if model_number(seed, identity) == core else None


def base36(value: int) -> str:
    """A number to the base of 36, without leading zeros."""
    text = ""
    while value:
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return text
