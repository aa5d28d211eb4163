"""docs/settings.md: every setting, what it means, and its default."""

from __future__ import annotations

from collections.abc import Iterator

from collection_pipeline.settings.reference import SECTIONS

_INTRODUCTION = """\
# Settings

All settings are variables of the environment; an empty one counts as not set. A wrong value is refused with a sentence
that says what it must be. Made by `python -m collection_pipeline.documents settings` from the code.
"""


def settings_document() -> str:
    """The page as Markdown: a table for each group of settings."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for title, settings in SECTIONS.items():
        rows = [f"| `{one.name}` | {one.meaning} | {f'`{one.default}`' if one.default else '–'} |" for one in settings]
        yield "\n".join([f"## {title}\n", "| setting | meaning | default |", "| --- | --- | --- |", *rows, ""])
