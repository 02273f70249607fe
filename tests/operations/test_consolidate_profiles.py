"""A round of every regulation: nothing is said of a workbook that was filled in rightly."""

from __future__ import annotations

import pytest

from tests.operations.rounds import DONE, IN_PROGRESS, Round
from xl_theodoi.resources import profile_ids

TASKS = """\
task_id,document_type,document_number,document_subject,issue_date,signer,content,lead_unit,coordinating_units,officer,due_date,progress_text,progress_date,evidence,note
NV-1,Chỉ thị,12/CT-UBND,Chỉ thị về ngân sách,2026-10-01,Nguyễn Văn A,"Xây dựng kế hoạch
và báo cáo",STC,SNV; SXD,Trần Thị B,2026-12-20,Đã họp,2026-10-20,,Ghi chú
NV-2,Quyết định,05/QĐ-UBND,Quyết định biên chế,2026-10-01,,Rà soát các khoản chi,STC,,,,,,,
NV-3,Công văn,1232/UBND-VP,Việc thứ ba,2026-10-01,,Báo cáo kết quả,STC,Sở NV,,2026-12-20,,,,
"""


@pytest.mark.parametrize("profile", profile_ids())
def test_a_round(profile, tmp_path):
    office = Round(tmp_path / "o", profile=profile, tasks=TASKS)
    assert office.send().code == 0
    path = office.fill(
        {
            "NV-1": {
                "progress_text": "Đã trình",
                "progress_date": "2026-11-10",
                "evidence": "a.pdf; b.pdf",
            },
            "NV-2": {
                "reported_state": DONE,
                "completed_on": "2026-11-12",
                "result_document": "9/BC",
            },
            "NV-3": {"reported_state": IN_PROGRESS, "extension_requested_to": "2027-01-20"},
        }
    )
    answer = office.consolidate(path)
    assert (answer.code, answer.findings()) == (0, [])
    assert answer.rows() == (3, 0, 0, 0)
    now = office.state()
    assert now["NV-1"]["evidence"] == ["a.pdf", "b.pdf"]
    assert (now["NV-2"]["progress"], now["NV-2"]["result_document"]) == ("done", "9/BC")
    assert now["NV-3"]["progress_date"] == "2026-11-25"
    before = office.master.read_bytes()
    again = office.consolidate(path)
    assert (again.code, again.file["outcome"]) == (0, "duplicate")
    assert office.master.read_bytes() == before
    # A correction of everything by the unit itself.
    answer = office.consolidate(
        office.fill(
            {
                "NV-1": {
                    "evidence": "c.pdf",
                    "progress_text": "Đã trình lại",
                    "progress_date": "2026-11-11",
                },
                "NV-2": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-12"},
                "NV-3": {"note": "x"},
            },
            name="hai.xlsx",
            at="2026-11-21T08:00:00Z",
        )
    )
    assert (answer.code, answer.json["conflicts"]) == (0, [])
    now = office.state()
    assert now["NV-1"]["evidence"] == ["c.pdf"]
    assert (now["NV-2"]["progress"], now["NV-2"].get("completed_on")) == ("in_progress", None)
