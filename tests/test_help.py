"""The guide is complete: every code, command, setting, field and page is explained."""

import ast
import json
import re
import string
import tomllib
from datetime import date
from pathlib import Path

import pytest

from xl_theodoi.cli import main
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, error, warning
from xl_theodoi.messages import catalogue, error_sentences, finding_sentences
from xl_theodoi.operations.manual import chapter_texts, manual
from xl_theodoi.resources import PACKAGE, field_catalogue, setting_catalogue

SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted((PACKAGE / "help").glob("*.md"))
MESSAGES = sorted((PACKAGE / "data" / "messages").glob("*.toml"))
COMMANDS = catalogue()["cli"]["commands_text"]

# The interface's own lists, copied by hand: what others rely on must not vanish unseen.
FILE_REASONS = (
    "not_a_workbook encrypted not_ours wrong_master wrong_unit wrong_period unsafe_content "
    "too_large stale_layout secret_marking"
)
ROW_CODES = (
    "bad_date ambiguous_date future_date missing_required bad_choice inconsistent_state "
    "completed_before_issue unknown_task other_units_task duplicate_row missing_row "
    "locked_field_changed formula_without_value cell_error legacy_encoding too_long "
    "secret_marking unknown_unit several_lead_units late_without_reason calendar_missing "
    "progress_without_date due_date_differs"
)
FIELDS = (
    "task_id parent_task_id document_id secrecy document_type document_number document_subject "
    "issue_date signer drafting_unit issuer_level urgency lead_unit coordinating_units "
    "office_room officer entered_by entered_on sent_on received_on content due_text due_date "
    "due_kind reporting_unit first_progress_on progress_text progress_date completed_on "
    "result_document evidence late_reason proposal extended_due_date extension_approved_on "
    "extension_document approved_on approved_by quality quality_reason returned_on "
    "return_reason cancelled_on note progress timeliness status_label effective_due_date "
    "days_left reported_state extension_requested_to extension_reason"
)


def constants(node: ast.AST) -> set[str]:
    """Return the texts that an expression may give: `"a" if x else "b"` gives both."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) | constants(node.orelse)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    return set()


def codes_raised(*makers: str) -> set[str]:
    """Return the codes that the sources write down where something is found or raised."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = ast.unparse(node.func).split(".")[-1]
            if function in makers and node.args:
                found |= constants(node.args[0])
    return found


