import hashlib
import io
import zipfile
from dataclasses import replace

import pytest

from tests.workbook import samples
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.reading.package import MASTER_LIMITS, RETURN_LIMITS, open_package


def refusal(data, limits=RETURN_LIMITS):
    with pytest.raises(TheodoiError) as caught:
        open_package(data, limits, file_name="so.xlsx")
    assert caught.value.values["file"] == "so.xlsx"
    return caught.value.code, caught.value.values.get("kind") or caught.value.values.get("limit")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"\0" * 4096, "empty"),
        (samples.ole_file("Workbook"), "xls"),
        (samples.ole_file("WordDocument"), "other_office"),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00", "xls"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "html"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><Workbook/>", "html"),
        ("Mã;Nội dung\n1;Báo cáo\n".encode(), "text"),
        ("Mã\tNội dung".encode("utf-16"), "text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "unknown"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"\0" * 64, "unknown"),
    ],
)
def test_a_file_that_is_no_zip_is_named_for_what_it_is(data, kind):
    assert refusal(data) == ("not_a_workbook", kind)


def test_a_password_protected_workbook_is_told_from_an_old_xls():
    assert refusal(samples.ole_file("EncryptedPackage"))[0] == "encrypted"


def test_a_zip_with_encrypted_entries_is_encrypted():
    data = bytearray(samples.book(""))
    position = data.index(b"PK\x01\x02")
    data[position + 8] |= 1

    assert refusal(bytes(data))[0] == "encrypted"


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_not_a_workbook(share):
    data = samples.by_xlsxwriter()

    assert refusal(data[: int(len(data) * share)])[0] == "not_a_workbook"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
            "other_office",
        ),
        ("application/vnd.ms-excel.sheet.binary.macroEnabled.main", "xlsb"),
    ],
)
def test_another_office_document_is_not_a_workbook(content_type, kind):
    parts = samples.parts()
    workbook_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(workbook_type, content_type)

    assert refusal(samples.pack(parts)) == ("not_a_workbook", kind)


def test_a_zip_of_anything_else_is_not_a_workbook():
    assert refusal(samples.pack({"readme.txt": "x"})) == ("not_a_workbook", "unknown")
    opendocument = {"mimetype": "application/vnd.oasis", "content.xml": "<x/>"}
    assert refusal(samples.pack(opendocument)) == ("not_a_workbook", "ods")


def test_a_missing_or_foreign_workbook_part_is_not_a_workbook():
    assert refusal(samples.book("", workbook=None))[0] == "not_a_workbook"
    assert refusal(samples.book("", workbook="<workbook/>"))[0] == "not_a_workbook"
    assert refusal(samples.book("", types=None))[0] == "not_a_workbook"


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "xl/../../evil", "/etc/passwd", "C:/x.xml", "..\\..\\evil.exe"]
)
def test_a_part_name_that_leaves_the_package_is_unsafe(name):
    data = samples.pack(samples.parts() | {name: "x"})

    with pytest.raises(TheodoiError) as caught:
        open_package(data, RETURN_LIMITS)

    assert caught.value.code == "unsafe_content"
    assert caught.value.values["parts"] == [name.replace("\\", "/")]


def test_a_part_given_twice_is_refused_whatever_the_case_of_its_name():
    data = samples.book("")

    assert refusal(samples.with_duplicate(data, "xl/workbook.xml", b"<x/>"))[0] == "not_a_workbook"
    twin = samples.pack(samples.parts() | {"XL/Workbook.xml": "<x/>"})
    assert refusal(twin)[0] == "not_a_workbook"


def test_parts_that_share_their_bytes_are_refused():
    data = samples.pack(samples.parts() | {"xl/a.xml": "a" * 5000, "xl/b.xml": "b" * 10})
    overlapping = samples.with_overlapping_parts(data, "xl/a.xml", "xl/b.xml")

    assert refusal(overlapping)[0] == "not_a_workbook"


@pytest.mark.parametrize(
    ("changed", "limit"),
    [
        ({"file_bytes": 1000}, "file_bytes"),
        ({"parts": 3}, "parts"),
        ({"part_bytes": 300}, "part_bytes"),
        ({"total_bytes": 1200}, "total_bytes"),
        ({"ratio": 2, "ratio_floor": 500}, "ratio"),
    ],
)
def test_every_limit_is_judged_before_anything_is_inflated(changed, limit):
    assert refusal(samples.book(""), replace(RETURN_LIMITS, **changed)) == ("too_large", limit)


