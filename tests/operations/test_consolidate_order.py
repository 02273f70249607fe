"""The result depends on what units submitted and when, not on files' order or runs' number."""

from __future__ import annotations

import itertools
import shutil

import pytest

from tests.operations.rounds import DONE, IN_PROGRESS, NOT_STARTED, Round

EIGHT, NINE, TEN = "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"

TEXT = "progress_text"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A master of which the workbooks have been sent."""
    office = Round(tmp_path_factory.mktemp("van-phong"))
    assert office.send().code == 0
    return office


def partitions(items):
    """Ways of giving files to one run or several: alone in every order, and together."""
    yield [list(items)]
    for order in itertools.permutations(items):
        yield [[item] for item in order]
    if len(items) > 2:
        for item in items:
            others = [other for other in reversed(items) if other is not item]
            yield [others, [item]]


def results(office, tmp_path, files, prepare=None):
    """The register and the conflicts that wait, after every way of consolidating."""
    found = []
    for number, runs in enumerate(partitions(files)):
        other = office.copy(tmp_path / str(number))
        if prepare is not None:
            prepare(other)
        for run in runs:
            answer = other.consolidate(*run)
            assert answer.code in (0, 1), answer.out
        waiting = sorted(
            (c["task_id"], c["field"], str(c["unit_value"])) for c in answer.json["conflicts"]
        )
        found.append((runs, other.state(), waiting))
        shutil.rmtree(other.folder)
    return found


def names(runs):
    return [[path.stem[-1] for path in run] for run in runs]


def assert_alike(found):
    runs, register, waiting = found[0]
    for other_runs, other_register, other_waiting in found[1:]:
        differing = {
            (task, field): (register[task].get(field), values.get(field))
            for task, values in other_register.items()
            for field in {*register[task], *values}
            if register[task].get(field) != values.get(field)
        }
        assert not differing, (names(runs), names(other_runs))
        assert other_waiting == waiting, (names(runs), names(other_runs))
    return register, waiting


SITUATIONS = {
    "a text corrected, then corrected again": (
        (EIGHT, {"NV-1": {TEXT: "lần một"}}),
        (NINE, {"NV-1": {TEXT: "lần hai"}}),
        (TEN, {"NV-1": {TEXT: "lần ba"}}),
    ),
    "the newest leaves the field as it was sent": (
        (EIGHT, {"NV-1": {TEXT: "lần một", "note": "x"}}),
        (NINE, {"NV-1": {"note": "y"}}),
        (TEN, {"NV-3": {TEXT: "việc khác"}}),
    ),
    "the newest goes back to the oldest": (
        (EIGHT, {"NV-1": {TEXT: "a"}}),
        (NINE, {"NV-1": {TEXT: "b"}}),
        (TEN, {"NV-1": {TEXT: "a"}}),
    ),
    "states move on": (
        (EIGHT, {"NV-1": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-10"}}),
        (NINE, {"NV-1": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-15"}}),
        (TEN, {"NV-1": {"reported_state": DONE, "completed_on": "2026-11-18"}}),
    ),
    "days of progress that are not given": (
        (EIGHT, {"NV-1": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-10"}}),
        (NINE, {"NV-1": {"reported_state": IN_PROGRESS, TEXT: "đang làm"}}),
        (TEN, {"NV-1": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-12"}}),
    ),
    "progress that was not given comes first": (
        (EIGHT, {"NV-1": {"reported_state": IN_PROGRESS}}),
        (NINE, {"NV-1": {"reported_state": DONE, "completed_on": "2026-11-18"}}),
        (TEN, {"NV-2": {"note": "x"}}),
    ),
    "a completion withdrawn": (
        (EIGHT, {"NV-4": {"completed_on": "2026-10-13"}}),
        (NINE, {"NV-4": {"reported_state": IN_PROGRESS, "completed_on": None}}),
        (TEN, {"NV-4": {TEXT: "làm lại"}}),
    ),
    "requests made, changed, and made again": (
        (EIGHT, {"NV-1": {"extension_requested_to": "2027-01-10", "extension_reason": "a"}}),
        (NINE, {"NV-1": {"extension_requested_to": "2027-01-20", "extension_reason": "b"}}),
        (TEN, {"NV-1": {"extension_requested_to": "2027-01-10", "extension_reason": "a"}}),
    ),
    "a wrong row in the newest": (
        (EIGHT, {"NV-1": {TEXT: "đúng"}}),
        (NINE, {"NV-1": {TEXT: "cũng đúng"}}),
        (TEN, {"NV-1": {TEXT: "sai", "reported_state": DONE}}),
    ),
    "two of one moment": (
        (EIGHT, {"NV-1": {TEXT: "a"}}),
        (NINE, {"NV-1": {TEXT: "b"}}),
        (NINE, {"NV-1": {TEXT: "c"}}),
    ),
    "two of one moment and one after": (
        (EIGHT, {"NV-1": {TEXT: "a"}}),
        (EIGHT, {"NV-1": {TEXT: "b"}}),
        (NINE, {"NV-1": {TEXT: "c"}}),
    ),
    "two of one moment that say the same": (
        (EIGHT, {"NV-1": {TEXT: "a"}}),
        (NINE, {"NV-1": {TEXT: "b"}}),
        (NINE, {"NV-1": {TEXT: "b"}, "NV-3": {TEXT: "x"}}),
    ),
    "states of one moment": (
        (EIGHT, {"NV-1": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-10"}}),
        (NINE, {"NV-1": {"reported_state": DONE, "completed_on": "2026-11-18"}}),
        (NINE, {"NV-1": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-15"}}),
    ),
    "requests of one moment": (
        (NINE, {"NV-1": {"extension_requested_to": "2027-01-10"}}),
        (NINE, {"NV-1": {"extension_requested_to": "2027-01-20"}}),
        (TEN, {"NV-2": {"note": "x"}}),
    ),
    "progress taken back": (
        (EIGHT, {"NV-2": {"reported_state": NOT_STARTED, "progress_date": None}}),
        (NINE, {"NV-2": {TEXT: "họp lần hai", "progress_date": "2026-11-12"}}),
        (TEN, {"NV-2": {"note": "x"}}),
    ),
}


QUICK = (
    "a text corrected, then corrected again",
    "days of progress that are not given",
    "requests made, changed, and made again",
    "two of one moment",
)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in SITUATIONS]
)
def test_files_in_any_order_over_any_runs_give_one_register(name, office, tmp_path):
    files = [
        office.fill(values, name=f"{name}-{number}.xlsx", at=at)
        for number, (at, values) in enumerate(SITUATIONS[name])
    ]
    assert_alike(results(office, tmp_path, files))


@pytest.mark.parametrize("name", ["a text corrected, then corrected again", "states move on"])
def test_what_the_office_changed_is_a_conflict_in_any_order(name, office, tmp_path):
    files = [
        office.fill(values, name=f"{name}-{number}.xlsx", at=at)
        for number, (at, values) in enumerate(SITUATIONS[name])
    ]

    def prepare(other):
        if "text" in name:
            other.office_types("NV-1", progress_text="Văn phòng ghi")
        else:
            other.office_types("NV-1", completed_on="2026-11-17")

    register, waiting = assert_alike(results(office, tmp_path, files, prepare))
    assert [task for task, *_ in waiting] == ["NV-1"]
    if "text" in name:
        assert register["NV-1"][TEXT] == "Văn phòng ghi"
        assert waiting == [("NV-1", TEXT, "lần ba")]
    else:
        assert register["NV-1"]["completed_on"] == "2026-11-17"


def test_what_the_office_already_has_still_counts_as_the_newest(office, tmp_path):
    files = [
        office.fill({"NV-1": {TEXT: "cũ"}}, name="cu.xlsx", at=EIGHT),
        office.fill({"NV-1": {TEXT: "mới"}}, name="moi.xlsx", at=NINE),
    ]
    register, waiting = assert_alike(
        results(office, tmp_path, files, lambda o: o.office_types("NV-1", progress_text="mới"))
    )
    assert register["NV-1"][TEXT] == "mới"
    assert waiting == []


def test_equal_moments_leave_the_master_as_it_was_and_list_both(office, tmp_path):
    files = [
        office.fill({"NV-1": {TEXT: "a"}}, name="a.xlsx", at=NINE),
        office.fill({"NV-1": {TEXT: "b"}}, name="b.xlsx", at=NINE),
    ]
    register, waiting = assert_alike(results(office, tmp_path, files))
    assert TEXT not in register["NV-1"]
    assert waiting == [("NV-1", TEXT, "a"), ("NV-1", TEXT, "b")]


def test_a_resend_of_what_the_master_has_still_counts_in_its_order(office, tmp_path):
    files = [
        office.fill({"NV-1": {TEXT: "a"}}, name="0.xlsx", at=EIGHT),
        office.fill({"NV-1": {TEXT: "b"}}, name="1.xlsx", at=NINE),
        office.fill({"NV-1": {TEXT: "a"}, "NV-3": {"note": "x"}}, name="2.xlsx", at=TEN),
    ]
    register, waiting = assert_alike(results(office, tmp_path, files))
    assert (register["NV-1"][TEXT], waiting) == ("a", [])
