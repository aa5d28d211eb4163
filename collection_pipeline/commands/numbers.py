"""Numbers on a command line: exact, finite, and inside bounds that the help names."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import click

from collection_pipeline.core.collecting.usage import LARGEST_COST

PORT = click.IntRange(1, 65535)
ROWS = click.IntRange(1, 1_000_000)
CHANGE = click.IntRange(1, 2**63 - 1)


class Amount(click.ParamType[Decimal]):
    """A decimal number from `least` to `most`; unlike click.FloatRange it lets neither NaN nor infinity through."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The number. Fails with a sentence."""
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not self._least <= number <= self._most:
            self.fail(f"{str(value)[:80]!r} is not a number from {self._least} to {self._most}.", param, ctx)
        return number


COST = Amount(0, LARGEST_COST)
MARKUP = Amount(-100, 10_000)
