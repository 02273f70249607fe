"""The examination: each cause is told with what to do, on computers that the test makes up."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path, PureWindowsPath

import pytest

from tests.commands import Answer
from xl_theodoi.addin import doctor as module
from xl_theodoi.addin.build import ADDIN_NAME
from xl_theodoi.addin.doctor import doctor
from xl_theodoi.addin.install import install
from xl_theodoi.addin.places import Places
from xl_theodoi.addin.system import CHILD_PROCESSES, DEFENDER_RULES, System
from xl_theodoi.messages import catalogue

DAY = date(2026, 11, 20)
EXCEL = ("machine", r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe", "")
SECURITY = r"SOFTWARE\Policies\Microsoft\Office\16.0\Excel\Security"


def windows(values=(), **changes) -> System:
    """A computer with Windows and Excel, in order but for what is changed."""
    registry = {EXCEL: r"C:\Office\EXCEL.EXE", **dict(values)}
    ways = {
        "platform": "win32",
        "python": (3, 12, 4),
        "bits": 64,
        "utc_offset": 7 * 3600,
        "environment": {},
        "registry": lambda *place: registry.get(place),
        "which": lambda name: f"/bin/{name}",
    }
    return System(**{**ways, **changes})


@pytest.fixture
def where(tmp_path, monkeypatch):
    """An installation in order."""
    monkeypatch.setattr(module, "COMPILED_ON_WINDOWS", ())
    found = Places.below(tmp_path / "Người dùng")
    install(found)
    return found


def states(result):
    """Return the state of each check; the worst where one has several lines."""
    order = ["ok", "note", "broken"]
    found = {}
    for line in result.lines:
        found[line.check] = max(found.get(line.check, "ok"), line.state, key=order.index)
    return found


def test_an_installation_in_order_has_nothing_but_good_lines(where, tmp_path):
    result = doctor(DAY, tmp_path, where, windows())
    assert set(states(result).values()) == {"ok"}, result.lines
    assert not result.needs_person
    assert result.verdict.endswith("theodoi help month")


def test_every_line_that_is_not_good_says_what_to_do():
    entries = catalogue()["doctor_lines"]
    without = {name for name, entry in entries.items() if not entry.get("fix")}
    good = {name for name in entries if name.endswith("_ok")}
    assert without == good | {"libre_office_note"}


CASES = {
    "old python": (windows(python=(3, 10, 1)), "python", "broken"),
    "Python of the shop": (
        windows(prefix=r"C:\Program Files\WindowsApps\Python"), "python", "broken",
    ),
    "32 bits": (windows(bits=32), "python", "note"),
    "no Excel": (windows({EXCEL: None}), "excel", "note"),
    "other zone": (windows(utc_offset=0), "time_zone", "note"),
    "no LibreOffice": (windows(which=lambda _: None), "libre_office", "note"),
    "trusted locations off": (
        windows({("user", rf"{SECURITY}\Trusted Locations", "AllLocationsDisabled"): 1}),
        "policy", "note",
    ),
    "add-ins off": (windows({("user", SECURITY, "DisableAllAddins"): 1}), "policy", "note"),
    "VBA off": (
        windows({("machine", r"SOFTWARE\Policies\Microsoft\Office\16.0\common", "VBAOff"): 1}),
        "policy", "note",
    ),
    "Defender": (windows({("machine", DEFENDER_RULES, CHILD_PROCESSES): "1"}), "defender", "note"),
    "Defender only watches": (
        windows({("machine", DEFENDER_RULES, CHILD_PROCESSES): "2"}), "defender", "ok",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_cause_is_told(name, where, tmp_path):
    system, check, state = CASES[name]
    assert states(doctor(DAY, tmp_path, where, system))[check] == state


def test_a_choice_of_the_user_counts_only_without_a_policy():
    system = windows(
        {("user", SECURITY, "X"): 0, ("user", SECURITY.replace("Policies\\", ""), "X"): 1}
    )
    assert system.excel_setting("X") == 0


def test_a_missing_addin_says_the_command(where, tmp_path):
    (where.startup / ADDIN_NAME).unlink()
    result = doctor(DAY, tmp_path, where, windows())
    assert states(result)["addin"] == "broken"
    assert result.next_command == "theodoi addin install"
    assert result.verdict.endswith("theodoi addin install")


def test_without_excel_a_missing_addin_is_no_fault(where, tmp_path):
    (where.startup / ADDIN_NAME).unlink()
    result = doctor(DAY, tmp_path, where, windows({EXCEL: None}))
    assert states(result)["addin"] == "note"


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"theirs"])
def test_another_file_in_the_addins_place_is_told(where, tmp_path, data):
    (where.startup / ADDIN_NAME).write_bytes(data)
    assert states(doctor(DAY, tmp_path, where, windows()))["addin"] == "broken"


def test_an_older_addin_is_told(where, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "build_addin", lambda: b"newer")
    lines = doctor(DAY, tmp_path, where, windows()).lines
    assert [line.state for line in lines if line.check == "addin"] == ["broken"]
    assert "khác với phiên bản này" in next(line.what for line in lines if line.check == "addin")


def test_a_mark_of_the_web_is_told(where, tmp_path):
    mark = where.startup / f"{ADDIN_NAME}:Zone.Identifier"
    mark.write_text("[ZoneTransfer]\nZoneId=3\n")
    assert states(doctor(DAY, tmp_path, where, windows()))["addin"] == "broken"
    mark.write_text("[ZoneTransfer]\nZoneId=1\n")
    assert states(doctor(DAY, tmp_path, where, windows()))["addin"] == "ok"


def test_a_configuration_that_leads_nowhere_is_told(where, tmp_path):
    install(where, PureWindowsPath("D:\\không có\\python.exe"))
    lines = doctor(DAY, tmp_path, where, windows()).lines
    line = next(line for line in lines if line.check == "configuration")
    assert line.state == "broken"
    assert "không có" in line.what


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\x00\xd8\xff", "rác".encode()])
def test_a_spoilt_configuration_is_told(where, tmp_path, content):
    where.configuration.write_bytes(content)
    assert states(doctor(DAY, tmp_path, where, windows()))["configuration"] == "broken"


def test_a_configuration_may_use_variables(where, tmp_path):
    python = tmp_path / "python"
    python.touch()
    where.configuration.write_text('"INTERPRETER_WIN","%Local%/python"\n')
    system = windows(environment={"LOCAL": str(tmp_path)})
    assert states(doctor(DAY, tmp_path, where, system))["configuration"] == "note"


def test_no_configuration_is_told(where, tmp_path):
    where.configuration.unlink()
    assert states(doctor(DAY, tmp_path, where, windows()))["configuration"] == "broken"


def test_a_folder_that_cannot_be_written_in_is_told(where, tmp_path):
    result = doctor(DAY, tmp_path / "none", where, windows())
    assert states(result)["folder"] == "broken"
    assert result.needs_person


def test_a_folder_in_the_cloud_is_told(where, tmp_path):
    system = windows(environment={"OneDrive": str(tmp_path)})
    inner = tmp_path / "Sổ"
    inner.mkdir()
    assert states(doctor(DAY, inner, where, system))["cloud"] == "note"
    assert "cloud" not in states(doctor(DAY, tmp_path.parent, where, system))


def test_a_long_path_is_told_unless_windows_takes_it(where, tmp_path):
    long = tmp_path / ("a" * 100) / ("b" * 100)
    long.mkdir(parents=True)
    assert states(doctor(DAY, long, where, windows()))["long_path"] == "note"
    place = ("machine", r"SYSTEM\CurrentControlSet\Control\FileSystem", "LongPathsEnabled")
    assert "long_path" not in states(doctor(DAY, long, where, windows({place: 1})))


def test_looking_leaves_no_file(where, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    doctor(DAY, tmp_path, where, windows())
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("day", "check", "state"),
    [
        (date(2026, 1, 1), "calendar", "ok"),
        (date(2027, 1, 1), "calendar", "note"),
        (date(2028, 1, 1), "calendar", "broken"),
        (date(2025, 12, 31), "clock", "broken"),
        (date(2026, 1, 1), "clock", "ok"),
    ],
)
def test_the_day_is_judged(where, tmp_path, day, check, state):
    assert states(doctor(day, tmp_path, where, windows()))[check] == state


def test_a_missing_package_is_named(where, tmp_path, monkeypatch):
    asked = ["lxml>=99", "khong-co-goi-nay>=1", 'never; sys_platform == "nowhere"']
    monkeypatch.setattr(module.importlib.metadata, "requires", lambda _: asked)
    line = next(x for x in doctor(DAY, tmp_path, where, windows()).lines if x.check == "packages")
    assert line.state == "broken"
    assert "lxml" in line.what
    assert "khong-co-goi-nay" in line.what
    assert "never" not in line.what


def test_a_library_that_does_not_load_is_named(where, tmp_path, monkeypatch):
    """A mismatch of libraries is among the most frequent complaints about such add-ins."""
    monkeypatch.setattr(module, "COMPILED", ("lxml.khong_co",))
    line = next(x for x in doctor(DAY, tmp_path, where, windows()).lines if x.check == "packages")
    assert line.state == "broken"
    assert "lxml.khong_co" in line.what


def test_elsewhere_the_addin_is_not_asked_for(tmp_path):
    result = doctor(DAY, tmp_path, None, windows(platform="linux"))
    assert "addin" not in states(result)
    assert "policy" not in states(result)
    assert states(result)["excel"] == "note"
    assert not result.needs_person


# The command.


def test_the_command_prints_a_line_a_check_and_the_verdict_last(tmp_path):
    answer = Answer.of("doctor", tmp_path)
    assert answer.code in (0, 1)
    lines = answer.out.splitlines()
    assert lines[-1].startswith("Kết luận:")
    assert "Lệnh tiếp theo: theodoi" in lines[-1]
    marks = ("[đạt]", "[lưu ý]", "[hỏng]", "Cần làm:")
    assert all(line.strip().startswith(marks) for line in lines[:-1])


def test_the_command_answers_in_json(tmp_path):
    answer = Answer.of("doctor", tmp_path, "--json")
    assert set(answer.json) == {"checks", "counts", "verdict", "next"}
    keys = {"check", "state", "what", "fix", "next_command"}
    assert all(set(line) == keys for line in answer.json["checks"])
    assert answer.json["counts"]["ok"] > 5


def test_what_is_broken_ends_with_1(tmp_path):
    answer = Answer.of("doctor", tmp_path / "none")
    assert answer.code == 1
    assert "[hỏng]" in answer.out


def test_quiet_leaves_out_what_is_in_order(tmp_path):
    assert "[đạt]" not in Answer.of("doctor", tmp_path, "--quiet").out


def test_an_examination_takes_no_second(tmp_path):
    """Processor time, because others may use the machine; the modules are loaded before."""
    doctor(DAY, tmp_path)
    start = time.process_time()
    doctor(DAY, tmp_path)
    assert time.process_time() - start < 1


def test_this_computer_can_be_asked(tmp_path):
    result = doctor(DAY, Path(tmp_path))
    assert {"python", "packages", "folder", "calendar"} <= set(states(result))
