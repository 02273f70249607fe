"""Worked cases through the command line: statuses, deadline phrases, calendar, working days."""

from __future__ import annotations

import csv
from datetime import date
from itertools import groupby
from pathlib import Path

import openpyxl
import pytest

from tests.acceptance import forms
from tests.acceptance.live_tasks import ChanceRegister
from tests.acceptance.office import done, theodoi, type_settings
from tests.acceptance.test_live_formulas import by_second_engine
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.master import Master
from xl_theodoi.resources import load_profile

DATA = Path(__file__).parents[1] / "data"
PROFILES = ("can-tho", "tuan-giao", "hue", "ca-mau", "lao-cai")
NEW = "2026-11-01"

STATUS_COLUMNS = {
    "task_id": "id",
    "due_date": "han_xu_ly",
    "extended_due_date": "han_gia_han",
    "extension_approved_on": "ngay_duyet_gia_han",
    "first_progress_on": "ngay_cap_nhat_tien_do_dau",
    "progress_date": "ngay_cap_nhat_tien_do_dau",
    "completed_on": "ngay_hoan_thanh",
    "approved_on": "ngay_phe_duyet",
}


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# Statuses


@pytest.fixture(scope="module", params=PROFILES)
def statuses(request, tmp_path_factory) -> tuple[str, Path]:
    """A master whose tasks are all the worked cases."""
    folder = tmp_path_factory.mktemp("status")
    units = folder / "units.csv"
    units.write_text("code,name,short_name\nSTC,Sở Tài chính,Sở TC\n", encoding="utf-8")
    tasks = folder / "tasks.csv"
    with tasks.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*STATUS_COLUMNS, "content", "lead_unit", "issue_date"])
        for case in rows_of("status_cases.csv"):
            values = [case[column] for column in STATUS_COLUMNS.values()]
            writer.writerow([*values, f"Việc {case['id']}", "STC", "2026-10-01"])
    master = folder / "so.xlsx"
    done(
        "new", master, "--profile", request.param, "--units", units, "--tasks", tasks,
        "--as-of", NEW,
    )  # fmt: skip
    return request.param, master


def expected_of(case: dict[str, str], profile: str) -> dict[str, object]:
    """What `show` must say of a case."""
    late, days = case["expect_timeliness"] == "Quá hạn", case["days_vs_deadline"]
    finished = bool(case["ngay_hoan_thanh"]) and case["ngay_hoan_thanh"] <= case["as_of"]
    if not days:
        timeliness = "no_deadline"
    elif finished:
        timeliness = "late" if late else "on_time"
    elif late:
        timeliness = "overdue"
    else:
        timeliness = "due_soon" if case["expect_due_soon"] == "1" else "in_time"
    label = (
        case["expect_hue_cell"].split(" / ")[0] if profile == "hue" else (case[f"expect_{profile}"])
    )
    return {
        "status_label": label,
        "timeliness": timeliness,
        "days_left": -int(days) if days else None,
    }


def test_every_worked_status_case_is_shown_as_expected(statuses):
    profile, master = statuses
    cases = sorted(rows_of("status_cases.csv"), key=_moment)
    wrong = {}
    for (days, unit), group in groupby(cases, key=_setting):
        type_settings(master, {"due_soon_days": int(days), "due_soon_unit": unit})
        for as_of, same_day in groupby(group, key=lambda case: case["as_of"]):
            shown = {
                task["task_id"]: task for task in done("show", master, "--as-of", as_of)["tasks"]
            }
            for case in same_day:
                expected = expected_of(case, profile)
                found = {name: shown[case["id"]][name] for name in expected}
                if found != expected:
                    wrong[case["id"]] = (found, expected)
    assert wrong == {}


def test_the_formulas_say_what_every_worked_status_case_expects(statuses, tmp_path):
    """Calculated by BetterOffice, which is not Excel, at each day after one early refresh."""
    profile, master = statuses
    words = load_profile(profile).words["timeliness"]
    cases = sorted(rows_of("status_cases.csv"), key=_moment)
    first = min(case["as_of"] for case in cases)
    wrong = {}
    for (days, unit), group in groupby(cases, key=_setting):
        copy = tmp_path / f"{days}-{unit}.xlsx"
        copy.write_bytes(master.read_bytes())
        type_settings(copy, {"due_soon_days": int(days), "due_soon_unit": unit})
        done("refresh", copy, "--as-of", first)
        register = ChanceRegister(copy, date.fromisoformat(first))
        by_day = {day: list(found) for day, found in groupby(group, key=lambda c: c["as_of"])}
        ahead = {(date.fromisoformat(day) - register.as_of).days: day for day in by_day}
        ids = [view.values["task_id"] for view in Master(FileHost(copy), register.as_of).tasks]
        answers = by_second_engine(register, ahead)
        for (rows, _), day in zip(answers, ahead.values(), strict=True):
            said = dict(zip(ids, rows, strict=True))
            for case in by_day[day]:
                expected = expected_of(case, profile)
                expected["timeliness"] = words[expected["timeliness"]]
                found = {name: said[case["id"]][name] for name in expected}
                if found != expected:
                    wrong[case["id"]] = (found, expected)
    assert wrong == {}


