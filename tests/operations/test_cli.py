"""The command line as a new user meets it: help, wrong words, exit codes, one message."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from tests.operations.office import AS_OF, Office, theodoi
from xl_theodoi import cli

COMMANDS = (
    "demo", "new", "add", "check", "refresh", "send", "consolidate", "report", "show", "undo",
    "upgrade", "fields", "deadline", "calendar", "workdays", "doctor", "addin", "bundle", "help",
)  # fmt: skip

ENGLISH = re.compile(
    r"\b(usage|options?|arguments?|positional|required|invalid|choose|expected|unrecognized|error"
    r"|show|this|message|exit|default|command)\b",
    re.IGNORECASE,
)


def without_names(text: str) -> str:
    """Help without names of commands, options, files and placeholders, which stay English."""
    text = re.sub(r"theodoi [^\n]*", "", text)
    text = re.sub(r"--?[a-z-]+|[\w-]+\.(xlsx|csv|toml)|“[^”]*”", "", text)
    text = text.replace(", ".join(COMMANDS), "")
    return re.sub(rf"^ +({'|'.join(COMMANDS)})\b", "", text, flags=re.MULTILINE)


def test_help_lists_the_commands_in_the_order_of_the_months_work():
    answer = theodoi("--help")

    listed = [
        line.split()[0]
        for line in answer.out.splitlines()
        if line.startswith("    ") and line.split() and line.split()[0] in COMMANDS
    ]
    assert (answer.code, listed) == (0, list(COMMANDS))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_vietnamese_and_shows_an_example(command):
    words = [command, "--help"] if command else ["--help"]
    answer = theodoi(*words)

    assert answer.code == 0
    assert "Ví dụ: theodoi" in answer.out
    assert not ENGLISH.search(without_names(answer.out)), answer.out


def test_the_examples_of_the_help_are_understood():
    """Every example parses; whether its files exist is another matter."""
    cli._translate()
    parser = cli._parser()
    for entry in cli.catalogue()["cli"]["commands_text"].values():
        words = re.findall(r'"[^"]*"|\S+', entry["example"])[1:]
        assert parser.parse_args([word.strip('"') for word in words]).command


WRONG = [
    ([], "usage"),
    (["xoa"], "usage"),
    (["check"], "usage"),
    (["check", "so.xlsx", "--la"], "usage"),
    (["check", "so.xlsx", "thua"], "usage"),
    (["check", "so.xlsx", "--as"], "usage"),
    (["check", "so.xlsx", "--as-of"], "usage"),
    (["check", "so.xlsx", "--as-of", "21/11/2026"], "bad_option_date"),
    (["check", "so.xlsx", "--as-of", "2026-02-30"], "bad_option_date"),
    (["new", "so.xlsx"], "usage"),
    (["new", "so.xlsx", "--profile", "ha-noi"], "unknown_profile"),
    (["new", "so.doc", "--profile", "hue"], "bad_master_name"),
    (["new", "khong/co/so.xlsx", "--profile", "hue"], "folder_missing"),
    (["send", "so.xlsx", "--period", "2026-13", "--out", "x"], "bad_period"),
    (["send", "so.xlsx", "--period", "tháng 11", "--out", "x"], "bad_period"),
    (["consolidate", "so.xlsx", "--period", "2026-Q5"], "bad_period"),
    (["report", "so.xlsx", "--period", "2026-11", "--out", "x", "--format", "xls"], "usage"),
    (["check", "khong-co.xlsx"], "master_missing"),
    (["refresh", "khong-co.xlsx"], "master_missing"),
    (["show", "khong-co.xlsx"], "master_missing"),
    (["upgrade", "khong-co.xlsx"], "master_missing"),
    (["fields", "--profile", "ha-noi"], "unknown_profile"),
    (["deadline", "x", "--issued", "hôm qua"], "bad_option_date"),
    (["workdays", "2026-11-18", "0"], "bad_count"),
    (["workdays", "2026-11-18", "-1"], "bad_count"),
    (["workdays", "2026-11-18", "ba"], "bad_count"),
    (["workdays", "2026-11-18", "²"], "bad_count"),
    (["workdays", "2026-11-18", "1.5"], "bad_count"),
    (["workdays", "2027-12-30", "10"], "calendar_missing"),
    (["workdays", "18/11/2026", "1"], "bad_option_date"),
    (["calendar", "26"], "bad_year"),
    (["calendar", "2040"], "calendar_missing"),
    (["deadline", "trong 10 ngày làm việc", "--issued", "2027-12-28"], "calendar_missing"),
]


@pytest.mark.parametrize(("words", "code"), WRONG, ids=lambda item: " ".join(item)[:60])
def test_wrong_words_end_with_exit_2_and_one_vietnamese_message(words, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    for_people = theodoi(*words)
    for_machines = theodoi(*words, "--json")

    assert (for_people.code, for_people.out) == (2, "")
    assert for_people.err.count("Không làm được:") == 1
    assert "Traceback" not in for_people.err
    assert (for_machines.code, for_machines.err) == (2, "")
    error = for_machines.json["error"]
    assert (sorted(for_machines.json), sorted(error)) == (["error"], ["code", "message"])
    assert error["code"] == code
    assert not ENGLISH.search(without_names(error["message"])), error["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_of_the_system_is_told_in_vietnamese(tmp_path, monkeypatch):
    office = Office(tmp_path)
    office.new()

    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied")

    path = office.write("them.csv", "content,lead_unit\nA,STC\n")
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    answer = office.run("add", path)

    assert answer.code == 2
    assert "Permission" not in answer.out
    assert "không có quyền" in answer.json["error"]["message"]


def test_a_fault_of_the_program_is_no_traceback(monkeypatch):
    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("text that must not be shown")

    monkeypatch.setattr("xl_theodoi.operations.queries.workdays", broken)
    answer = theodoi("workdays", "2026-11-18", "1", "--json")

    assert (answer.code, answer.json["error"]["code"]) == (2, "internal")
    assert "must not be shown" not in answer.out + answer.err


def test_python_m_is_the_same_program():
    run = subprocess.run(
        [sys.executable, "-m", "xl_theodoi", "workdays", "2026-11-18", "1", "--json"],
        capture_output=True, check=True, text=True, encoding="utf-8",
    )  # fmt: skip

    assert run.stdout == '{"date": "2026-11-19"}\n'


def test_help_is_quick():
    """Warm, 0.3 s is the limit; on a slow machine, a few times the bare interpreter's start."""

    def best(*words: str) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        return min(times)

    assert best("-m", "xl_theodoi", "--help") < max(0.3, 8 * best("-c", "pass"))


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from xl_theodoi.cli import main; main(['--help']);"
        "print([n for n in ('pandas','numpy','lxml','openpyxl','xlsxwriter','pydantic',"
        "'workalendar','jinja2') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True,
                         encoding="utf-8")  # fmt: skip

    assert run.stdout.splitlines()[-1] == "[]"


