"""Every code that the package can give has its wording, and the wording can be filled in."""

from __future__ import annotations

import ast
import string
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import xl_theodoi
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, error, warning
from xl_theodoi.messages import catalogue, error_sentences, fill, finding_sentences, printed

PACKAGE = Path(xl_theodoi.__file__).parent

CALLS = {
    "error": "findings", "warning": "findings", "Finding": "findings", "TheodoiError": "errors",
}  # fmt: skip

PLACES = {"file", "sheet", "cell", "task_id", "column"}
"""Placeholders that every finding fills."""


def first_texts(node: ast.expr) -> list[str]:
    """The codes that an expression can be: a text, or either branch of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*first_texts(node.body), *first_texts(node.orelse)]
    return []


def codes_in(path: Path) -> list[tuple[str, str, frozenset[str] | None, str]]:
    """Section, code and names of the values of every call that makes a finding or an error.

    The names are None where the call passes a mapping whose keys cannot be seen here.
    """
    found = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name not in CALLS and len(node.args) > 1:
            # `report(error, "code", …)`: the maker is handed on; what it adds is not seen here.
            maker = getattr(node.args[0], "id", "")
            handed = first_texts(node.args[1]) if maker in ("error", "warning") else []
            found += [("findings", code, None, str(path)) for code in handed]
        if name not in CALLS or not node.args:
            continue
        names: frozenset[str] | None = frozenset(k.arg for k in node.keywords if k.arg)
        if any(keyword.arg is None for keyword in node.keywords):
            names = None
        found += [
            (CALLS[name], code, names, f"{path.relative_to(PACKAGE)}:{node.lineno}")
            for code in first_texts(node.args[0])
        ]
    return found


USED = [item for path in sorted(PACKAGE.rglob("*.py")) for item in codes_in(path)]


def test_the_scan_finds_the_codes():
    """A scan that finds nothing would prove nothing."""
    codes = {code for _, code, _, _ in USED}

    assert {"bad_date", "duplicate_row", "would_overwrite", "master_missing"} - codes <= {
        "bad_date"
    }
    assert len(codes) > 60


@pytest.mark.parametrize("section", ["findings", "errors"])
def test_no_code_is_worded_twice(section):
    """The wording of the file read last would silently win."""
    codes = Counter(
        code
        for path in (PACKAGE / "data" / "messages").glob("*.toml")
        for code in tomllib.loads(path.read_text(encoding="utf-8")).get(section, {})
    )

    assert [code for code, count in codes.items() if count > 1] == []


@pytest.mark.parametrize("section", ["findings", "errors"])
def test_every_code_used_has_wording(section):
    missing = {
        f"{code} ({place})"
        for kind, code, _, place in USED
        if kind == section and code not in catalogue()[section]
    }

    assert not missing


CONTRACT_CODES = [
    "not_a_workbook",
    "encrypted",
    "not_ours",
    "wrong_master",
    "wrong_unit",
    "wrong_period",
    "unsafe_content",
    "too_large",
    "stale_layout",
    "secret_marking",
    "bad_date",
    "ambiguous_date",
    "future_date",
    "missing_required",
    "bad_choice",
    "inconsistent_state",
    "completed_before_issue",
    "unknown_task",
    "other_units_task",
    "duplicate_row",
    "missing_row",
    "locked_field_changed",
    "formula_without_value",
    "cell_error",
    "legacy_encoding",
    "too_long",
    "unknown_unit",
    "several_lead_units",
    "late_without_reason",
    "calendar_missing",
    "progress_without_date",
    "due_date_differs",
]


@pytest.mark.parametrize("code", CONTRACT_CODES)
def test_every_code_of_the_contract_has_wording(code):
    assert code in catalogue()["findings"]


@pytest.mark.parametrize("code", sorted(catalogue()["findings"]))
def test_a_finding_says_what_is_wrong_what_to_do_and_gives_an_example(code):
    entry = catalogue()["findings"][code]

    for part in ("what", "fix", "example"):
        assert entry.get(part, "").strip(), part
    for part in ("what", "fix", "what_warning", "fix_warning"):
        assert part not in entry or entry[part].rstrip().endswith((".", "?", "!", "}")), part


@pytest.mark.parametrize("code", sorted(catalogue()["errors"]))
def test_an_error_says_what_happened_and_what_to_do(code):
    entry = catalogue()["errors"][code]

    assert entry["what"].strip()
    assert entry["fix"].strip()


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_placeholder_is_filled_by_every_use():
    """A sentence with a hole would show an ellipsis to people."""
    holes = set()
    for section, code, names, place in USED:
        entry = catalogue()[section].get(code)
        if entry is None or names is None:
            continue
        known = set(names) | (PLACES if section == "findings" else set())
        texts = [text for part, text in entry.items() if part.startswith(("what", "fix"))]
        holes |= {
            f"{code}: {{{name}}} ({place})" for text in texts for name in placeholders(text) - known
        }

    assert not holes


def test_a_finding_quotes_value_place_and_the_label_that_people_know():
    finding = error("bad_date", Location("a.xlsx", "Sổ", "H27"), field="due_date",
                    value="31/02/2026")  # fmt: skip
    what, fix = finding_sentences(finding, {"due_date": "Hạn xử lý"})

    assert "Hạn xử lý" in what
    assert "31/02/2026" in what
    assert "H27" in fix


def test_a_code_that_blocks_and_warns_may_say_it_in_two_ways():
    where = Location("a.xlsx", "Sổ", "H27")

    assert finding_sentences(error("secret_marking", where)) != finding_sentences(
        warning("secret_marking", where)
    )


def test_braces_in_a_value_are_no_placeholders():
    finding = error("bad_date", Location("a.xlsx", "S", "A1"), field="x", value="{file}{0}{")

    assert "{file}{0}{" in finding_sentences(finding)[0]


def test_an_error_of_the_system_is_put_into_vietnamese():
    problem = TheodoiError("input_unreadable", path="a.csv", reason="Permission denied")
    problem.__cause__ = PermissionError(13, "Permission denied")

    assert "không có quyền truy cập" in error_sentences(problem)[0]


def test_values_are_printed_as_people_read_them():
    from datetime import date, datetime

    assert printed(date(2026, 3, 5)) == "05/03/2026"
    assert printed(datetime(2026, 3, 5, 8, 30)) == "05/03/2026 08:30"
    assert printed(("a", "b")) == "a; b"
    assert printed(8.0) == "8"
    assert printed(None) == ""
    assert fill("{a} {b}", {"a": 1}) == "1 …"
