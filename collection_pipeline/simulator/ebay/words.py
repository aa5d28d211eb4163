"""What eBay's `q` means: which products' listings answer it (docs/sources.md 1.2).

Words separated by spaces must all be there; `(a, b)` asks for either. A title that was not cleaned says something else:
a bare comma begins an alternative, an open or stray parenthesis turns its whole side into alternatives, and a `*`
finds nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from collection_pipeline.simulator.world.listings import Listing
from collection_pipeline.simulator.world.names import words
from collection_pipeline.simulator.world.products import Product, Products

QUERY_CHARS = 100
"""A longer `q` is cut there, inside a word if need be."""

Term = tuple[tuple[str, ...], ...]
"""One condition: any of these alternatives, each of which needs all of its words."""


@dataclass(frozen=True)
class Words:
    """A parsed `q`: any of the clauses, each of which needs all of its terms. `open_word` may be a word's start."""

    clauses: tuple[tuple[Term, ...], ...]
    open_word: str | None = None

    @classmethod
    def parse(cls, q: str, *, whole_words_only: bool = False) -> Words:
        """Reads a `q` as eBay does, whatever was meant."""
        q = q[:QUERY_CHARS]
        if "*" in q:
            return cls(())
        clauses = tuple(tuple(_terms(clause)) for clause in _split(q))
        last = words(q)[-1:] if q and q[-1].isalnum() and not whole_words_only else []
        return cls(tuple(clause for clause in clauses if clause), last[0] if last else None)

    @classmethod
    def everything(cls) -> Words:
        """What a search by category alone asks for."""
        return cls(((),))

    def products(self, products: Products) -> list[Product]:
        """The products whose listings may answer, in the order in which eBay shows them."""
        found: dict[str, Product] = {}
        for clause in self.clauses:
            named = [products.by_word(term[0][0]) for term in clause if len(term) == 1 and len(term[0]) == 1]
            candidates: Iterable[Product | None] = named if any(named) else self._anything(clause, products)
            for product in candidates:
                if product is not None:
                    found.setdefault(product.asin, product)
        return list(found.values())

    def match(self, listing: Listing) -> bool:
        """Whether a listing answers: by the words of its item specifics (the whole product title) and of its title."""
        return any(
            all(any(all(self._has(listing, word) for word in words_) for words_ in term) for term in clause)
            for clause in self.clauses
        )

    def _has(self, listing: Listing, word: str) -> bool:
        if word in listing.product.words or word in listing.words:
            return True
        return word == self.open_word and any(known.startswith(word) for known in listing.product.words | listing.words)

    def _anything(self, clause: tuple[Term, ...], products: Products) -> Iterator[Product | None]:
        for term in clause:
            for alternative in term:
                for word in alternative:
                    yield products.by_word(word)
        yield from products.common()


def _split(q: str) -> list[str]:
    """The clauses between bare commas; those inside parentheses belong to their group."""
    clauses, depth, start = [], 0, 0
    for index, character in enumerate(q):
        if character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif character == "," and depth == 0:
            clauses.append(q[start:index])
            start = index + 1
    return [*clauses, q[start:]]


def _terms(clause: str) -> Iterator[Term]:
    opened, closed = clause.find("("), clause.find(")")
    if opened < 0 and closed < 0:
        yield from (((word,),) for word in words(clause))
    elif 0 <= opened < closed:
        yield from (((word,),) for word in words(clause[:opened]))
        yield from _group(clause[opened + 1 : closed])
        yield from _terms(clause[closed + 1 :])
    elif closed >= 0:  # a stray ")": all that stands before it is alternatives
        yield from _group(clause[:closed].replace(" ", ","))
        yield from _terms(clause[closed + 1 :])
    else:  # an open "(": all that follows is alternatives
        yield from (((word,),) for word in words(clause[:opened]))
        yield from _group(clause[opened + 1 :].replace(" ", ","))


def _group(inside: str) -> Iterator[Term]:
    alternatives = tuple(tuple(words(alternative)) for alternative in inside.split(","))
    term = tuple(alternative for alternative in alternatives if alternative)
    if term:
        yield term