def test_a_ratio_is_suspicious_only_above_the_floor():
    data = samples.pack(samples.parts() | {"xl/media/image1.bmp": b"\0" * 5_000_000}, level=9)

    assert open_package(data, RETURN_LIMITS).has("xl/media/image1.bmp")


def test_a_small_file_that_inflates_to_hundreds_of_megabytes_is_too_large():
    assert len(packed := samples.with_bomb(400)) < 1_000_000
    assert refusal(packed)[0] == "too_large"


def test_a_directory_that_claims_a_smaller_size_does_not_let_more_through():
    data = samples.pack(samples.parts() | {"xl/big.xml": b" " * 3_000_000})
    package = open_package(samples.with_lying_size(data, "xl/big.xml", 100), RETURN_LIMITS)

    with pytest.raises(TheodoiError) as caught:
        package.read("xl/big.xml")

    assert caught.value.code == "not_a_workbook"
    assert caught.value.values["part"] == "xl/big.xml"


def test_a_directory_that_claims_a_larger_size_is_damaged():
    data = samples.pack(samples.parts() | {"xl/big.xml": b" " * 3_000})
    package = open_package(samples.with_lying_size(data, "xl/big.xml", 4_000), RETURN_LIMITS)

    with pytest.raises(TheodoiError, match="not_a_workbook"):
        package.read("xl/big.xml")


def test_changed_bytes_are_seen_by_their_checksum():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, part in (samples.parts() | {"xl/note.xml": "0123456789abcdef"}).items():
            archive.writestr(name, part)
    data = stream.getvalue().replace(b"0123456789abcdef", b"0123456789abcdeF")

    with pytest.raises(TheodoiError, match="not_a_workbook"):
        open_package(data, RETURN_LIMITS).read("xl/note.xml")


def test_parts_are_found_without_regard_to_case_and_read_back_as_they_are():
    package = open_package(samples.book("", **{"xl/Other.xml": "đủ dấu"}), RETURN_LIMITS)

    assert package.read("XL/OTHER.XML").decode() == "đủ dấu"
    assert "xl/Other.xml" in package.part_names


def test_a_stored_part_is_read_as_well_as_a_packed_one():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, part in samples.parts().items():
            archive.writestr(name, part)

    assert b"sheetData" in open_package(stream.getvalue(), RETURN_LIMITS).read(
        "xl/worksheets/sheet1.xml"
    )


def test_relationship_targets_are_resolved_from_their_source():
    rels = samples.relationships(
        "a|table|../tables/table1.xml", "b|table|/xl/t.xml", "c|hyperlink|http://x.vn/a|External"
    )
    package = open_package(samples.book("", sheet_rels=rels), RETURN_LIMITS)

    found = package.relationships("xl/worksheets/sheet1.xml")

    assert [entry.target for entry in found] == [
        "xl/tables/table1.xml",
        "xl/t.xml",
        "http://x.vn/a",
    ]
    assert [entry.external for entry in found] == [False, False, True]


def test_strict_packages_are_told_from_transitional_ones():
    assert not open_package(samples.book(""), RETURN_LIMITS).is_strict
    parts = samples.parts()
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(samples.MAIN, samples.STRICT)
    assert open_package(samples.pack(parts), RETURN_LIMITS).is_strict


def test_the_hash_is_that_of_the_files_bytes(tmp_path):
    path = tmp_path / "sổ.xlsx"
    path.write_bytes(data := samples.by_xlsxwriter())

    package = open_package(path, MASTER_LIMITS)

    assert package.sha256 == hashlib.sha256(data).hexdigest()
    assert package.file == "sổ.xlsx"


def test_a_file_that_is_missing_or_a_folder_is_said_so(tmp_path):
    with pytest.raises(TheodoiError, match="file_not_found"):
        open_package(tmp_path / "none.xlsx", MASTER_LIMITS)
    with pytest.raises(TheodoiError, match="file_unreadable"):
        open_package(tmp_path, MASTER_LIMITS)
