"""The add-in in a user's folder: what is written, done again, refused, taken away."""

from __future__ import annotations

import codecs
import json
import sys
from pathlib import Path, PureWindowsPath

import pytest

from tests.commands import Answer
from xl_theodoi.addin.build import ADDIN_NAME, build_addin
from xl_theodoi.addin.install import install, read_configuration, read_record, uninstall
from xl_theodoi.addin.places import MAC_STARTUP, Places
from xl_theodoi.addin.ribbon import read_ribbon
from xl_theodoi.buttons.__main__ import ACTIONS
from xl_theodoi.domain.errors import TheodoiError

PYTHON = PureWindowsPath("D:\\Hồ sơ\\Nguyễn Văn Ấn\\TheoDoi\\versions\\1\\Scripts\\python.exe")


@pytest.fixture
def where(tmp_path):
    """A user's folder as Windows makes it, with things of others in it."""
    user = tmp_path / "Nguyễn Văn Ấn"
    for name in ("Local", "Roaming/Microsoft/Excel", "Roaming/Microsoft/Windows/Start Menu"):
        (user / "AppData" / name).mkdir(parents=True)
    (user / "AppData" / "Roaming" / "Microsoft" / "Excel" / "Excel15.xlb").write_text("mine")
    return Places.below(user)


def files(where):
    return {path for path in where.startup.parents[4].rglob("*") if path.is_file()}


def everything(where):
    return {
        path: path.is_dir() or path.read_bytes() for path in where.startup.parents[4].rglob("*")
    }


def test_everything_is_written_and_told(where):
    before = files(where)
    result = install(where, PYTHON)
    links = len(read_ribbon()) + 1
    assert set(result.written) | before | {where.record} == files(where)
    assert result.counts == {"written": 2 + links, "unchanged": 0, "removed": 0}
    assert (where.startup / ADDIN_NAME).read_bytes() == build_addin()
    assert not result.findings
    assert len(result.needed) > 3


def test_nothing_but_the_addin_is_in_excels_folder(where):
    """Excel opens every file there as a workbook when it starts."""
    install(where, PYTHON)
    assert [path.name for path in where.startup.iterdir()] == [ADDIN_NAME]


def test_the_configuration_is_what_the_addin_reads(where):
    """Lines in Unicode with its mark; the key is the one in the macros' source."""
    install(where, PYTHON)
    data = where.configuration.read_bytes()
    assert data.startswith(codecs.BOM_UTF16_LE)
    assert data.decode("utf-16") == f'"INTERPRETER_WIN","{PYTHON}"\r\n'
    source = (Path(__file__).parents[2] / "macros" / "TheoDoiPython.bas").read_text("ascii")
    assert 'INTERPRETER_KEY As String = "INTERPRETER_WIN"' in source
    inside = where.configuration.relative_to(where.startup.parents[4])
    assert "%USERPROFILE%\\" + str(PureWindowsPath(inside)) in source


def test_doing_it_again_changes_nothing(where):
    install(where, PYTHON)
    before = everything(where)
    again = install(where, PYTHON)
    assert again.written == []
    assert again.counts["unchanged"] == 3 + len(read_ribbon())
    assert everything(where) == before


def test_another_python_changes_configuration_and_shortcuts_only(where):
    install(where, PYTHON)
    addin = where.startup / ADDIN_NAME
    result = install(where, PYTHON.parents[2] / "2" / "Scripts" / "python.exe")
    assert addin not in result.written
    assert where.configuration in result.written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_configuration_of_an_older_version_is_taken_over(where, encoding):
    """A setting that an office added stays."""
    where.configuration.parent.mkdir()
    old = '"INTERPRETER_WIN","C:\\old\\python.exe"\r\nrubbish\r\n"MY","của tôi"\r\n'
    where.configuration.write_bytes(old.encode(encoding))
    install(where, PYTHON)
    found = read_configuration(where.configuration)
    assert found == {"INTERPRETER_WIN": str(PYTHON), "MY": "của tôi"}


def test_a_shortcut_that_is_no_more_is_taken_away(where):
    install(where, PYTHON)
    old = where.menu / "99 Cũ.lnk"
    old.write_bytes(b"old")
    record = read_record(where.record)
    record["files"].append(str(old))
    where.record.write_text(json.dumps(record), encoding="utf-8")
    install(where, PYTHON)
    assert not old.exists()


def test_removing_leaves_the_folder_as_it_was(where):
    before = everything(where)
    install(where, PYTHON)
    result = uninstall(where)
    assert everything(where) == before
    assert where.startup / ADDIN_NAME in result.removed
    assert where.menu in result.removed


