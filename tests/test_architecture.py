"""What may import what, who may read the clock, and where Vietnamese may stand."""

import ast
import re
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "xl_theodoi"
SOURCES = sorted(PACKAGE.rglob("*.py"))
DOMAIN = sorted((PACKAGE / "domain").rglob("*.py"))

BANNED_IN_DOMAIN = {
    *("openpyxl", "xlsxwriter", "xlwings", "lxml", "click", "argparse", "zipfile", "sqlite3"),
    *("os", "io", "pathlib", "shutil", "tempfile", "tomllib", "csv", "logging", "socket"),
    *("subprocess", "time", "imaplib", "email", "urllib", "http"),
}
EDGES = {"cli", "buttons", "commands", "printing", "samples", "__main__"}
LAYERS = [
    EDGES,
    {"operations", "addin"},
    {"hosts", "workbook", "resources", "resources_time", "messages", "excel"},
    {"files", "processes", "interrupts"},
    {"domain"},
]
"""From the top down. `__init__` holds the version, which everybody may import."""

CLOCK = {
    ("cli", "today"): "the as-of date, where none is given",
    ("buttons/__init__", "today"): "the as-of date, where none is given",
    ("cli", "_log"): "when a program error happened",
    ("buttons/log", "write_log"): "when a program error happened",
    ("operations/refresh", "now_text"): "when a line of the change log was written",
    ("operations/snapshots", "intend"): "how old a snapshot is",
    ("operations/snapshots", "_old"): "how old a snapshot is",
    ("operations/locking", "begin"): "when a run began, for whom it keeps out",
    ("operations/locking", "_is_fresh"): "how long ago a run elsewhere left its mark",
    ("files", "_is_abandoned"): "how old a hidden file of another computer is",
}
"""Functions that read the clock: no figure depends on any but the first two."""

READINGS = {
    *("datetime.now", "datetime.today", "datetime.utcnow", "date.today"),
    *("dt.datetime.now", "dt.date.today", "datetime.datetime.now", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime"),
}

WORDS_IN_CODE = {
    ("domain/dates", "ngày"): "read in input, never printed; the default of `DateWords`",
    ("domain/dates", "tháng"): "read in input, never printed; the default of `DateWords`",
    ("domain/dates", "năm"): "read in input, never printed; the default of `DateWords`",
    ("domain/units", "và"): "joins the names of units in input",
    ("excel/values", "tháng"): "what Vietnamese Excel makes a date of; belongs to Excel",
}
"""Vietnamese words that stand in code, each with its reason. Nothing printed is among them."""

LETTERS = {"domain/text", "workbook/filling/heights"}
"""Modules on letters as such: what belongs to an old encoding, how wide one is printed."""


def name_of(path: Path) -> str:
    """Return a module's name under the package, with slashes."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def type_checking_only(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes that only a type checker reads."""
    return {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }


def imports(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Return every imported name with its node; `from a import b` gives `a.b`."""
    found: list[tuple[str, ast.AST]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(f"{node.module}.{alias.name}", node) for alias in node.names]
    return found


def layer_of(module: str) -> int | None:
    part = module.split(".")[1] if "." in module else "__init__"
    return next((number for number, layer in enumerate(LAYERS) if part in layer), None)


@pytest.mark.parametrize("path", DOMAIN, ids=name_of)
def test_domain_imports_no_io_library(path):
    tops = {name.split(".")[0] for name, _ in imports(tree_of(path))}
    assert not tops & BANNED_IN_DOMAIN


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_down_only(path):
    """Names used only in annotations count too: a type is knowledge."""
    own = layer_of("xl_theodoi." + name_of(path).replace("/", "."))
    wrong = [
        name
        for name, _ in imports(tree_of(path))
        if name.startswith("xl_theodoi.") and (layer_of(name) or 99) < (99 if own is None else own)
    ]
    assert not wrong


def test_every_module_has_a_layer():
    known = set().union(*LAYERS) | {"__init__"}
    assert {name_of(path).split("/")[0] for path in SOURCES} <= known


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_import_is_relative(path):
    assert not [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.ImportFrom) and n.level]


def test_xlwings_is_imported_by_the_excel_modules_only_and_inside_functions():
    """The command line starts without it, and Linux works without it."""
    wrong = []
    for path in SOURCES:
        tree = tree_of(path)
        inside = {
            node
            for function in ast.walk(tree)
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
            for node in ast.walk(function)
        } | type_checking_only(tree)
        for name, node in imports(tree):
            if name.split(".")[0] != "xlwings":
                continue
            allowed = name_of(path).startswith(("buttons/", "excel/"))
            if not allowed or node not in inside or name.startswith("xlwings.pro"):
                wrong.append(f"{name_of(path)}:{node.lineno} {name}")
    assert not wrong


def test_the_part_of_xlwings_with_another_licence_is_never_named():
    assert not [
        name_of(path) for path in SOURCES if "xlwings.pro" in path.read_text(encoding="utf-8")
    ]


def clock_readings(path: Path) -> list[tuple[str, int]]:
    """Return the function and line of every reading of the clock."""
    readings = []

    def visit(node: ast.AST, function: str) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = node.name
        if isinstance(node, ast.Call) and ast.unparse(node.func) in READINGS:
            readings.append((function, node.lineno))
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(tree_of(path), "")
    return readings


def test_only_the_edges_read_the_clock():
    wrong = [
        f"{name_of(path)}:{line} in {function or 'the module'}"
        for path in SOURCES
        for function, line in clock_readings(path)
        if (name_of(path), function) not in CLOCK
    ]
    assert not wrong


def test_the_domain_has_no_clock_under_any_name():
    names = {name for path in DOMAIN for name, _ in imports(tree_of(path))}
    assert not [name for name in names if name.split(".")[0] in {"time", "zoneinfo"}]
    assert not [name_of(path) for path in DOMAIN if clock_readings(path)]


def docstrings(tree: ast.Module) -> set[ast.AST]:
    """Return the constants that are docstrings, of attributes too."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def vietnamese_words(text: str) -> list[str]:
    """Return the words with a Vietnamese letter; letters alone or in a pattern's set are none."""
    plain = re.sub(r"\[[^\]]*\]", " ", unicodedata.normalize("NFC", text))
    words = re.findall(r"[^\W\d_]{2,}", plain)
    return [word for word in words if not word.isascii()]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_vietnamese_word_stands_in_code(path):
    """Wording is data: an office's word must not need a programmer."""
    module, tree = name_of(path), tree_of(path)
    if module in LETTERS:
        return
    said = docstrings(tree)
    wrong = [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said
        for word in vietnamese_words(node.value)
        if (module, word) not in WORDS_IN_CODE
    ]
    assert not wrong


def test_every_exception_to_these_rules_is_still_needed():
    readings = {(name_of(path), name) for path in SOURCES for name, _ in clock_readings(path)}
    words = {
        (name_of(path), word)
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in vietnamese_words(node.value)
    }
    assert set(CLOCK) <= readings
    assert set(WORDS_IN_CODE) <= words


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_identifiers_are_ascii(path):
    """Accents in a name cannot be typed everywhere; without them it is another word."""
    names = {
        getattr(node, attribute)
        for node in ast.walk(tree_of(path))
        for attribute in ("id", "attr", "arg", "name")
        if isinstance(getattr(node, attribute, None), str)
    }
    assert all(name.isascii() for name in names)
