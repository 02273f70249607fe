"""What an installation brings: declared packages, data, licences."""

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import xl_theodoi

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NOT_IMPORTED: dict[str, str] = {}
OTHER_NAMES = {"antlr4": "antlr4-python3-runtime", "PIL": "pillow"}
"""Packages that are imported by another name than they are installed by."""
TOOLS = {
    *("mypy", "ruff", "pytest-cov", "pytest-xdist"),
    *("lxml-stubs", "types-openpyxl"),
}


def named(requirements: list[str]) -> set[str]:
    """Return the names of requirements, as the index writes them."""
    names = (re.match(r"[\w.-]+", text).group() for text in requirements)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


RUNTIME = named(PROJECT["project"]["dependencies"])
EXTRAS = {name: named(texts) for name, texts in PROJECT["project"]["optional-dependencies"].items()}


def _sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(*folders: str) -> set[str]:
    """Return the packages from elsewhere that the sources of some folders import."""
    tops = set()
    for path in (path for folder in folders for path in _sources(folder)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                tops.add(node.module.split(".")[0])
    beside = {path.stem for name in ("tests", "report_templates") for path in _sources(name)}
    ours = {"xl_theodoi", "tests", *beside}
    theirs = {OTHER_NAMES.get(name, name) for name in tops - set(sys.stdlib_module_names) - ours}
    return {name.replace("_", "-").lower() for name in theirs}


def test_the_package_imports_what_it_declares_and_nothing_else():
    """An undeclared package is there on the developer's machine only."""
    optional = EXTRAS["excel"] | EXTRAS["calendar"]
    assert imported("xl_theodoi") == (RUNTIME - set(NOT_IMPORTED)) | optional


def test_the_tests_import_what_is_declared_for_them():
    assert imported("tests", "report_templates", ".ci") <= RUNTIME | EXTRAS["dev"]


def test_every_package_for_development_is_used():
    assert EXTRAS["dev"] - TOOLS <= imported("tests", "report_templates", ".ci", "xl_theodoi")


def folders_asked_for() -> set[str]:
    """Return the folders at the top of the repository that the program opens."""
    return {
        node.args[0].value
        for path in (ROOT / "xl_theodoi").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"folder", "resources.folder"}
        and isinstance(node.args[0], ast.Constant)
    }


def test_every_folder_that_the_program_opens_travels_in_the_wheel():
    asked = folders_asked_for()
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert asked
    assert asked <= set(wheel)
    assert all(inside == f"xl_theodoi/{name}" for name, inside in wheel.items())
    assert set(wheel) <= set(PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])


def test_nothing_that_ships_is_ignored_by_git():
    """The builder leaves out what git ignores, wherever a pattern without a slash matches."""
    patterns = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    loose = {pattern.rstrip("/") for pattern in patterns if not pattern.startswith("/")}
    shipped = [
        part
        for folder in ("xl_theodoi", "report_templates", "macros")
        for path in (ROOT / folder).rglob("*")
        if "__pycache__" not in path.parts
        for part in path.relative_to(ROOT).parts
    ]
    assert not loose & set(shipped)


def test_the_command_is_the_function_that_the_package_names():
    module, function = PROJECT["project"]["scripts"]["theodoi"].split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_versions_agree():
    assert xl_theodoi.__version__ == PROJECT["project"]["version"]
    assert f"## {xl_theodoi.__version__}" in (
        ROOT / "xl_theodoi" / "help" / "changes.md"
    ).read_text(encoding="utf-8")


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "xl_theodoi", "--version"],
        capture_output=True,
        check=True,
        encoding="utf-8",
        cwd=ROOT,
    )
    assert done.stdout.strip().endswith(xl_theodoi.__version__)


def licences(*asked: set[str]) -> dict[str, str]:
    """Return the licence of every package that an installation brings, by name."""
    found: dict[str, str] = {}
    waiting = sorted(set().union(*asked))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system or Python
        metadata = distribution.metadata
        classifiers = [
            text for text in metadata.get_all("Classifier", []) if text.startswith("License")
        ]
        found[name] = " ".join(
            [metadata.get("License-Expression") or metadata.get("License") or "", *classifiers]
        )
        waiting += named([text for text in distribution.requires or [] if "extra ==" not in text])
    return found


BUNDLED = (RUNTIME, EXTRAS["excel"])
COPYLEFT = {
    "lunardate": "GPL; brought by workalendar",
    "pymeeus": "LGPL; brought by workalendar",
}


def test_what_a_bundle_holds_may_be_passed_on_without_conditions_on_sources():
    """A new licence would change what an office may do with a bundle."""
    assert not {name: text for name, text in licences(*BUNDLED).items() if "GPL" in text}


def test_a_licence_with_conditions_on_passing_on_is_known_and_told():
    found = licences(*BUNDLED, EXTRAS["calendar"])
    assert {name for name, text in found.items() if "GPL" in text} == set(COPYLEFT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert all(name in readme for name in COPYLEFT)


def test_the_library_calendar_is_loaded_by_no_other_module():
    """Its library is not installed with the program."""
    users = [
        path.name
        for path in _sources("xl_theodoi")
        if path.name != "library_calendar.py"
        and re.search(
            r"import library_calendar|library_calendar import|import_module.*library_calendar",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert not users


def test_every_licence_is_one_that_lets_anybody_use_the_program():
    known = r"MIT|BSD|Apache|PSF|Python Software|GPL|Zlib|CC0"
    found = licences(*BUNDLED, EXTRAS["calendar"])
    assert not {name: text[:80] for name, text in found.items() if not re.search(known, text)}
