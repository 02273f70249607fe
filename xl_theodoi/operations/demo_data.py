"""Made-up tasks of two years for the demonstration and the sample workbooks."""

from __future__ import annotations

import csv
import random
import tomllib
from datetime import date, timedelta
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from xl_theodoi.resources import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

SEED = 20261120
RECENT_DAYS = 130
"""Recurring tasks older than this stand as standing ones, or their items would fill the list."""

UNIT_COLUMNS = ("code", "name", "short_name", "aliases", "kind", "email", "phone")
TASK_COLUMNS = (
    "document_type", "document_number", "document_subject", "issue_date", "signer",
    "drafting_unit", "lead_unit", "coordinating_units", "office_room", "officer", "content",
    "due_text", "due_kind", "reporting_unit", "entered_on", "received_on", "progress_text",
    "progress_date", "first_progress_on", "completed_on", "result_document", "evidence",
    "late_reason", "approved_on", "approved_by", "extended_due_date", "extension_approved_on",
    "extension_document",
)  # fmt: skip


@cache
def demo_data() -> Mapping[str, Any]:
    """Return `demo.toml`."""
    return tomllib.loads((PACKAGE / "data" / "demo.toml").read_text(encoding="utf-8"))


def unit_rows(profile_id: str) -> list[dict[str, str]]:
    """Return the twelve units of a regulation's level of government."""
    data = demo_data()
    level = data["levels"].get(profile_id, "province")
    rows = []
    for number, unit in enumerate(data["units"][level], start=1):
        code, name, short_name, aliases, kind = unit
        email = f"{code.lower()}@example.vn"
        phone = f"0200 000 0{number:02d}"
        values = (code, name, short_name, aliases, kind, email, phone)
        rows.append(dict(zip(UNIT_COLUMNS, values, strict=True)))
    return rows


def task_rows(profile_id: str, count: int, until: date) -> list[dict[str, str]]:
    """Return made-up tasks issued in the two years before a day, oldest first.

    Args:
        profile_id: Decides the units.
        count: How many tasks.
        until: Day at which the register stands; most older tasks are finished by then.
    """
    chance = random.Random(SEED)  # noqa: S311 - made-up content, no secret
    data = demo_data()
    units = unit_rows(profile_id)
    documents = data["documents"]
    mean = sum(len(document["tasks"]) for document in documents) / len(documents)
    rounds = max(1, round(count / mean))
    rows: list[dict[str, str]] = []
    number = 10
    for step in range(rounds + 2):
        issued = until - timedelta(days=int(700 * (1 - step / rounds)) + 12)
        if issued >= until:
            issued = until - timedelta(days=10)
        while issued.weekday() > 4:
            issued -= timedelta(days=1)
        document = documents[step % len(documents)]
        number += chance.randint(3, 40)
        for task in document["tasks"]:
            rows.append(_task(document, task, issued, number, units, chance, until))
            if len(rows) == count:
                return rows
    return rows


def _task(
    document: Mapping[str, Any],
    task: list[Any],
    issued: date,
    number: int,
    units: list[dict[str, str]],
    chance: random.Random,
    until: date,
) -> dict[str, str]:
    data = demo_data()
    people = data["people"]
    content, lead, coordinating, due_text, due_kind = task
    if due_kind == data["recurring_kind"] and (until - issued).days > RECENT_DAYS:
        due_text, due_kind = data["standing"]
    words = _words(issued)
    officer = chance.randrange(len(people["officers"]))
    row = {
        "document_type": document["type"],
        "document_number": f"{number}/{document['symbol']}",
        "document_subject": document["subject"].format(**words),
        "issue_date": issued.isoformat(),
        "signer": chance.choice(people["signers"]),
        "drafting_unit": units[document["drafter"]]["name"],
        "lead_unit": units[lead]["short_name"],
        "coordinating_units": "; ".join(units[unit]["short_name"] for unit in coordinating),
        "office_room": people["rooms"][officer],
        "officer": people["officers"][officer],
        "content": content.format(**words),
        "due_text": due_text.format(**words),
        "due_kind": due_kind,
        "reporting_unit": units[document["drafter"]]["short_name"],
        "entered_on": (issued + timedelta(days=chance.choice((0, 1, 1, 3)))).isoformat(),
        "received_on": (issued + timedelta(days=2)).isoformat(),
    }
    row["entered_on"] = min(row["entered_on"], until.isoformat())
    row["received_on"] = min(row["received_on"], until.isoformat())
    if due_kind != data["recurring_kind"]:
        _history(row, issued, chance, until)
    return {name: row.get(name, "") for name in TASK_COLUMNS}


def _words(issued: date) -> dict[str, object]:
    def month_after(months: int) -> str:
        later = issued.month - 1 + months
        return f"{later % 12 + 1:02d}/{issued.year + later // 12}"

    roman = ("I", "II", "III", "IV")
    following = issued.month - 1 + 3
    return {
        "year": issued.year,
        "next_year": issued.year + 1,
        "month": f"{issued.month:02d}",
        "m1": month_after(1),
        "m2": month_after(2),
        "m3": month_after(3),
        "quarter": roman[(issued.month - 1) // 3],
        "quarter_after": f"{roman[following % 12 // 3]}/{issued.year + following // 12}",
    }


def _history(row: dict[str, str], issued: date, chance: random.Random, until: date) -> None:
    """Give a task what happened to it: the older it is, the likelier it is finished."""
    texts = demo_data()["texts"]
    age = (until - issued).days
    if age < 15 or chance.random() < 0.12:
        return
    started = min(issued + timedelta(days=chance.randint(3, 12)), until)
    row["first_progress_on"] = started.isoformat()
    row["progress_date"] = started.isoformat()
    row["progress_text"] = chance.choice(texts["progress"])
    if chance.random() < min(0.93, age / 160):
        finished = issued + timedelta(days=chance.randint(14, 75))
        if finished >= until:
            return
        row["completed_on"] = finished.isoformat()
        row["progress_date"] = finished.isoformat()
        row["progress_text"] = chance.choice(texts["done"])
        row["result_document"] = f"{chance.randint(20, 900)}/BC, {finished:%d/%m/%Y}"
        row["evidence"] = f"bao-cao-{chance.randint(100, 999)}.pdf"
        if chance.random() < 0.85:
            approved = min(finished + timedelta(days=chance.randint(1, 9)), until)
            row["approved_on"] = approved.isoformat()
            row["approved_by"] = chance.choice(demo_data()["people"]["signers"])
    if age > 40 and chance.random() < 0.6:
        row["late_reason"] = chance.choice(texts["reasons"])
    if not row.get("completed_on") and age > 60 and chance.random() < 0.25:
        row["extended_due_date"] = (until + timedelta(days=chance.randint(10, 60))).isoformat()
        row["extension_approved_on"] = (until - timedelta(days=10)).isoformat()
        row["extension_document"] = f"{chance.randint(100, 999)}/UBND-TH"


def csv_text(rows: list[dict[str, str]], columns: tuple[str, ...]) -> str:
    """Return rows as CSV, as `new` and `add` take them."""
    stream = StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
