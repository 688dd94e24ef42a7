"""What stands in several files of the project is the same in all."""

import json
import re
import tomllib
from pathlib import Path

import yaml

import xwidgets as xw
from xwidgets.results.result import versions

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_build_the_package_and_its_results_tell_one_version():
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    source = (ROOT / PROJECT["tool"]["hatch"]["version"]["path"]).read_text("utf-8")
    [version] = re.findall('^__version__ = "(.+)"$', source, re.M)
    assert xw.__version__ == version
    assert versions()["xwidgets"] == version


def test_each_version_whose_files_are_read_stands_in_the_changelog():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    saved = [path.name for path in (ROOT / "tests" / "data").iterdir() if path.name[0].isdigit()]
    assert saved
    assert set(saved) <= set(headings)
    assert headings[0] == ("Unreleased" if "dev" in xw.__version__ else xw.__version__)


def test_a_commit_is_checked_by_the_versions_that_make_lint_has():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0][
        "hooks"
    ]
    installed = {package for hook in hooks for package in hook["additional_dependencies"]}
    [ruff] = [
        name for name in PROJECT["project"]["optional-dependencies"]["test"] if "ruff" in name
    ]
    biome = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"][
        "@biomejs/biome"
    ]
    assert {ruff, f"@biomejs/biome@{biome}"} <= installed


def test_the_workflow_tests_the_pythons_that_the_package_names():
    job = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))["jobs"]["test"]
    named = [
        line.rpartition(" ")[2]
        for line in PROJECT["project"]["classifiers"]
        if re.search(r"Python :: 3\.\d+$", line)
    ]
    assert job["strategy"]["matrix"]["python"] == named
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"


def anchors(page: Path) -> set[str]:
    """Addresses of the headings of a page of text, as hosts and the documentation make them."""
    headings = re.findall(r"^#{1,3} (.+)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


def test_links_lead_to_pages_and_headings_that_there_are():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*/*.md")]
    links = [
        (page, *target.partition("#")[::2])
        for page in pages
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
        if not re.match("[a-z]+:", target)
    ]
    assert sum(bool(heading) for _, _, heading in links) > 5
    for page, file, heading in links:
        target = page.parent / file if file else page
        assert target.exists(), f"{page.name} links to {file}"
        assert not heading or heading in anchors(target), f"{page.name} links to {file}#{heading}"
