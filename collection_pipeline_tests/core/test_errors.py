"""The kinds of error are a contract: tables, alerts and the page know them by these words."""

import re
from collections.abc import Iterator

from collection_pipeline.core import errors
from collection_pipeline.core.errors import PipelineError, SourceError


def kinds(root: type[PipelineError]) -> Iterator[type[PipelineError]]:
    yield root
    for kind in root.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield from kinds(kind)


def test_every_kind_has_a_word_of_its_own() -> None:
    words = [kind.kind for kind in kinds(PipelineError)]
    assert len(set(words)) == len(words)


def test_the_drawing_is_the_tree() -> None:
    drawn = re.findall(r"^ {4}[ │├└─]*(\w+) {2,}", errors.__doc__ or "", re.MULTILINE)
    assert drawn == list(dict.fromkeys(drawn))
    assert set(drawn) == {kind.__name__ for kind in kinds(PipelineError)}


def test_what_stops_a_collection_is_never_tried_again() -> None:
    sources = [kind for kind in kinds(SourceError) if issubclass(kind, SourceError)]
    assert not [kind for kind in sources if kind.retryable and kind.stops_collection]
    assert {kind.kind for kind in sources if kind.retryable} == {"rate_limited", "transient", "faulted_job", "garbled"}