def test_removing_twice_does_nothing_the_second_time(where):
    install(where, PYTHON)
    uninstall(where)
    before = everything(where)
    assert uninstall(where).removed == []
    assert everything(where) == before


def test_removing_touches_nothing_of_others(where):
    where.startup.mkdir()
    others = [where.startup / "PERSONAL.XLSB", where.configuration.parent / "khac.txt"]
    install(where, PYTHON)
    for path in others:
        path.write_text("theirs")
    uninstall(where)
    assert all(path.read_text() == "theirs" for path in others)


def test_removing_without_the_record_finds_what_has_our_names(where):
    install(where, PYTHON)
    where.record.unlink()
    uninstall(where)
    assert not (where.startup / ADDIN_NAME).exists()
    assert not where.configuration.exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"files": 3}', '{"files": [1]}'])
def test_a_spoilt_record_stops_nothing(where, content):
    install(where, PYTHON)
    where.record.write_text(content)
    if "3" not in content:
        uninstall(where)
        assert not (where.startup / ADDIN_NAME).exists()
    else:
        install(where, PYTHON)
        assert str(where.configuration) in read_record(where.record)["files"]


def test_a_record_that_names_a_workbook_takes_none_away(where):
    install(where, PYTHON)
    master = where.home / "so.xlsx"
    master.write_text("register")
    record = read_record(where.record)
    record["files"].append(str(master))
    where.record.write_text(json.dumps(record), encoding="utf-8")
    install(where, PYTHON)
    uninstall(where)
    assert master.read_text() == "register"


def test_a_file_of_our_name_that_is_not_ours_is_left(where):
    where.startup.mkdir()
    addin = where.startup / ADDIN_NAME
    addin.write_text("theirs")
    with pytest.raises(TheodoiError) as caught:
        install(where, PYTHON)
    assert caught.value.code == "would_overwrite"
    where.record.unlink()
    assert [finding.code for finding in uninstall(where).findings] == ["addin_not_ours"]
    assert addin.read_text() == "theirs"


def refuse_for(monkeypatch, method, name):
    """Let the system refuse a step on files of a name, as Windows does for open ones."""
    plain = getattr(Path, method)

    def step(self, *arguments, **options):
        if self.name == name or any(getattr(a, "name", "") == name for a in arguments):
            raise PermissionError(13, "Permission denied", str(self))
        return plain(self, *arguments, **options)

    monkeypatch.setattr(Path, method, step)


def test_an_addin_that_excel_holds_is_said_and_nothing_else_changes(where, monkeypatch):
    install(where, PYTHON)
    addin = where.startup / ADDIN_NAME
    older = addin.read_bytes() + b" "
    addin.write_bytes(older)
    before = where.configuration.read_bytes()
    refuse_for(monkeypatch, "replace", ADDIN_NAME)
    with pytest.raises(TheodoiError) as caught:
        install(where, PureWindowsPath("E:\\other\\python.exe"))
    assert caught.value.code == "addin_in_use"
    assert where.configuration.read_bytes() == before
    assert addin.read_bytes() == older


def test_an_addin_that_excel_holds_stays_with_everything_else(where, monkeypatch):
    install(where, PYTHON)
    before = everything(where)
    refuse_for(monkeypatch, "unlink", ADDIN_NAME)
    with pytest.raises(TheodoiError) as caught:
        uninstall(where)
    assert caught.value.code == "addin_in_use"
    assert everything(where) == before


def test_excel_may_be_open_where_the_addin_is_the_same(where, monkeypatch):
    """An update that changes Python only."""
    install(where, PYTHON)
    refuse_for(monkeypatch, "replace", ADDIN_NAME)
    install(where, PureWindowsPath("E:\\other\\python.exe"))
    assert read_configuration(where.configuration)["INTERPRETER_WIN"] == "E:\\other\\python.exe"


def test_a_folder_that_refuses_writing_is_said(where, monkeypatch):
    refuse_for(monkeypatch, "mkdir", where.startup.name)
    with pytest.raises(TheodoiError) as caught:
        install(where, PYTHON)
    assert caught.value.code == "cannot_write"


