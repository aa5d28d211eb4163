"""The price band as a launch configuration, for whatever can be launched with one."""

from decimal import Decimal

import dagster as dg
from pydantic import Field

from collection_pipeline.core.money import LARGEST_MARKUP, BandRule

_DEFAULT = BandRule()


class BandConfig(dg.Config):
    """Where the price band lies that a listing has to be in."""

    min_markup_percent: float = Field(
        default=int(_DEFAULT.min_markup_percent),
        gt=-100,
        le=int(LARGEST_MARKUP),
        description="Lower end of the price band, as a markup in percent: 80 means 1.8 times the Amazon price.",
    )
    max_markup_percent: float = Field(
        default=int(_DEFAULT.max_markup_percent),
        gt=-100,
        le=int(LARGEST_MARKUP),
        description="Upper end of the price band, as a markup in percent: 120 means 2.2 times the Amazon price.",
    )

    @property
    def band(self) -> BandRule:
        """The core's version of it. Raises PipelineError for a band that is upside down."""
        return BandRule(Decimal(str(self.min_markup_percent)), Decimal(str(self.max_markup_percent)))
