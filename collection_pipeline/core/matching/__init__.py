"""Does a listing offer the product that it was found for? Titles and prices in, a probability and its reasons out."""

from collection_pipeline.core.matching.reading import Offer
from collection_pipeline.core.matching.scoring import DEFAULT_THRESHOLD, Match, Matcher, score

__all__ = ["DEFAULT_THRESHOLD", "Match", "Matcher", "Offer", "score"]