def _setting(case):
    return case["due_soon_days"], case["due_soon_unit"]


def _moment(case):
    return *_setting(case), case["as_of"]


def test_refresh_writes_what_show_says(statuses):
    profile, master = statuses
    labels = {
        item["field"]: item["label"] for item in done("fields", "--profile", profile)["master"]
    }
    days = sorted({case["as_of"] for case in rows_of("status_cases.csv")})
    for as_of in (days[0], days[len(days) // 2], days[-1]):
        done("refresh", master, "--as-of", as_of)
        shown = done("show", master, "--as-of", as_of)["tasks"]
        written = forms.table_rows(openpyxl.load_workbook(master, data_only=True), "NhiemVu")
        assert [
            (row[labels["task_id"]], row[labels["status_label"]], row[labels["days_left"]])
            for row in written
        ] == [(task["task_id"], task["status_label"], task["days_left"]) for task in shown]
        due = labels["effective_due_date"]
        assert [row[due] and row[due].isoformat() for row in written] == [
            task["effective_due_date"] for task in shown
        ]


# Deadline phrases


@pytest.mark.parametrize("name", ["deadline_phrases.csv", "deadline_phrases_more.csv"])
def test_every_worked_phrase_is_read_as_expected(name):
    wrong = {}
    for case in rows_of(name):
        if not case["issue_date"]:
            continue  # the command always has one
        answer = done("deadline", case["phrase"], "--issued", case["issue_date"])
        expected = [case["kind"], case["expected_due"] or None, case["alternative_due"] or None]
        found = [answer["kind"], answer["due_date"], answer["alternative"]]
        if found != expected:
            wrong[case["phrase"]] = (found, expected)
        if case["kind"] in ("ambiguous", "invalid") or "warn" in case["note"].casefold():
            assert answer["warnings"], case["phrase"]
    assert wrong == {}


# Calendar and working days

FIRST_OF_TET = (
    "2015-02-19", "2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25",
    "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17",
    "2027-02-06",
)  # fmt: skip
HUNG_KINGS = (
    "2015-04-28", "2016-04-16", "2017-04-06", "2018-04-25", "2019-04-14", "2020-04-02",
    "2021-04-21", "2022-04-10", "2023-04-29", "2024-04-18", "2025-04-07", "2026-04-26",
    "2027-04-16",
)  # fmt: skip


@pytest.mark.parametrize("year", range(2015, 2028))
def test_the_calendar_of_each_year_has_its_holidays(year):
    answer = done("calendar", year)
    off = {day["date"] for day in answer["days"] if day["kind"] == "off"}
    tet = date.fromisoformat(FIRST_OF_TET[year - 2015])

    assert answer["year"] == year
    assert {f"{year}-01-01", f"{year}-04-30", f"{year}-05-01", f"{year}-09-02"} <= off
    assert {tet.replace(day=tet.day + more).isoformat() for more in range(3)} <= off
    assert HUNG_KINGS[year - 2015] in off
    makeup = [day["date"] for day in answer["days"] if day["kind"] == "makeup_work"]
    assert all(date.fromisoformat(day).weekday() >= 5 for day in makeup)
    assert all(day["basis"] and day["confidence"] for day in answer["days"])
    assert not off & set(makeup)


@pytest.mark.parametrize("year", [2014, 2028])
def test_a_year_that_the_calendar_does_not_cover_is_refused_by_name(year):
    answer = theodoi("calendar", year, "--json")

    assert answer.code == 2
    assert str(year) in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        ("2026-02-13", 3, "2026-02-25"),
        ("2026-04-24", 2, "2026-04-29"),
        ("2026-08-28", 1, "2026-09-03"),
        ("2025-12-31", 1, "2026-01-05"),
        ("2026-12-31", 2, "2027-01-05"),
    ],
)
def test_working_days_pass_over_holidays_and_use_make_up_days(start, count, expected):
    assert done("workdays", start, count) == {"date": expected}


@pytest.mark.parametrize(
    ("words", "year"),
    [
        (("workdays", "2027-12-30", 10), "2028"),
        (("workdays", "2014-12-20", 3), "2014"),
        (("deadline", "trong 10 ngày làm việc kể từ ngày ký", "--issued", "2027-12-28"), "2028"),
        (("deadline", "trong vòng 15 ngày kể từ ngày ký", "--issued", "2028-03-01"), "2028"),
    ],
)
def test_working_days_beyond_the_calendar_stop_with_the_year(words, year):
    answer = theodoi(*words, "--json")

    assert answer.code == 2, answer.out
    assert answer.json["error"]["code"] == "calendar_missing"
    assert year in answer.json["error"]["message"]


@pytest.mark.parametrize("count", [0, -1, "hai", "1.5"])
def test_a_count_of_working_days_is_a_whole_number_from_one(count):
    answer = theodoi("workdays", "2026-11-02", count, "--json")

    assert (answer.code, answer.err) == (2, "")
    assert answer.json["error"]["message"]