def test_an_installation_that_was_stopped_can_be_removed(where, monkeypatch):
    before = everything(where)
    plain, count = Path.replace, 0
    for number in range(1, 8):

        def step(self, target, number=number):
            nonlocal count
            count += 1
            if count == number:
                raise KeyboardInterrupt
            return plain(self, target)

        count = 0
        monkeypatch.setattr(Path, "replace", step)
        with pytest.raises(KeyboardInterrupt):
            install(where, PYTHON)
        monkeypatch.setattr(Path, "replace", plain)
        uninstall(where)
        assert everything(where) == before, number


def test_without_a_windows_path_there_are_no_shortcuts(where):
    result = install(where, Path("/opt/python"))
    assert [finding.code for finding in result.findings] == ["shortcuts_left_out"]
    assert not where.menu.exists()


def test_each_button_has_a_shortcut_in_the_order_of_the_month(where):
    install(where, PYTHON)
    found = sorted(path for path in where.menu.iterdir() if path.name[0].isdigit())
    buttons = read_ribbon()
    assert [path.stem[3:] for path in found] == [button.label for button in buttons]
    for path, button in zip(found, buttons, strict=True):
        words = f"-E -P -m xl_theodoi.buttons {button.action}".encode("utf-16-le")
        assert words in path.read_bytes()
        assert "pythonw.exe".encode("utf-16-le") in path.read_bytes()


def test_every_shortcut_asks_for_what_the_program_knows():
    assert {button.action for button in read_ribbon()} <= set(ACTIONS)


def test_a_window_for_commands_finds_the_program(where):
    install(where, PYTHON)
    data = (where.menu / "Cửa sổ lệnh theodoi.lnk").read_bytes()
    assert f"{PureWindowsPath(where.home)};{PYTHON.parent};%PATH%".encode("utf-16-le") in data


# Where the places are.


def test_the_places_are_those_of_windows_own_variables(tmp_path):
    environment = {
        "USERPROFILE": str(tmp_path / "u"),
        "APPDATA": str(tmp_path / "r"),
        "LOCALAPPDATA": str(tmp_path / "l"),
    }
    found = Places.of_this_user(None, environment, "win32")
    assert found.startup == tmp_path / "r" / "Microsoft" / "Excel" / "XLSTART"
    assert found.record == tmp_path / "l" / "TheoDoi" / "addin.json"
    assert found.configuration == tmp_path / "u" / ".TheoDoi" / "TheoDoi.conf"


@pytest.mark.parametrize(
    ("platform", "code"), [("linux", "addin_needs_windows"), ("darwin", "addin_not_on_mac")]
)
def test_elsewhere_the_way_out_is_said(platform, code):
    with pytest.raises(TheodoiError) as caught:
        Places.of_this_user(None, {}, platform)
    assert caught.value.code == code
    assert MAC_STARTUP.startswith("~/Library")


def test_windows_without_a_user_is_said():
    with pytest.raises(TheodoiError) as caught:
        Places.of_this_user(None, {"APPDATA": "x"}, "win32")
    assert caught.value.code == "no_user_folder"
    assert "LOCALAPPDATA" in str(caught.value)


# The commands.


@pytest.mark.skipif(sys.platform == "win32", reason="would install here")
@pytest.mark.parametrize("task", ["install", "uninstall"])
def test_the_command_ends_with_2_where_there_is_no_excel(task):
    answer = Answer.of("addin", task, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "addin_needs_windows"


def test_the_commands_answer_in_json(tmp_path):
    answer = Answer.of("addin", "install", "--user", tmp_path, "--json")
    assert answer.code == 0
    assert set(answer.json) == {"written", "removed", "counts", "findings", "needed"}
    assert all(Path(name).is_file() for name in answer.json["written"])
    removed = Answer.of("addin", "uninstall", "--user", tmp_path, "--json").json["removed"]
    assert set(answer.json["written"]) <= set(removed)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_the_command_tells_people_what_administrators_must_allow(tmp_path):
    answer = Answer.of("addin", "install", "--user", tmp_path)
    for word in ("Defender", "trusted locations", "XLSTART", "Unblock", "AppLocker"):
        assert word in answer.out


def test_build_writes_the_same_bytes_wherever(tmp_path):
    answer = Answer.of("addin", "build", "--out", tmp_path / "a" / "b")
    assert answer.code == 0
    assert (tmp_path / "a" / "b" / ADDIN_NAME).read_bytes() == build_addin()
    assert Answer.of("addin", "build", "--out", tmp_path / "a" / "b").code == 0


def test_build_does_not_write_over_a_file_of_somebody_else(tmp_path):
    (tmp_path / ADDIN_NAME).write_text("theirs")
    answer = Answer.of("addin", "build", "--out", tmp_path, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "would_overwrite"
