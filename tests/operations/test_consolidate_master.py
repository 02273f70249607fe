"""What a consolidation leaves in the master, beside it, and nowhere else."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from datetime import datetime

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from tests.operations.rounds import (
    DONE,
    IN_PROGRESS,
    Round,
    labels,
    places,
    rewrite,
    run,
    sheet_of,
)


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    office = Round(tmp_path_factory.mktemp("van-phong"))
    assert office.send().code == 0
    return office


@pytest.fixture
def office(sent, tmp_path):
    return sent.copy(tmp_path / "o")


WRONG = {
    "NV-1": {"reported_state": IN_PROGRESS, "progress_text": "Đang làm", "note": "n"},
    "NV-3": {"reported_state": DONE, "result_document": "12/BC-STC"},
}


# NhatKy and TepNhan


def test_every_change_leaves_a_line_with_file_hash_cell_old_and_new(office):
    path = office.fill(
        {"NV-2": {"note": "mới", "progress_date": "2026-11-09"}, "NV-3": {"proposal": "k"}}
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    office.consolidate(path)
    cells = {}
    book = openpyxl.load_workbook(path)
    sheet = sheet_of(book, "NhiemVuDonVi")
    columns, rows = places(sheet, labels("hue", "unit"))
    for task, field in (("NV-2", "note"), ("NV-2", "progress_date"), ("NV-3", "proposal")):
        cells[task, field] = f"{sheet.title}!{get_column_letter(columns[field])}{rows[task]}"
    head = labels("hue", "master")
    lines = {
        (row["Mã nhiệm vụ"], row["Cột"]): (row["Trang, ô"], row["Giá trị cũ"], row["Giá trị mới"])
        for row in office.table("NhatKy")
    }
    assert lines == {
        ("NV-2", head["note"]): (cells["NV-2", "note"], "Ghi chú cũ", "mới"),
        ("NV-2", head["progress_date"]): (
            cells["NV-2", "progress_date"], "20/10/2026", "09/11/2026",
        ),
        ("NV-3", head["proposal"]): (cells["NV-3", "proposal"], None, "k"),
    }  # fmt: skip
    for row in office.table("NhatKy"):
        assert (row["Tệp"], row["Mã băm SHA-256"]) == (path.name, digest)
        assert row["Thời điểm"]


def test_a_receipt_for_every_file(office):
    good = office.fill(WRONG)
    (good.parent / "x.pdf").write_bytes(b"%PDF-1.7")
    office.consolidate(good.parent)
    rows = {row["Tệp"]: row for row in office.table("TepNhan")}
    assert rows[good.name]["Kết quả"] == "Nhận một phần"
    assert [
        rows[good.name][n]
        for n in ("Dòng thay đổi", "Dòng giữ nguyên", "Dòng bị trả lại", "Dòng xung đột")
    ] == [1, 3, 1, 0]
    assert rows[good.name]["Tệp trả lại để sửa"] == "STC_2026-11_can-sua.xlsx"
    assert rows["x.pdf"]["Kết quả"] == "Không nhận"
    assert rows["x.pdf"]["Lý do"]


# Same file again


def test_the_same_files_again_change_not_one_byte(office):
    files = [
        office.fill({"NV-1": {"note": "x", "extension_requested_to": "2027-01-10"}}),
        office.fill({"NV-6": {"reported_state": DONE}}, unit="SNV"),
    ]
    (files[0].parent / "x.pdf").write_bytes(b"%PDF-1.7")
    first = office.consolidate(files[0].parent)
    before = office.tree()
    again = office.consolidate(files[0].parent, as_of="2026-11-30")
    assert office.tree() == before
    assert again.json["written"] == []
    outcomes = [sorted(v["outcome"] for v in a.json["files"]) for a in (first, again)]
    assert outcomes == [["accepted", "partial", "rejected"], ["duplicate", "partial", "rejected"]]
    assert first.code == again.code == 1


def test_two_copies_of_the_same_bytes_count_once(office):
    path = office.fill({"NV-1": {"note": "x"}})
    shutil.copy(path, path.with_name("ban-sao.xlsx"))
    answer = office.consolidate(path.parent)
    assert answer.rows() == (1, 4, 0, 0)
    assert sorted(v["outcome"] for v in answer.json["files"]) == ["accepted", "duplicate"]
    assert len(office.table("TepNhan")) == 1


def test_an_older_file_is_superseded(office):
    newer = office.fill({"NV-1": {"note": "mới"}}, name="b.xlsx", at="2026-11-21T08:00:00Z")
    older = office.fill({"NV-1": {"note": "cũ"}}, name="a.xlsx", at="2026-11-20T08:00:00Z")
    answer = office.consolidate(newer, older)
    assert {v["file"][-6:]: v["outcome"] for v in answer.json["files"]} == {
        "b.xlsx": "accepted", "a.xlsx": "superseded",
    }  # fmt: skip
    assert answer.code == 0
    assert office.state()["NV-1"]["note"] == "mới"


# Correction workbooks


def test_the_unit_mends_the_coloured_cells_and_nothing_is_lost(office):
    path = office.fill(WRONG)
    answer = office.consolidate(path)
    correction = office.folder / "STC_2026-11_can-sua.xlsx"
    assert answer.file["correction_file"] == str(correction)
    assert str(correction) in answer.json["written"]
    plain, marked = openpyxl.load_workbook(path), openpyxl.load_workbook(correction)
    (wrong,) = [f["cell"] for f in answer.file["findings"] if f["severity"] == "error"]
    noted = {
        (sheet.title, cell.coordinate)
        for sheet in marked
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment is not None
    }
    assert noted == {("Nhiệm vụ", wrong)}
    for sheet in marked:
        for row in sheet.iter_rows():
            for cell in row:
                twin = plain[sheet.title][cell.coordinate]
                assert cell.value == twin.value, cell.coordinate
                same = cell.fill.fgColor.rgb == twin.fill.fgColor.rgb
                assert same is ((sheet.title, cell.coordinate) not in noted)
    # The correction is our own output: it is not taken for a return.
    answer = office.consolidate(office.folder)
    assert str(correction) not in [v["file"] for v in answer.json["files"]]
    mended = office.fill(
        {"NV-3": {"completed_on": "2026-11-11"}}, source=correction, name="sua.xlsx",
        at="2026-11-22T08:00:00Z",
    )  # fmt: skip
    answer = office.consolidate(mended)
    assert (answer.code, answer.file["outcome"]) == (0, "accepted")
    assert answer.rows() == (1, 4, 0, 0)
    now = office.state()
    assert (now["NV-3"]["completed_on"], now["NV-3"]["result_document"]) == (
        "2026-11-11",
        "12/BC-STC",
    )
    assert now["NV-1"]["note"] == "n"


def test_corrections_go_to_out_and_never_over_another_file(office):
    out = office.folder / "tra-lai"
    out.mkdir()
    (out / "STC_2026-11_can-sua.xlsx").write_bytes(b"of somebody else")
    path = office.fill(WRONG)
    answer = office.consolidate(path, "--out", out)
    assert answer.file["correction_file"] == str(out / "STC_2026-11_can-sua-2.xlsx")
    assert (out / "STC_2026-11_can-sua.xlsx").read_bytes() == b"of somebody else"


# Missing units, our own output, what is skipped


def test_missing_units_are_those_of_which_nothing_was_accepted_in_any_run(office):
    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}))
    assert (answer.code, answer.json["missing_units"]) == (0, ["SNV", "SXD"])
    answer = office.consolidate(office.fill({"NV-6": {"note": "x"}}, unit="SNV"))
    assert answer.json["missing_units"] == ["SXD"]
    answer = office.consolidate(office.fill({"NV-8": {"reported_state": DONE}}, unit="SXD"))
    assert (answer.rows(), answer.json["missing_units"]) == ((0, 0, 1, 0), ["SXD"])


def test_in_a_folder_our_own_output_locks_and_hidden_files_are_skipped(office):
    folder = office.sent
    for name in ("~$STC_2026-11.xlsx", ".~lock.a.xlsx#", ".an.xlsx", "Thumbs.db"):
        (folder / name).write_bytes(b"x")
    (folder / "con").mkdir()
    path = office.fill({"NV-1": {"note": "x"}})
    shutil.move(path, folder / "con" / path.name)
    answer = office.consolidate(office.folder)
    assert [v["file"] for v in answer.json["files"] if v["outcome"] != "rejected"] == [
        str(folder / "con" / path.name)
    ]
    assert {
        v["file"].rsplit("/", 1)[-1] for v in answer.json["files"] if v["outcome"] == "rejected"
    } <= {"u.csv", "t.csv"}


def test_a_workbook_sent_back_as_it_was_is_accepted_where_it_is_named(office):
    answer = office.consolidate(office.unit_file())
    assert (answer.code, answer.file["outcome"], answer.rows()) == (0, "accepted", (0, 5, 0, 0))


# Dry run, errors, locks


def test_a_dry_run_writes_nothing_anywhere_and_says_the_same(office, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tam"))
    (tmp_path / "tam").mkdir()
    path = office.fill(WRONG)
    office.office_types("NV-1", note="sổ")
    before = office.tree()
    dry = office.consolidate(path, "--dry-run")
    assert office.tree() == before
    assert list((tmp_path / "tam").iterdir()) == []
    assert dry.json["dry_run"] is True
    assert (dry.json["written"], dry.json["parts_changed"]) == ([], [])
    real = office.consolidate(path)
    assert (dry.code, dry.rows(), dry.findings()) == (real.code, real.rows(), real.findings())
    assert dry.json["conflicts"] == real.json["conflicts"]


def test_a_dry_run_without_the_companion_folder_makes_none(office):
    shutil.rmtree(office.folder / "so.xlsx.theodoi")
    path = office.fill({"NV-1": {"note": "x"}})
    before = office.tree()
    office.consolidate(path, "--dry-run")
    assert office.tree() == before


@pytest.mark.parametrize("lock", ["~$so.xlsx", ".~lock.so.xlsx#"])
@pytest.mark.parametrize("command", ["consolidate", "send", "undo"])
def test_a_master_that_is_open_elsewhere_is_exit_2_and_nothing_is_written(office, lock, command):
    path = office.fill(WRONG)
    (office.folder / lock).write_bytes(b"x")
    before = office.tree()
    if command == "consolidate":
        answer = office.consolidate(path)
    elif command == "send":
        answer = office.send("2026-12", out=office.folder / "moi")
    else:
        answer = run("undo", office.master, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "master_locked"
    assert office.tree() == before


def test_nothing_ever_sent_is_exit_2(tmp_path):
    office = Round(tmp_path / "o")
    other = Round(tmp_path / "k")
    other.send()
    path = other.fill({})
    for paths in ((path,), ()):
        answer = office.consolidate(*paths)
        assert (answer.code, answer.json["error"]["code"]) == (2, "nothing_sent")
    # The column that a send fills is enough.
    office.office_types("NV-1", sent_on="2026-11-01")
    assert office.consolidate(path).code == 1


def test_a_missing_path_or_master_is_exit_2(office, tmp_path):
    assert office.consolidate(tmp_path / "khong-co").code == 2
    answer = run("consolidate", tmp_path / "khong.xlsx", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "master_missing")


def test_a_master_that_cannot_be_written_leaves_nothing_behind(office, monkeypatch):
    from xl_theodoi.domain.errors import TheodoiError
    from xl_theodoi.hosts import FileEdit

    path = office.fill(WRONG)
    before = office.tree()

    def fail(self):
        raise TheodoiError("cannot_write", path="x", reason="đầy đĩa")

    monkeypatch.setattr(FileEdit, "put", fail)
    answer = office.consolidate(path)
    assert answer.code == 2
    assert office.tree() == before
    assert office.send("2026-12", out=office.folder / "moi").code == 2
    assert office.tree() == before


# Without the companion folder


def test_without_the_companion_folder_the_hidden_copy_serves_and_undo_does_not(office):
    path = office.fill({"NV-2": {"note": "x"}})
    office.office_types("NV-2", progress_text="Văn phòng ghi")
    shutil.rmtree(office.folder / "so.xlsx.theodoi")
    answer = office.consolidate(path)
    assert ("base_record_missing", "warning", None, None) in answer.findings()
    assert (answer.code, answer.rows()) == (0, (1, 4, 0, 0))
    now = office.state()["NV-2"]
    assert (now["note"], now["progress_text"]) == ("x", "Văn phòng ghi")
    shutil.rmtree(office.folder / "so.xlsx.theodoi")
    answer = run("undo", office.master, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "nothing_to_undo")


def test_without_the_companion_folder_workbooks_that_were_only_sent_are_still_ours(office):
    shutil.rmtree(office.folder / "so.xlsx.theodoi")
    answer = office.consolidate(office.sent)
    assert answer.json["files"] == []
    assert answer.json["missing_units"] == ["STC", "SNV", "SXD"]


# A master that the Office has changed by hand


def test_a_master_edited_in_between_still_works(office):
    path = office.fill(
        {"NV-1": {"note": "x", "reported_state": DONE, "completed_on": "2026-11-20"}}
    )
    book = openpyxl.load_workbook(office.master)
    sheet = sheet_of(book, "NhiemVu")
    table = sheet.tables["NhiemVu"]
    cells = sheet[table.ref]
    values = [[cell.value for cell in row] for row in cells]
    formats = {
        row[0]: [c.number_format for c in line] for row, line in zip(values, cells, strict=True)
    }
    assert formats
    # Rows sorted the other way, columns turned round, one added, the sheet renamed.
    body = sorted(
        values[1:], key=lambda row: str(row[values[0].index("Mã nhiệm vụ")]), reverse=True
    )
    new = [
        [*reversed(row), extra]
        for row, extra in zip(
            [values[0], *body], ["Cột của phòng", *"abcdefghijklmnop"], strict=False
        )
    ]
    start = cells[0][0]
    for r, line in enumerate(new):
        for c, value in enumerate(line):
            cell = sheet.cell(start.row + r, start.column + c)
            cell.value = value
            if isinstance(value, datetime):
                cell.number_format = "dd/mm/yyyy"
    del sheet.tables["NhiemVu"]
    last = get_column_letter(start.column + len(new[0]) - 1)
    from openpyxl.worksheet.table import Table

    sheet.add_table(
        Table(displayName="NhiemVu", ref=f"{start.coordinate}:{last}{start.row + len(new) - 1}")
    )
    sheet.title = "So cua phong"
    book.save(office.master)
    answer = office.consolidate(path)
    assert (answer.code, answer.rows()) == (0, (1, 4, 0, 0))
    now = office.state()["NV-1"]
    assert (now["note"], now["completed_on"], now["progress"]) == ("x", "2026-11-20", "done")
    rows = {row["Mã nhiệm vụ"]: row["Cột của phòng"] for row in office.table("NhiemVu")}
    assert sorted(filter(None, rows.values())) == list("abcdefgh")


def test_nothing_else_in_the_master_changes(office):
    book = openpyxl.load_workbook(office.master)
    sheet = book.create_sheet("Việc riêng")
    sheet["A1"], sheet["B2"] = "=1+1", "ghi chú riêng"
    book.save(office.master)
    with zipfile.ZipFile(office.master) as package:
        before = {name: package.read(name) for name in package.namelist()}
    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}))
    with zipfile.ZipFile(office.master) as package:
        after = {name: package.read(name) for name in package.namelist()}
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed <= set(answer.json["parts_changed"])
    sheets = {f"xl/worksheets/sheet{n}.xml" for n in range(1, 40)} & changed
    titles = set(office_sheets(office, sheets))
    assert titles <= {"Nhiệm vụ", "Tệp nhận", "Nhật ký", "Sự kiện"} | {office_title(office)}


def office_sheets(office, parts):
    book = openpyxl.load_workbook(office.master)
    return [book.worksheets[int(part[19:-4].removeprefix("t")) - 1].title for part in parts]


def office_title(office):
    return sheet_of(openpyxl.load_workbook(office.master), "NhiemVu").title


def test_a_macro_master_keeps_its_macros(office):
    macro = office.folder / "so.xlsm"
    shutil.move(office.master, macro)
    shutil.move(office.folder / "so.xlsx.theodoi", office.folder / "so.xlsm.theodoi")
    code = b"\xcc\x61" * 300
    with zipfile.ZipFile(macro, "a") as package:
        package.writestr("xl/vbaProject.bin", code)

    def change(name, data):
        if name == "[Content_Types].xml":
            data = data.replace(
                b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            )
            return data.replace(
                b"</Types>",
                b'<Override PartName="/xl/vbaProject.bin" '
                b'ContentType="application/vnd.ms-office.vbaProject"/></Types>',
            )
        if name == "xl/_rels/workbook.xml.rels":
            return data.replace(
                b"</Relationships>",
                b'<Relationship Id="rIdVba" Type="http://schemas.microsoft.com/office/2006/'
                b'relationships/vbaProject" Target="vbaProject.bin"/></Relationships>',
            )
        return data

    rewrite(macro, change)
    office.master = macro
    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}))
    assert answer.code == 0, answer.out
    assert office.state()["NV-1"]["note"] == "x"
    with zipfile.ZipFile(macro) as package:
        assert package.read("xl/vbaProject.bin") == code


# Undo


def test_undo_puts_back_the_very_bytes_again_and_again(office):
    states = [office.master.read_bytes()]
    for number, note in enumerate(("một", "hai")):
        office.consolidate(
            office.fill(
                {"NV-1": {"note": note}}, name=f"{number}.xlsx", at=f"2026-11-2{number}T08:00:00Z"
            )
        )
        states.append(office.master.read_bytes())
    for expected in reversed(states[:-1]):
        answer = run("undo", office.master, "--json")
        assert (answer.code, answer.json["written"]) == (0, [str(office.master)])
        assert office.master.read_bytes() == expected
    # What was undone can be consolidated anew.
    answer = office.consolidate(office.folder / "ve")
    assert office.state()["NV-1"]["note"] == "hai"


def test_undo_is_refused_where_the_master_changed_since(office):
    office.consolidate(office.fill({"NV-1": {"note": "x"}}))
    office.office_types("NV-3", note="gõ tay")
    before = office.tree()
    answer = run("undo", office.master, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "changed_since_written")
    assert office.tree() == before


def test_undo_keeps_the_files_rights_and_follows_a_link(office):
    office.consolidate(office.fill({"NV-1": {"note": "x"}}))
    office.master.chmod(0o440)
    link = office.folder / "lien-ket.xlsx"
    link.symlink_to(office.master)
    (office.folder / "lien-ket.xlsx.theodoi").symlink_to(office.folder / "so.xlsx.theodoi")
    assert run("undo", link, "--json").code == 0
    assert link.is_symlink()
    assert office.master.stat().st_mode & 0o777 == 0o440
    assert "note" not in office.state()["NV-1"]


def test_a_file_from_before_an_undone_send_is_still_known(office):
    path = office.fill({"NV-1": {"note": "x"}})
    assert run("undo", office.master, "--json").code == 0
    answer = office.consolidate(path)
    assert answer.code == 0
    assert answer.file["outcome"] == "accepted"


def test_the_sum_of_counts_is_the_number_of_rows(office):
    office.office_types("NV-2", note="sổ")
    answer = office.consolidate(office.fill({**WRONG, "NV-2": {"note": "đơn vị", "proposal": "p"}}))
    assert answer.rows() == (1, 2, 1, 1)
    assert json.loads(answer.out)["totals"] == answer.file["rows"]
