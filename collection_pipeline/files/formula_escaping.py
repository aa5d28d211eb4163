"""Text that a spreadsheet would take for a formula, and the apostrophe that stops it.

OWASP ("CSV injection") names = + - @, tab, CR and LF at the beginning of a cell, and the full-width forms of the four.
Such text gets an apostrophe in front. The reader takes it off again, and because text that already has apostrophes
in front of such a character gets one more, what comes back is always what went out.

In CSV a cell may also begin in the middle of our text: Excel splits at ";" where the comma is the decimal sign, and
takes our quotes for text there. So in CSV the same is done after a ";", a tab and a line break.
"""

from __future__ import annotations

import re

_SIGNS = "=+\\-@＝＋－＠"
_BEGINNING = rf"\A'*(?=[{_SIGNS}\t\r\n])"

CSV_CELL = re.compile(rf"{_BEGINNING}|(?<=[;\t\r\n])'*(?=[{_SIGNS}])")

# xlsxwriter takes text between <r> and </r> for ready-made XML, which would let a name write into the workbook.
EXCEL_CELL = re.compile(rf"{_BEGINNING}|\A'*(?=<r>)")


def escape_formulas(text: str, cell: re.Pattern[str]) -> str:
    """The text, harmless in a cell of this sort."""
    return cell.sub(lambda apostrophes: f"'{apostrophes[0]}", text)


def unescape_formulas(text: str, cell: re.Pattern[str]) -> str:
    """The text without what `escape_formulas` has added."""
    return cell.sub(lambda apostrophes: apostrophes[0][1:], text)
