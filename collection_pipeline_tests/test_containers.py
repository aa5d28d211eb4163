"""What deployment/ has for containers: settings that exist, versions that are ours, and nobody who is root."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from collection_pipeline import __version__
from collection_pipeline.settings.reference import SECTIONS
from collection_pipeline_tests.conftest import REPOSITORY

DEPLOYMENT = REPOSITORY / "deployment"
FILES = (
    DEPLOYMENT / "Dockerfile",
    DEPLOYMENT / "compose.yaml",
    DEPLOYMENT / "compose" / "settings.example",
    DEPLOYMENT / "helm-values.yaml",
    *sorted((DEPLOYMENT / "kubernetes").glob("*.yaml")),
)
PROJECT = (REPOSITORY / "pyproject.toml").read_text()


def pods() -> Iterator[dict[str, Any]]:
    """Every pod of our own objects."""
    for file in (DEPLOYMENT / "kubernetes").glob("*.yaml"):
        for one in yaml.safe_load_all(file.read_text()):
            if "template" in one["spec"]:
                yield one["spec"]["template"]["spec"]


def code_location() -> dict[str, Any]:
    """What the chart is told of our image."""
    values = yaml.safe_load((DEPLOYMENT / "helm-values.yaml").read_text())
    [location] = values["dagster-user-deployments"]["deployments"]
    return dict(location)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file: Any) -> None:
    known = {setting.name for settings in SECTIONS.values() for setting in settings}
    named = set(re.findall(r"\b(?:COLLECTION|OXYLABS|EBAY)_[A-Z_]*[A-Z]\b", file.read_text()))
    assert named <= known


def test_images_are_of_this_version_and_the_chart_of_our_dagster() -> None:
    texts = "\n".join(file.read_text() for file in FILES)
    assert set(re.findall(r"collection-pipeline:([0-9][\w.]*)", texts)) == {__version__}
    assert code_location()["image"]["tag"] == __version__
    [dagster] = re.findall(r'"dagster==([\d.]+)"', PROJECT)
    assert f"--version {dagster} " in texts
    assert not re.search(r"^\s*(?:FROM|image:).*(?::latest|/[\w-]+)\s*$", texts, re.MULTILINE), "no tag"


def test_packages_are_installed_by_hash_and_the_last_stage_installs_nothing() -> None:
    build, final = re.split(r"(?m)^FROM .*\n", (DEPLOYMENT / "Dockerfile").read_text().replace("\\\n", " "))[1:]
    installs = re.findall(r"install --[^&\n]*", build)
    assert len(installs) == 3
    assert all("--no-deps" in one and ("--require-hashes" in one or "/wheels/" in one) for one in installs)
    assert not re.search(r"pip\s+install|apt-get|curl|wget", final)
    [user] = re.findall(r"(?m)^USER (\d+):\d+$", final)
    assert int(user) > 0


def test_nobody_is_root_and_no_root_file_system_is_written_to() -> None:
    location = code_location()
    told = [(location["podSecurityContext"], location["securityContext"])]
    told += [(pod["securityContext"], one["securityContext"]) for pod in pods() for one in pod["containers"]]
    assert len(told) == 3
    for pod, container in told:
        assert pod["runAsNonRoot"] is True
        assert container["readOnlyRootFilesystem"] is True
        assert container["allowPrivilegeEscalation"] is False
        assert container["capabilities"] == {"drop": ["ALL"]}
    compose = yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text())
    assert compose["x-product"]["read_only"] is True
