"""Three-way merge, conflicts, and the choices that people make in XungDot."""

from __future__ import annotations

import pytest

from tests.operations.rounds import DONE, IN_PROGRESS, Round

TEXT = "progress_text"


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    office = Round(tmp_path_factory.mktemp("van-phong"))
    assert office.send().code == 0
    return office


@pytest.fixture
def office(sent, tmp_path):
    return sent.copy(tmp_path / "o")


def give(office, values, name="a.xlsx", at="2026-11-20T08:00:00Z", **options):
    return office.consolidate(office.fill(values, name=name, at=at, **options))


def test_what_the_unit_left_keeps_what_the_office_changed(office):
    office.office_types("NV-2", progress_text="Văn phòng ghi")
    answer = give(office, {"NV-2": {"note": "mới"}})
    assert (answer.code, answer.json["conflicts"]) == (0, [])
    now = office.state()["NV-2"]
    assert (now[TEXT], now["note"]) == ("Văn phòng ghi", "mới")


def test_the_same_change_on_both_sides_is_nothing(office):
    office.office_types("NV-1", progress_text="như nhau")
    answer = give(office, {"NV-1": {TEXT: "như  nhau "}})
    assert (answer.code, answer.rows()) == (0, (0, 5, 0, 0))
    assert office.table("NhatKy") == []


def test_a_correction_by_the_unit_itself_is_no_conflict(office):
    give(
        office,
        {"NV-1": {TEXT: "một", "reported_state": IN_PROGRESS, "progress_date": "2026-11-10"}},
    )
    answer = give(
        office, {"NV-1": {TEXT: "hai", "reported_state": DONE, "completed_on": "2026-11-15"}},
        "b.xlsx", "2026-11-21T08:00:00Z",
    )  # fmt: skip
    assert (answer.code, answer.json["conflicts"]) == (0, [])
    assert office.state()["NV-1"][TEXT] == "hai"
    answer = give(office, {"NV-1": {TEXT: "ba"}}, "c.xlsx", "2026-11-22T08:00:00Z")
    assert answer.json["conflicts"] == []
    assert office.state()["NV-1"]["completed_on"] == "2026-11-15"


@pytest.mark.parametrize(
    ("office_values", "unit_values", "field", "values"),
    [
        ({"progress_text": "sổ"}, {TEXT: "đơn vị"}, TEXT, ("sổ", "đơn vị", "Đã họp lần một")),
        (
            {"progress_date": "2026-11-05"}, {"progress_date": "2026-11-06"},
            "progress_date", ("2026-11-05", "2026-11-06", "2026-10-20"),
        ),
        (
            {"completed_on": "2026-11-05"}, {"progress_date": "2026-11-06"},
            "reported_state", ("done", "in_progress", "in_progress"),
        ),
        ({"note": "sổ"}, {"note": None}, "note", ("sổ", None, "Ghi chú cũ")),
    ],
)  # fmt: skip
def test_both_sides_changed_is_a_conflict_and_the_rest_of_the_row_enters(
    office, office_values, unit_values, field, values
):
    office.office_types("NV-2", **office_values)
    before = office.state()["NV-2"]
    answer = give(office, {"NV-2": {**unit_values, "proposal": "kiến nghị"}})
    assert answer.code == 1
    (conflict,) = answer.json["conflicts"]
    assert conflict == {
        "task_id": "NV-2", "field": field, "master_value": values[0],
        "unit_value": values[1], "base_value": values[2], "file": "a.xlsx",
    }  # fmt: skip
    assert answer.rows() == (0, 4, 0, 1)
    assert answer.file["outcome"] == "accepted"
    assert office.state()["NV-2"] == {**before, "proposal": "kiến nghị"}
    assert len(office.table("XungDot")) == 1


def test_a_choice_for_the_unit_is_applied_by_the_next_run_without_files(office):
    office.office_types("NV-2", progress_text="sổ", completed_on="2026-11-05")
    give(office, {"NV-2": {TEXT: "đơn vị", "progress_date": "2026-11-06"}})
    office.choose("lấy đơn vị ")
    answer = office.consolidate(as_of="2026-11-26")
    assert (answer.code, answer.json["conflicts"], answer.json["files"]) == (0, [], [])
    now = office.state()["NV-2"]
    assert (now[TEXT], now["progress_date"], now.get("completed_on")) == (
        "đơn vị",
        "2026-11-06",
        None,
    )
    lines = [row for row in office.table("NhatKy") if row["Việc"] == "Chọn xung đột"]
    assert {row["Cột"] for row in lines} == {
        "Tình hình, kết quả thực hiện", "Ngày hoàn thành", "Ngày cập nhật tiến độ",
    }  # fmt: skip
    assert all(
        row["Tệp"] == "a.xlsx" and row["Mã băm SHA-256"] and row["Trang, ô"] for row in lines
    )
    before = office.master.read_bytes()
    assert office.consolidate(as_of="2026-11-27").code == 0
    assert office.master.read_bytes() == before


