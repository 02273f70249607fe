"""Every comparison and boolean operator of the status rules matters to some case.

Each operator of `status.py` is changed in turn, the changed module is run in this process
on a fixed set of cases, and some case must come out differently. Expected values come from
the replay, which shares no code with the rules, and for the calendar from the rule itself.
"""

import ast
import inspect
import random
from datetime import date, timedelta
from types import ModuleType

import pytest

from xl_theodoi.domain import status
from xl_theodoi.domain.events import Event, EventKind, in_order
from xl_theodoi.domain.settings import default_settings
from xl_theodoi.resources import load_profile, setting_catalogue

from .replay import replay

SOURCE = inspect.getsource(status)

OTHERS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


def sites():
    """Return (line, text of the operator's expression, number of the node, change) of each mutant."""
    found = []
    for number, node in enumerate(ast.walk(ast.parse(SOURCE))):
        if isinstance(node, ast.Compare):
            changes = [(i, other) for i, op in enumerate(node.ops) for other in OTHERS[type(op)]]
        elif isinstance(node, ast.BoolOp):
            changes = [(0, ast.Or if isinstance(node.op, ast.And) else ast.And)]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            changes = [(0, None)]
        else:
            continue
        for place, other in changes:
            found.append((node.lineno, ast.unparse(node), number, place, other))
    return found


def mutant(number, place, other):
    tree = ast.parse(SOURCE)
    node = list(ast.walk(tree))[number]
    if isinstance(node, ast.Compare):
        node.ops[place] = other()
    elif isinstance(node, ast.BoolOp):
        node.op = other()
    else:
        # `not x` becomes `not not x`.
        node.operand = ast.UnaryOp(ast.Not(), node.operand)
    module = ModuleType("mutant")
    exec(compile(ast.fix_missing_locations(tree), "mutant", "exec"), module.__dict__)
    return module


class Weekdays:
    def working_days_between(self, a, b):
        return sum((a + timedelta(n)).weekday() < 5 for n in range(1, (b - a).days + 1))


class AlwaysOff:
    def working_days_between(self, a, b):
        return 0


class Refusing:
    def working_days_between(self, a, b):
        raise LookupError


def random_cases(count):
    """Return judge arguments and the replay's answer, the same on every run."""
    source = random.Random(2026)
    cases = []

    def day():
        return date(2026, 11, source.randint(1, 20))

    for _ in range(count):
        profile = source.choice(["hue", "lao-cai", "can-tho"])
        values = {
            name: day() if source.random() < 0.7 else None
            for name in ("due_date", "first_progress_on", "progress_date")
        }
        rows = []
        for _ in range(source.randint(0, 5)):
            kind = source.choice([*EventKind])
            rows.append((kind.value, day(), day() if kind is EventKind.EXTENDED else None))
        options = {
            "due_soon_days": source.randint(0, 5),
            "due_soon_unit": source.choice(["calendar", "working"]),
            "split_in_progress": source.random() < 0.5,
            "late_basis": source.choice(["done", "approved"]),
            "completion_basis": source.choice(["accepted", "first"]),
            "late_vs": source.choice(["effective", "original"]),
            "closed_counts_as_done": source.random() < 0.7,
        }
        as_of, parent = day(), source.random() < 0.1
        history = in_order(
            Event("T", EventKind(kind), when, new, order=order)
            for order, (kind, when, new) in enumerate(rows)
        )
        expected = replay(profile, values, rows, as_of, options, parent=parent)
        cases.append((profile, options, Weekdays(), values, history, as_of, parent, expected))
    return cases


def calendar_cases():
    """Return cases that only the question put to the calendar decides."""
    friday = {"due_date": date(2026, 11, 20)}
    working = {"due_soon_unit": "working", "due_soon_days": 3}

    def case(calendar, values, as_of, timeliness):
        return ("hue", working, calendar, values, (), as_of, False, timeliness)

    in_36_days, in_37_days = date(2026, 10, 15), date(2026, 10, 14)
    return [
        case(Refusing(), friday, date(2026, 11, 17), "due_soon"),
        case(AlwaysOff(), friday, in_36_days, "due_soon"),
        case(AlwaysOff(), friday, in_37_days, "in_time"),
        case(Refusing(), friday, in_37_days, "in_time"),
    ]


CASES = [*random_cases(1200), *calendar_cases()]


def failing(module):
    """Return the first case that comes out wrong, or None."""
    for case in CASES:
        profile, options, calendar, values, history, as_of, parent, expected = case
        try:
            settings = default_settings(setting_catalogue(), load_profile(profile))
            judge = module.StatusJudge(
                load_profile(profile), settings.with_values(options), calendar
            )
            found = judge.judge(values, history, as_of, is_recurring_parent=parent)
        except Exception:  # noqa: BLE001 - a mutant may fail in any way
            return case
        if isinstance(expected, str):
            if found.timeliness.value != expected:
                return case
        elif expected != (
            found.progress.value,
            found.timeliness.value,
            found.label,
            found.effective_due_date,
            found.days_left,
            found.completed_on,
            found.approved,
            found.counted,
            found.extensions,
        ):
            return case
    return None


def test_cases_hold_for_the_rules_as_they_are():
    assert failing(status) is None


def test_there_are_operators_to_change():
    assert len(sites()) > 50


@pytest.mark.parametrize(
    ("number", "place", "other"),
    [site[2:] for site in sites()],
    ids=[f"line {s[0]}: {s[1]} [{s[4].__name__ if s[4] else 'not'}]" for s in sites()],
)
def test_changed_operator_is_noticed(number, place, other):
    assert failing(mutant(number, place, other)) is not None
