from pathlib import Path

import pytest

from collection_pipeline.core.catalogue import (
    STARTER_FILE,
    CatalogueError,
    PartitionChanges,
    partition_changes,
    read_catalogue,
)
from collection_pipeline.core.errors import PipelineError

GOOD = """\
departments:
  - key: home
    name: Home & Kitchen
    categories:
      - {key: home-coffee, name: Coffee Machines, node: "289745"}
      - {key: home-knives, name: Knives, node: "289851"}
presets:
  - key: one
    name: One
    categories: [home-coffee]
  - key: all
    name: All
    description: Everything.
    categories: all
  - {key: none, name: None yet, categories: []}
"""


def write(folder: Path, text: str, name: str = "catalogue.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_starter_catalogue_is_worth_starting_with() -> None:
    starter = read_catalogue(STARTER_FILE)
    assert len(starter.categories) >= 60
    assert len({category.department for category in starter.categories.values()}) >= 12
    assert len(starter.presets["starter"].categories) == 12
    assert starter.presets["everything"].categories == tuple(starter.categories)


def test_a_selection_is_in_catalogue_order_each_category_once(tmp_path: Path) -> None:
    catalogue = read_catalogue(write(tmp_path, GOOD))
    assert catalogue.select(preset="all", categories=["home-coffee"]) == ("home-coffee", "home-knives")
    assert catalogue.select(preset=None, categories=["home-knives"]) == ("home-knives",)


@pytest.mark.parametrize(
    ("preset", "categories", "said"),
    [
        ("nope", [], "no preset 'nope'. Did you mean none or one. There are: one, all, none"),
        ("none", [], "has no categories"),
        (None, [], "nothing to collect"),
        (None, ["home-coffe"], "no category 'home-coffe'. Did you mean home-coffee"),
        (None, ["zzz"], "catalogue list"),
    ],
)
def test_a_selection_that_cannot_be_made_is_refused_in_words(
    tmp_path: Path, preset: str | None, categories: list[str], said: str
) -> None:
    with pytest.raises(PipelineError, match=said):
        read_catalogue(write(tmp_path, GOOD)).select(preset=preset, categories=categories)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("home-knives", "home-coffee", 6, "stands twice"),
        ("289851", "289745", 6, "already that of 'home-coffee'"),
        ('node: "289851"', "", 6, "'node' is missing"),
        ("289851", "28-98", 6, "digits only"),
        ('"289851"', "[289851]", 6, "expected a text"),
        ('"289851"', "null", 6, "expected a text"),
        ("home-knives", "Home Knives", 6, "no key"),
        ("categories: [home-coffee]", "categories: home-coffee", 10, "expected a list"),
        ("categories: [home-coffee]", "categories: [home-cofee]", 10, "is no category"),
        ("description: Everything.", "describe: Everything.", 13, "'describe' is not a field here"),
        ("key: all", "key: one", 11, "stands twice"),
        ("name: Home & Kitchen", "name: x\n    name: y", 4, "stands twice"),
        ("departments:", "departments: [", 2, "not valid YAML"),
        ("departments:\n  - key: home", "departments: 7\nx:\n  - key: home", 2, "not a field here"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    file = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(CatalogueError) as refused:
        read_catalogue(file)
    assert f"line {line}" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("presets: []", "has no category")])
def test_a_file_without_categories_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CatalogueError, match=said):
        read_catalogue(write(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read: No such file"):
        read_catalogue(tmp_path / "missing.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"departments: \xe4")
    with pytest.raises(CatalogueError, match="not UTF-8"):
        read_catalogue(latin)


def test_a_teams_own_file_adds_to_the_starter_one(tmp_path: Path) -> None:
    own = write(
        tmp_path,
        """\
departments:
  - key: ours
    name: Ours
    categories: [{key: ours-kayaks, name: Kayaks, node: "99900001"}]
presets:
  - {key: ours, name: Ours, categories: [ours-kayaks, kitchen-coffee-machines]}
""",
        "ours.yaml",
    )
    catalogue = read_catalogue(STARTER_FILE, own)
    assert catalogue.categories["ours-kayaks"].node == "99900001"
    assert catalogue.select(preset="ours", categories=[]) == ("kitchen-coffee-machines", "ours-kayaks")


@pytest.mark.parametrize(
    ("catalogue", "partitions", "in_flight", "added", "gone"),
    [
        ({"a", "b"}, {"a"}, set(), {"b"}, set()),
        ({"a"}, {"a", "b"}, set(), set(), {"b"}),
        ({"a"}, {"a", "b", "c"}, {"b"}, set(), {"c"}),
        (set(), {"a", "b"}, set(), set(), set()),
    ],
)
def test_partitions_follow_the_catalogue_but_work_in_flight_and_an_unloaded_one_delete_nothing(
    catalogue: set[str], partitions: set[str], in_flight: set[str], added: set[str], gone: set[str]
) -> None:
    assert partition_changes(catalogue, partitions, in_flight) == PartitionChanges(added, gone)