def test_a_choice_for_the_master_stays_when_the_unit_sends_the_same_again(office):
    office.office_types("NV-2", progress_text="sổ")
    first = office.fill({"NV-2": {TEXT: "đơn vị"}}, name="a.xlsx")
    office.consolidate(first)
    office.choose("Giữ sổ")
    assert office.consolidate(first).json["conflicts"] == []
    before = office.master.read_bytes()
    answer = office.consolidate(first)
    assert (answer.code, answer.json["conflicts"]) == (0, [])
    assert office.master.read_bytes() == before
    answer = give(
        office, {"NV-2": {TEXT: "đơn vị", "note": "thêm"}}, "b.xlsx", "2026-11-21T08:00:00Z"
    )
    assert (answer.code, answer.json["conflicts"]) == (0, [])
    assert office.state()["NV-2"][TEXT] == "sổ"
    # Another value is another question.
    answer = give(office, {"NV-2": {TEXT: "đơn vị khác"}}, "c.xlsx", "2026-11-22T08:00:00Z")
    assert [c["unit_value"] for c in answer.json["conflicts"]] == ["đơn vị khác"]


def test_a_newer_submission_takes_the_place_of_the_conflict_that_waits(office):
    office.office_types("NV-2", progress_text="sổ")
    give(office, {"NV-2": {TEXT: "một"}})
    answer = give(office, {"NV-2": {TEXT: "hai"}}, "b.xlsx", "2026-11-21T08:00:00Z")
    assert [c["unit_value"] for c in answer.json["conflicts"]] == ["hai"]
    assert [row["Giá trị đơn vị gửi"] for row in office.table("XungDot")] == ["hai"]


def test_a_conflict_that_waits_is_said_again_and_changes_nothing(office):
    office.office_types("NV-2", progress_text="sổ")
    path = office.fill({"NV-2": {TEXT: "một"}})
    office.consolidate(path)
    before = office.master.read_bytes()
    for paths in ((path,), ()):
        answer = office.consolidate(*paths)
        assert answer.code == 1
        assert [c["unit_value"] for c in answer.json["conflicts"]] == ["một"]
        assert office.master.read_bytes() == before


def test_one_of_two_choices_is_applied_and_the_other_waits(office):
    office.office_types("NV-2", progress_text="sổ", note="sổ")
    give(office, {"NV-2": {TEXT: "một", "note": "hai"}})
    office.choose("Lấy đơn vị", 0)
    answer = office.consolidate()
    assert answer.code == 1
    assert len(answer.json["conflicts"]) == 1
    now = office.state()["NV-2"]
    assert sorted([now[TEXT], now["note"]]) in (["hai", "sổ"], ["một", "sổ"])


def test_a_choice_nobody_can_read_is_said(office):
    office.office_types("NV-2", progress_text="sổ")
    give(office, {"NV-2": {TEXT: "một"}})
    office.choose("chắc là đơn vị")
    answer = office.consolidate()
    assert answer.code == 1
    assert [f["code"] for f in answer.json["findings"]] == ["bad_choice"]
    assert office.state()["NV-2"][TEXT] == "sổ"


def test_a_choice_between_equal_moments_is_applied(office):
    files = [
        office.fill({"NV-1": {TEXT: "a", "extension_requested_to": "2027-01-10"}}, name="a.xlsx"),
        office.fill({"NV-1": {TEXT: "b", "extension_requested_to": "2027-01-20"}}, name="b.xlsx"),
    ]
    answer = office.consolidate(*files)
    assert len(answer.json["conflicts"]) == 4
    assert answer.rows() == (0, 8, 0, 2)
    rows = office.table("XungDot")
    wanted = [i for i, row in enumerate(rows) if row["Tệp"] == "b.xlsx"]
    office.choose("Lấy đơn vị", *wanted)
    office.choose("Giữ sổ", *[i for i in range(4) if i not in wanted])
    assert office.consolidate().code == 0
    assert office.state()["NV-1"][TEXT] == "b"
    (row,) = office.table("DeNghi")
    assert row["Xin gia hạn đến ngày"].date().isoformat() == "2027-01-20"
    before = office.master.read_bytes()
    answer = office.consolidate(*files)
    assert (answer.code, answer.json["conflicts"]) == (0, [])
    assert office.master.read_bytes() == before


def test_what_the_office_changed_after_taking_a_file_stands_when_it_is_judged_again(office):
    path = office.fill({"NV-1": {TEXT: "đơn vị"}, "NV-3": {"reported_state": DONE}})
    assert office.consolidate(path).file["outcome"] == "partial"
    office.office_types("NV-1", progress_text="Văn phòng sửa sau")
    answer = office.consolidate(path)
    assert answer.json["conflicts"] == []
    assert office.state()["NV-1"][TEXT] == "Văn phòng sửa sau"
