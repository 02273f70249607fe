"""Files that are no returns, secrets, and files of somebody else: verdicts, never a stop."""

from __future__ import annotations

import io
import json
import zipfile

import openpyxl
import pytest

from tests.operations.rounds import Round, rewrite, run, sheet_of

CONTENT_TYPES = "[Content_Types].xml"


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    office = Round(tmp_path_factory.mktemp("van-phong"))
    assert office.send().code == 0
    return office


@pytest.fixture
def office(sent, tmp_path):
    return sent.copy(tmp_path / "o")


def encrypted():
    """The head of an OLE file with an encrypted package, as Excel saves with a password."""
    from xl_theodoi.workbook.reading import package

    assert package  # the reader tells by the first bytes and the stream's name
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
    return head + "EncryptedPackage".encode("utf-16-le") + b"\0" * 2048


def plain_workbook():
    stream = io.BytesIO()
    book = openpyxl.Workbook()
    book.active["A1"] = "không phải tệp của sổ"
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "reasons"),
    [
        ("rong.xlsx", b"", {"not_a_workbook"}),
        ("pdf.xlsx", b"%PDF-1.7\n1 0 obj\n", {"not_a_workbook"}),
        ("van-ban.pdf", b"%PDF-1.7\n1 0 obj\n", {"not_a_workbook"}),
        ("csv.xlsx", "mã,nội dung\nNV-1,x\n".encode(), {"not_a_workbook"}),
        ("ma-hoa.xlsx", encrypted(), {"encrypted", "not_a_workbook"}),
        ("khac.xlsx", plain_workbook(), {"not_ours"}),
        ("zip.xlsx", b"PK\x05\x06" + b"\0" * 18, {"not_a_workbook"}),
        ("nhi-phan.xls", bytes(range(256)) * 64, {"not_a_workbook"}),
    ],
)
def test_a_hostile_file_is_a_verdict_and_stops_no_other(office, name, data, reasons):
    good = office.fill({"NV-1": {"note": "tốt"}})
    (office.folder / "ve" / name).write_bytes(data)
    answer = office.consolidate(good.parent)
    assert answer.code == 1
    verdicts = {v["file"].rsplit("/", 1)[-1]: v for v in answer.json["files"]}
    assert verdicts[name]["outcome"] == "rejected"
    assert verdicts[name]["reason"] in reasons
    assert [f["code"] for f in verdicts[name]["findings"]] == [verdicts[name]["reason"]]
    assert verdicts[name]["findings"][0]["severity"] == "error"
    assert verdicts[good.name]["outcome"] == "accepted"
    assert office.state()["NV-1"]["note"] == "tốt"
    before = office.master.read_bytes()
    office.consolidate(good.parent)
    assert office.master.read_bytes() == before


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_a_verdict(office, share):
    path = office.fill({"NV-1": {"note": "x"}})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    answer = office.consolidate(path)
    assert (answer.code, answer.file["reason"]) == (1, "not_a_workbook")


@pytest.mark.parametrize("seed", range(12))
def test_a_workbook_with_broken_xml_is_a_verdict(office, seed):
    import random

    chance = random.Random(seed)
    path = office.fill({"NV-1": {"note": "x"}})

    def change(name, data):
        if not name.endswith((".xml", ".rels")) or chance.random() < 0.7 or len(data) < 50:
            return data
        at = chance.randrange(len(data) - 20)
        return data[:at] + bytes(chance.randrange(256) for _ in range(5)) + data[at + 9 :]

    rewrite(path, change)
    answer = office.consolidate(path)
    assert answer.code in (0, 1)
    assert len(answer.json["files"]) == 1


def test_a_macro_is_unsafe_content(office):
    path = office.fill({"NV-1": {"note": "x"}})
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/vbaProject.bin", b"macro")
    answer = office.consolidate(path)
    assert (answer.code, answer.file["reason"]) == (1, "unsafe_content")


def test_a_file_too_large_is_a_verdict(office, monkeypatch):
    from dataclasses import replace

    from xl_theodoi.operations import returns

    path = office.fill({"NV-1": {"note": "x"}})
    monkeypatch.setattr(returns, "RETURN_LIMITS", replace(returns.RETURN_LIMITS, file_bytes=1000))
    answer = office.consolidate(path)
    assert (answer.code, answer.file["reason"]) == (1, "too_large")