def test_quiet_says_nothing_where_nothing_waits_for_a_person(tmp_path):
    office = Office(tmp_path)
    office.new("content,lead_unit\nA,STC\n")

    for words in (["refresh"], ["check"], ["show"], ["upgrade"]):
        answer = theodoi(words[0], office.master, "--as-of", AS_OF, "--quiet")
        assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_quiet_still_says_what_waits_for_a_person(tmp_path):
    office = Office(tmp_path)
    office.new()
    path = office.write("them.csv", "content,lead_unit\nA,\n")
    answer = theodoi("add", office.master, path, "--as-of", AS_OF, "--quiet")

    assert answer.code == 1
    assert "missing_required" in answer.out


def test_quiet_never_shortens_a_json_document(tmp_path):
    office = Office(tmp_path)
    office.new()

    assert office.run("check", "--quiet").json == {
        "findings": [], "counts": {"error": 0, "warning": 0},
    }  # fmt: skip


def test_without_as_of_the_day_is_today_in_vietnam(tmp_path, monkeypatch):
    from datetime import date

    office = Office(tmp_path)
    office.new("content,lead_unit,due_date\nA,STC,2030-01-10\n")
    monkeypatch.setattr(cli, "today", lambda: date(2030, 1, 11))
    document = theodoi("show", office.master, "--json").json

    assert document["as_of"] == "2030-01-11"
    assert document["tasks"][0]["timeliness"] == "overdue"


def test_today_is_told_by_the_clock_of_vietnam(monkeypatch):
    from datetime import UTC, date, datetime

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 11, 20, 17, 30, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(cli, "datetime", Clock)

    assert cli.today() == date(2026, 11, 21)


def test_a_reader_that_leaves_early_is_no_failure():
    """`theodoi help codes | head -1`: the pipe closes before everything is printed."""
    command = [sys.executable, "-m", "xl_theodoi", "help", "codes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        errors = run.stderr.read()

    assert (run.returncode, errors) == (0, b"")


def test_folders_of_returns_may_stand_after_the_options(tmp_path):
    words = ["consolidate", tmp_path / "so.xlsx", "--as-of", "2026-11-20", tmp_path, "--json"]
    assert theodoi(*words).json["error"]["code"] == "master_missing"
    assert theodoi(*words, "--lung-tung").json["error"]["code"] == "usage"
