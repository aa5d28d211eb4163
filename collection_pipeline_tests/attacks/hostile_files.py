"""Files that people who mean harm could drop: workbooks written byte by byte, and names no spreadsheet would give."""

from __future__ import annotations

import io
import zipfile

_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/></Types>"""
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

HEADER = '<row r="1"><c r="A1" t="str"><v>seller</v></c></row>'
FAR_OUT = "1048576"


def workbook(rows: str, *, place: str = "worksheets/sheet1.xml", shared: str | None = None) -> bytes:
    """A workbook whose only sheet holds the given XML, at a place of one's choice inside `xl/`."""
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets>'
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELATIONS.format(
            f'<Relationship Id="r0" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/workbook.xml": f"{book}</workbook>",
        "xl/_rels/workbook.xml.rels": _RELATIONS.format(
            f'<Relationship Id="r1" Type="{_RELATION}/worksheet" Target="{place}"/>'
            + (f'<Relationship Id="r2" Type="{_RELATION}/sharedStrings" Target="shared.xml"/>' if shared else "")
        ),
        f"xl/{place}": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    if shared:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{_MAIN}"><si><t>{shared}</t></si></sst>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


def cell(attributes: str) -> str:
    """A row in the farthest corner, with one cell."""
    return f'<row r="{FAR_OUT}"><c {attributes}><v>1</v></c></row>'


ENDS_THE_PROCESS = {
    "a sheet outside xl/worksheets": workbook(HEADER + cell(f'r="XFD{FAR_OUT}"'), place="elsewhere/sheet1.xml"),
    "a > in an attribute": workbook(HEADER + cell(f'x=">" r="XFD{FAR_OUT}"')),
    "a tag longer than the look back": workbook(
        HEADER + " " * ((1 << 20) - 800) + cell(f'x="{"x" * 1_000}" r="XFD{FAR_OUT}"')
    ),
    "a cell reference in lower case": workbook(HEADER + cell(f'r="xfd{FAR_OUT}"')),
}
"""Each of these ends the process that reads it, past the measure of `files/workbook.py`."""