def test_files_of_another_master_period_or_layout_are_refused(office, tmp_path):
    other = Round(tmp_path / "khac")
    other.send()
    path = other.fill({"NV-1": {"note": "x"}})
    assert office.consolidate(path).file["reason"] == "wrong_master"
    path = office.fill({"NV-1": {"note": "x"}})
    answer = run(
        "consolidate", office.master, path, "--period", "2026-10", "--as-of", "2026-11-25", "--json"
    )
    assert answer.file["reason"] == "wrong_period"
    answer = run(
        "consolidate", office.master, path, "--period", "2026-11", "--as-of", "2026-11-25", "--json"
    )
    assert answer.file["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("unit", "XYZ", "wrong_unit"),
        ("period", "2026-08", "wrong_period"),
        ("layout_version", "0", "stale_layout"),
        ("master_id", "khac", "wrong_master"),
    ],
)
def test_a_changed_identity_is_refused(office, key, value, reason):
    path = office.fill({"NV-1": {"note": "x"}})
    book = openpyxl.load_workbook(path)
    sheet = sheet_of(book, "TheoDoiDinhDanh")
    for row in sheet[sheet.tables["TheoDoiDinhDanh"].ref]:
        if row[0].value == key:
            row[1].value = value
    book.save(path)
    answer = office.consolidate(path)
    assert (answer.file["outcome"], answer.file["reason"]) == ("rejected", reason)
    assert "note" not in office.state()["NV-1"]


def test_a_marked_return_stays_where_it_lies_and_only_its_place_is_written(office):
    path = office.fill({"NV-1": {"progress_text": "TỐI MẬT", "note": "chuyện không ai được biết"}})
    good = office.fill({"NV-6": {"note": "tốt"}}, unit="SNV")
    answer = office.consolidate(path.parent)
    verdict = next(v for v in answer.json["files"] if v["unit"] is None)
    assert (answer.code, verdict["reason"]) == (1, "secret_marking")
    (finding,) = verdict["findings"]
    assert finding["cell"]
    assert finding["sheet"] == "Nhiệm vụ"
    import hashlib

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    texts = [office.master.read_bytes()]
    with zipfile.ZipFile(office.master) as package:
        texts += [package.read(name) for name in package.namelist()]
    companion = office.folder / "so.xlsx.theodoi"
    for copy in companion.rglob("*"):
        if copy.is_file():
            texts.append(copy.read_bytes())
            assert digest not in copy.name
    for secret in ("chuyện không ai", "TỐI MẬT", digest):
        assert not any(secret.encode() in text for text in texts), secret
    assert "chuyện không ai" not in answer.out
    assert path.exists()
    assert good.exists()
    (row,) = [row for row in office.table("TepNhan") if row["Kết quả"] == "Không nhận"]
    assert row["Tệp"] == path.name
    assert finding["cell"] in row["Lý do"]
    before = office.master.read_bytes()
    office.consolidate(path.parent)
    assert office.master.read_bytes() == before


@pytest.mark.parametrize(
    "words", ["Bảo mật thông tin", "mật độ dân số", "bí mật kinh doanh", "mật"]
)
def test_words_that_only_contain_the_letters_are_taken(office, words):
    answer = office.consolidate(office.fill({"NV-1": {"progress_text": words}}))
    assert answer.file["outcome"] == "accepted"
    assert office.state()["NV-1"]["progress_text"] == words


def test_doubtful_words_are_a_warning(office):
    answer = office.consolidate(office.fill({"NV-1": {"note": "có kèm tài liệu mật"}}))
    assert ("secret_marking", "warning", "NV-1", "note") in answer.findings()
    assert office.state()["NV-1"]["note"] == "có kèm tài liệu mật"


def test_a_marked_master_stops_consolidate_and_send_before_anything_is_copied(office):
    path = office.fill({"NV-1": {"note": "x"}})
    office.office_types("NV-3", note="MẬT")
    before = office.tree()
    answer = office.consolidate(path)
    assert answer.code == 2
    assert json.loads(answer.out)["error"]["code"] == "master_secret"
    assert office.send("2026-12", out=office.folder / "gui2").code == 2
    assert office.tree() == before
