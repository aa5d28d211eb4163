"""The catalogue: departments, categories with their browse nodes, presets. Read from YAML, refused whole if wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml

from collection_pipeline.core.errors import PipelineError
from collection_pipeline.core.suggesting import did_you_mean

STARTER_FILE = Path(__file__).parent.parent / "catalogue.yaml"
"""The starter catalogue that comes with the package."""

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NODE = re.compile(r"[0-9]{1,20}")


class CatalogueError(PipelineError):
    """A catalogue file that cannot be used; the message names the file, the line and the reason."""


@dataclass(frozen=True, slots=True)
class Category:
    """One Amazon browse node: the partition key, and where the vendor finds it."""

    key: str
    name: str
    node: str
    department: str
    department_name: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of categories."""

    key: str
    name: str
    description: str
    categories: tuple[str, ...]


_SHOWS_ALL = "`collection-pipeline catalogue list` shows them all."


@dataclass(frozen=True)
class Catalogue:
    """What can be collected."""

    categories: Mapping[str, Category]
    presets: Mapping[str, Preset]

    def require_category(self, key: str) -> Category:
        """The category. Raises PipelineError for one that is in no catalogue any more."""
        if key not in self.categories:
            raise PipelineError(
                f"The category {key!r} is not in the catalogue in force. Load a catalogue that has it with "
                "`collection-pipeline catalogue load FILE`."
            )
        return self.categories[key]

    def select(self, *, preset: str | None, categories: Iterable[str]) -> tuple[str, ...]:
        """The category keys of a preset and of single categories together, each once, in catalogue order.

        Raises PipelineError for a name that does not exist (with the nearest that do) and for an empty selection.
        """
        wanted = set[str]()
        if preset is not None:
            if preset not in self.presets:
                raise PipelineError(
                    f"There is no preset {preset!r}.{did_you_mean(preset, self.presets)} "
                    f"There are: {', '.join(self.presets)}."
                )
            wanted.update(self.presets[preset].categories)
            if not wanted:
                raise PipelineError(f"The preset {preset!r} has no categories; add some to it in the catalogue file.")
        for key in categories:
            if key not in self.categories:
                raise PipelineError(f"There is no category {key!r}.{did_you_mean(key, self.categories, _SHOWS_ALL)}")
            wanted.add(key)
        if not wanted:
            raise PipelineError("There is nothing to collect: name a preset or at least one category.")
        return tuple(key for key in self.categories if key in wanted)


@dataclass(frozen=True)
class PartitionChanges:
    """What makes Dagster's partitions the catalogue's again."""

    added: Set[str]
    gone: Set[str]


def partition_changes(catalogue: Set[str], partitions: Set[str], in_flight: Set[str]) -> PartitionChanges:
    """The partitions to add and to delete.

    What is being collected stays until it is done, and a catalogue that was never loaded, and so is empty, deletes
    nothing.
    """
    gone = partitions - catalogue - in_flight if catalogue else set()
    return PartitionChanges(added=catalogue - partitions, gone=gone)


def read_catalogue(*files: Path) -> Catalogue:
    """The catalogue of one or several files; a later file adds to an earlier one and may not repeat its keys.

    Raises CatalogueError with file, line and reason for the first thing that is wrong.
    """
    reader = _Reader()
    for file in files:
        reader.read(file)
    return reader.catalogue()


