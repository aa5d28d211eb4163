r"""Searching names and titles by the beginnings of their words, with what every Postgres has: no extension is needed.

    SELECT … WHERE to_tsvector('simple', regexp_replace(title, '[\W_]+', ' ', 'g')) @@ to_tsquery('simple', 'cof:*')

Words are what stands between anything but letters and digits, in the text and in what is searched for.
"""

from __future__ import annotations

import re

_BETWEEN_WORDS = r"[\W_]+"


def word_vector(column: str) -> str:
    """The words of a column, as an SQL expression: exactly this one is indexed."""
    return f"to_tsvector('simple', regexp_replace({column}, '{_BETWEEN_WORDS}', ' ', 'g'))"


def word_query(text: str | None) -> str | None:
    """What to_tsquery takes for texts with words that begin so; None where there is nothing to search for."""
    words = re.sub(_BETWEEN_WORDS, " ", text or "").split()
    return " & ".join(f"{word.lower()}:*" for word in words) or None