def texts_in_code() -> set[str]:
    """Return every text in the sources; a code that is looked up stands somewhere in them."""
    return {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_the_scan_of_the_sources_finds_codes():
    assert len(codes_raised("error", "warning")) > 30
    assert len(codes_raised("TheodoiError")) > 50


def test_every_finding_that_is_raised_is_explained():
    assert not codes_raised("error", "warning", "Finding") - set(catalogue()["findings"])


def test_every_error_that_is_raised_is_explained():
    assert not codes_raised("TheodoiError") - set(catalogue()["errors"])


def test_every_code_of_the_interface_is_explained():
    assert not {*FILE_REASONS.split(), *ROW_CODES.split()} - set(catalogue()["findings"])


@pytest.mark.parametrize("kind", ["findings", "errors"])
def test_no_explanation_outlives_its_code(kind):
    """Deadline codes are made from the names of doubts, so their stems count too."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    written = texts_in_code()
    dead = [
        code
        for code in catalogue()[kind]
        if code not in written
        and code.removeprefix("due_") not in written
        and not re.search(rf"\b{code.removeprefix('due_').upper()}\b", text)
    ]
    assert not dead


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_no_code_is_worded_in_two_files(path):
    """The files are put together; the later one would win without a word."""
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    others = [tomllib.loads(p.read_text(encoding="utf-8")) for p in MESSAGES if p != path]
    for kind in ("findings", "errors"):
        twice = {code for other in others for code in other.get(kind, {})} & set(own.get(kind, {}))
        assert not twice


COMMON = {"file", "sheet", "cell", "task_id", "column"}
"""Placeholders that every finding fills from its address."""


def calls_with_values() -> list[tuple[str, str, str, set[str]]]:
    """Return kind, code, place and names of values where all of these are written down."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            function = ast.unparse(node.func).split(".")[-1]
            kind = {"error": "findings", "warning": "findings", "TheodoiError": "errors"}
            names = {keyword.arg for keyword in node.keywords}
            if function in kind and None not in names:
                place = f"{path.name}:{node.lineno}"
                found += [(kind[function], code, place, names) for code in constants(node.args[0])]
    return found


def test_every_placeholder_is_filled_where_the_code_is_raised():
    """An ellipsis in place of the user's value helps nobody."""
    missing = []
    for kind, code, place, names in calls_with_values():
        entry = catalogue()[kind].get(code, {})
        for key in ("what", "fix"):
            asked = {name for _, name, _, _ in string.Formatter().parse(entry.get(key, "")) if name}
            lacking = asked - names - (COMMON if kind == "findings" else set())
            if lacking:
                missing.append(f"{place} {code} {key}: {sorted(lacking)}")
    assert not missing


@pytest.mark.parametrize("code", sorted(catalogue()["findings"]))
def test_a_finding_says_what_how_to_mend_and_gives_an_example(code):
    entry = catalogue()["findings"][code]
    assert all(entry.get(key, "").strip() for key in ("what", "fix", "example"))
    shown = manual(code)["text"]
    assert code in shown
    assert entry["example"] in shown


@pytest.mark.parametrize("code", sorted(catalogue()["errors"]))
def test_an_error_says_what_and_how_to_mend(code):
    entry = catalogue()["errors"][code]
    assert all(entry.get(key, "").strip() for key in ("what", "fix"))
    assert code in manual(code)["text"]


ENTRIES = [(kind, code) for kind in ("findings", "errors") for code in sorted(catalogue()[kind])]


@pytest.mark.parametrize(("kind", "code"), ENTRIES)
def test_sentences_end_as_sentences_and_name_their_gaps(kind, code):
    for key, template in catalogue()[kind][code].items():
        if key == "example":
            continue
        assert template[-1] in ".?!:}…”)" or template[-1].isalnum(), template
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        assert all(re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in names), template


@pytest.mark.parametrize(("kind", "code"), ENTRIES)
def test_sentences_can_be_filled(kind, code):
    """Unknown values read as an ellipsis; a sentence never fails for want of one."""
    if kind == "errors":
        assert all(error_sentences(TheodoiError(code)))
        return
    place = Location("so.xlsx", "Trang", "B7")
    for made in (error(code, place, field="due_date"), warning(code, place, field="due_date")):
        what, fix = finding_sentences(made, {"due_date": "Hạn"})
        assert what
        assert "{" not in what.replace("{{", "")
        assert fix


def test_the_list_of_codes_names_all_of_them():
    text = manual("codes")["text"]
    assert not [code for _, code in ENTRIES if not re.search(rf"\b{code}\b", text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_is_reached_by_its_name_and_listed(path):
    assert path.read_text(encoding="utf-8").strip() in manual(path.stem)["text"]
    assert re.search(rf"^ +{path.stem} ", manual(None)["text"], re.MULTILINE)


def test_the_order_of_pages_names_existing_ones_once():
    order = catalogue()["help"]["order"]
    assert sorted(order) == sorted(path.stem for path in PAGES)


@pytest.mark.parametrize("name", sorted(catalogue()["help"]["aliases"]))
def test_every_other_name_leads_to_a_page(name):
    assert manual(name)["topic"] in {*chapter_texts(), "codes"}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"theodoi {command}" in shown
    assert " ".join(COMMANDS[command]["example"].split()) in " ".join(shown.split())
    assert COMMANDS[command]["example"] in manual(command)["text"]
    assert re.search(rf"^ +{command} ", manual(None)["text"], re.MULTILINE)


def options_of(command: str, capsys) -> set[str]:
    main([command, "--help"])
    return set(re.findall(r"(?<!\w)--[a-z][a-z-]*", capsys.readouterr().out))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_command_lines_of_the_guide_exist(path, capsys):
    """A line that a reader copies has a command and options that the program knows."""
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"(?:^    |`)theodoi ([a-z]+)([^`\n]*)", text, re.MULTILINE)
    for command, rest in lines:
        assert command in COMMANDS, command
        used = set(re.findall(r"(?<!\w)--[a-z][a-z-]*", rest))
        assert used <= options_of(command, capsys), (command, rest)


def test_every_command_of_the_parser_is_described():
    """The commands are those of the list in the program's own help."""
    tree = ast.parse((PACKAGE / "cli.py").read_text(encoding="utf-8"))
    made = {
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"command", "command_on_master"}
        and node.args
        for text in constants(node.args[0])
    }
    loops = {
        element.value
        for node in ast.walk(tree)
        if isinstance(node, ast.For) and re.search(r"command(_on_master)?\(", ast.unparse(node))
        for element in getattr(node.iter, "elts", [])
        if isinstance(element, ast.Constant)
    }
    assert made | loops == set(COMMANDS)


def test_every_field_of_the_interface_stands_in_the_glossary():
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", chapter_texts()["glossary"], re.MULTILINE))
    assert rows >= set(FIELDS.split())


def test_every_field_of_the_profiles_stands_in_the_glossary():
    names = {
        name for group in ("register", "computed", "unit") for name in field_catalogue()[group]
    }
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", chapter_texts()["glossary"], re.MULTILINE))
    assert rows == names


@pytest.mark.parametrize("name", FIELDS.split())
def test_a_field_is_explained_by_its_name(name):
    """`progress` and others may be pages as well; the field is told in any case."""
    assert f"mã trường: {name}" in manual(name)["text"]


@pytest.mark.parametrize("name", sorted(setting_catalogue()))
def test_every_setting_is_explained_alone_and_in_the_list(name):
    explanation = setting_catalogue()[name]["explanation"]
    assert explanation in manual(name)["text"]
    assert explanation in manual("settings")["text"]


def test_every_ambiguity_of_the_regulations_is_a_setting_or_told():
    """A17, A20, A22 and A24 have one reading only; the page on settings says which."""
    named = {entry["ambiguity"] for entry in setting_catalogue().values() if "ambiguity" in entry}
    assert named == {f"A{number}" for number in range(1, 26)} - {"A17", "A20", "A22", "A24"}
    page = " ".join((PACKAGE / "help" / "settings.md").read_text(encoding="utf-8").split())
    assert all(word in page for word in ("thời điểm", "Điều 147", "phát sinh", "hoàn thành trễ"))


def test_an_unknown_topic_is_refused_with_the_way_to_the_list(capsys):
    with pytest.raises(TheodoiError) as caught:
        manual("khong-co")
    assert caught.value.code == "unknown_topic"
    assert main(["help", "khong-co"]) == 2
    assert "theodoi help" in capsys.readouterr().err


def test_help_as_json_is_one_document(capsys):
    assert main(["help", "bad_date", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"topic", "text"}
    assert document["topic"] == "bad_date"


def test_the_guide_says_that_excel_was_not_tried():
    assert "Chưa thử trong Excel" in manual("limits")["text"]


def test_pages_fit_a_terminal():
    long = [
        f"{path.name}:{number}"
        for path in PAGES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 110 and not line.startswith("|")
    ]
    assert not long


def test_dates_in_the_guide_exist():
    """An example that cannot be, but for those shown as wrong, would mislead."""
    text = "\n".join(Path(path).read_text(encoding="utf-8") for path in PAGES)
    for year, month, day in re.findall(r"(?<!\d)(20\d\d)-(\d\d)-(\d\d)(?!\d)", text):
        date(int(year), int(month), int(day))
