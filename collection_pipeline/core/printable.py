"""Text from outside, such as a file's name, as it may stand in a log, an event, a table or a terminal."""

from __future__ import annotations


def printable(text: str, longest: int = 500) -> str:
    """The text with line breaks, control and invisible characters, marks of direction and lone surrogates escaped.

    What is longer than `longest` characters ends with an ellipsis.
    """
    escaped = "".join(one if one.isprintable() else _escaped(one) for one in text[: longest + 1])
    return escaped if len(escaped) <= longest else f"{escaped[: longest - 1]}…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