@dataclass
class _Reader:
    """Reads YAML as nodes, because only nodes know their lines."""

    _categories: dict[str, Category] = field(default_factory=dict)
    _presets: dict[str, Preset] = field(default_factory=dict)
    _nodes: dict[str, str] = field(default_factory=dict)
    _file: Path = Path()

    def read(self, file: Path) -> None:
        self._file = file
        try:
            root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as error:
            raise CatalogueError(f"The catalogue {file} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise CatalogueError(f"The catalogue {file} is not UTF-8 text: {error.reason}.") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else "?"
            raise CatalogueError(f"{file}, line {line}: not valid YAML: {error.problem}.") from error
        if root is None:
            raise CatalogueError(f"The catalogue {file} is empty.")
        top = self._mapping(root, allowed={"departments", "presets"})
        for department in self._items(top.get("departments")):
            self._department(department)
        for preset in self._items(top.get("presets")):
            self._preset(preset)

    def catalogue(self) -> Catalogue:
        if not self._categories:
            raise CatalogueError(f"The catalogue {self._file} has no category; add at least one.")
        return Catalogue(dict(self._categories), dict(self._presets))

    def _department(self, node: yaml.Node) -> None:
        fields = self._mapping(node, allowed={"key", "name", "categories"}, required={"key", "name", "categories"})
        key, name = self._key(fields["key"]), self._text(fields["name"])
        for item in self._items(fields["categories"]):
            category = self._mapping(item, allowed={"key", "name", "node"}, required={"key", "name", "node"})
            self._add_category(category, key, name)

    def _add_category(self, fields: dict[str, yaml.Node], department: str, department_name: str) -> None:
        key, name, number = self._key(fields["key"]), self._text(fields["name"]), self._text(fields["node"])
        if key in self._categories:
            self._refuse(fields["key"], f"the category {key!r} stands twice")
        if not _NODE.fullmatch(number):
            self._refuse(fields["node"], f"{number!r} is no browse node number: it has digits only")
        if number in self._nodes:
            self._refuse(fields["node"], f"node {number} is already that of {self._nodes[number]!r}")
        self._nodes[number] = key
        self._categories[key] = Category(key, name, number, department, department_name)

    def _preset(self, node: yaml.Node) -> None:
        fields = self._mapping(
            node, allowed={"key", "name", "description", "categories"}, required={"key", "name", "categories"}
        )
        key = self._key(fields["key"])
        if key in self._presets:
            self._refuse(fields["key"], f"the preset {key!r} stands twice")
        description = self._text(fields["description"]) if "description" in fields else ""
        members = fields["categories"]
        if isinstance(members, yaml.ScalarNode) and members.value == "all":
            categories = tuple(self._categories)
        else:
            categories = tuple(self._member(item) for item in self._items(members))
        self._presets[key] = Preset(key, self._text(fields["name"]), description, categories)

    def _member(self, node: yaml.Node) -> str:
        key = self._key(node)
        if key not in self._categories:
            self._refuse(node, f"the preset names {key!r}, which is no category")
        return key

    def _mapping(self, node: yaml.Node, *, allowed: Set[str], required: Set[str] = frozenset()) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, f"expected the fields {', '.join(sorted(allowed))} here")
        fields: dict[str, yaml.Node] = {}
        for name, value in node.value:
            if name.value in fields:
                self._refuse(name, f"the field {name.value!r} stands twice")
            if name.value not in allowed:
                self._refuse(name, f"{name.value!r} is not a field here; there are {', '.join(sorted(allowed))}")
            fields[name.value] = value
        for name in sorted(required - set(fields)):
            self._refuse(node, f"the field {name!r} is missing")
        return fields

    def _items(self, node: yaml.Node | None) -> Iterator[yaml.Node]:
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            self._refuse(node, "expected a list here")
        yield from node.value

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip() or node.tag == "tag:yaml.org,2002:null":
            self._refuse(node, "expected a text here")
        return str(node.value).strip()

    def _key(self, node: yaml.Node) -> str:
        key = self._text(node)
        if not _KEY.fullmatch(key):
            self._refuse(node, f"{key!r} is no key: use lower-case letters, digits and single '-'")
        return key

    def _refuse(self, node: yaml.Node, reason: str) -> NoReturn:
        raise CatalogueError(f"{self._file}, line {node.start_mark.line + 1}: {reason}.")


def newly_added(known: set[str] | None, current: set[str]) -> set[str]:
    """Categories that came since the last look; none at the first one, which knows nothing yet."""
    return set() if known is None else current - known
