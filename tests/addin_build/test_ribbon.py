"""The ribbon: the schema's rules, its words, and that every button leads to Python."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from xl_theodoi import buttons as entries
from xl_theodoi import resources
from xl_theodoi.addin.ribbon import NAMESPACE, buttons_of, read_ribbon
from xl_theodoi.messages import catalogue

MACROS = resources.folder("macros")
RIBBON = (MACROS / "customUI14.xml").read_bytes()
SOURCES = [path.read_text(encoding="ascii") for path in sorted(MACROS.glob("*.bas"))]
RULES = tomllib.loads(Path(__file__).with_name("customui.toml").read_text(encoding="utf-8"))
ICONS = tomllib.loads((MACROS / "icons.toml").read_text(encoding="utf-8"))

MONTH = ["new", "add", "check", "refresh", "send", "consolidate", "report"]
"""The order of the month's work, as the command line lists it."""
AFTER = ["undo", "help", "doctor"]
LATER = {"collect", "remind"}
"""Commands that do not exist yet; their buttons are not shown."""


def broken_rules(data: bytes) -> list[str]:
    """Return what in a ribbon the schema forbids."""
    root = ET.fromstring(data)
    found = [] if root.tag == f"{{{NAMESPACE}}}customUI" else [f"root {root.tag}"]
    ids = Counter(element.get("id") for element in root.iter() if element.get("id"))
    found += [f"id {name} {count} times" for name, count in ids.items() if count > 1]
    waiting = [root]
    while waiting:
        element = waiting.pop()
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        rules = RULES["elements"].get(name)
        if rules is None:
            found.append(f"element {name}")
            continue
        order = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
        found += [f"{child} in {name}" for child in order if child not in rules["children"]]
        found += [f"{word} of {name}" for word in element.attrib if word not in rules["attributes"]]
        for choice in rules.get("needed", []):
            if sum(word in element.attrib for word in choice) != 1:
                found.append(f"{name} needs one of {choice}")
        for choice in rules.get("only", []):
            if sum(word in element.attrib for word in choice) > 1:
                found.append(f"{name} has more than one of {choice}")
        for word, value in element.attrib.items():
            found += broken_values(name, word, value)
        waiting += element
    return found


def broken_values(name: str, word: str, value: str) -> list[str]:
    found = []
    if not 1 <= len(value) <= RULES["longest"]["schema"].get(word, 1024):
        found.append(f"{name} {word}: {len(value)} letters")
    if word in {"id", "imageMso"} and not re.fullmatch(r"[A-Za-z_][\w.-]*", value, re.ASCII):
        found.append(f"{name} {word}: {value!r} is no NCName")
    if word == "keytip" and not re.fullmatch(r"\S{1,3}", value):
        found.append(f"{name} {word}: {value!r}")
    if word in RULES["values"] and value not in RULES["values"][word]:
        found.append(f"{name} {word}: {value!r}")
    return found


def test_the_ribbon_keeps_the_rules_of_the_schema():
    assert broken_rules(RIBBON) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'id="TheoDoiAdd"', b'id="TheoDoiNew"', "id TheoDoiNew 2 times"),
        (b'size="large"', b'size="huge"', "button size: 'huge'"),
        (b'keytip="TD"', b'keytip="TDTD"', "tab keytip: 4 letters"),
        (b' onAction="TheoDoiRibbonNew"', b"", "button needs one of ['onAction']"),
        (b'imageMso="FileNew"', b'imageMso="FileNew" image="x"', "more than one of ['image'"),
        (b'imageMso="FileNew"', b'imagemso="FileNew"', "imagemso of button"),
        (b"<tabs>", b"<tabs><button id='x' label='x' onAction='x'/>", "button in tabs"),
        (b'id="TheoDoiNew"', b'id="1 new"', "is no NCName"),
        (b'label="2. ', b'getLabel="f" label="2. ', "group needs one of ['label'"),
        (b"2009/07", b"2006/01", "root "),
        ("Tạo sổ".encode(), b"", "button label: 0 letters"),
    ],
)
def test_a_ribbon_that_breaks_a_rule_is_found(old, new, said):
    assert old in RIBBON
    assert any(said in problem for problem in broken_rules(RIBBON.replace(old, new, 1)))


def test_the_rules_are_those_of_the_open_xml_library():
    """The validator ships the schema of Microsoft's Open XML SDK, a second copy of the rules."""
    place = Path(find_spec("openxml_audit").origin).parent / "data" / "openxml" / "schemas"
    name = "schemas_microsoft_com_office_2009_07_customui.json"
    types = json.loads((place / name).read_text(encoding="utf-8"))["Types"]
    known = {kind["Name"].split("/")[0].removeprefix("mso14:"): kind for kind in types}
    classes = {name: "CT_" + name[0].upper() + name[1:] for name in RULES["elements"]}

    for name, rules in RULES["elements"].items():
        kind = known[classes[name]]
        given = {attribute["QName"].lstrip(":") for attribute in kind.get("Attributes", [])}
        children = [child["Name"].split(":")[-1] for child in kind.get("Children", [])]
        assert set(rules["attributes"]) == given, name
        assert rules["children"] == children, name


def test_every_icon_is_on_the_shipped_list():
    used = set(re.findall(rb'imageMso="(\w+)"', RIBBON))

    assert ICONS["source"].startswith("[MS-CUSTOMUI]")
    assert used <= {name.encode() for name in ICONS["names"]}
    assert ICONS["names"] == sorted(set(ICONS["names"]))


def test_each_button_has_another_icon_and_another_key():
    icons = [button.icon for button in read_ribbon()]
    keys = re.findall(r'<button[^>]* keytip="(\w)"', RIBBON.decode())

    assert len(set(icons)) == len(icons)
    assert len(set(keys)) == len(keys) == len(icons)


def test_words_fit_on_a_screen_and_are_vietnamese():
    longest = RULES["longest"]["ours"]
    for element in ET.fromstring(RIBBON).iter():
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        if name in longest:
            assert len(element.get("label")) <= longest[name]
        for word in ("screentip", "supertip"):
            text = element.get(word, "")
            assert len(text) <= longest[word]
            assert unicodedata.normalize("NFC", text) == text
    for button in read_ribbon():
        assert not button.tip.isascii(), button.action
        assert button.tip.endswith(".")


def test_buttons_stand_in_the_order_of_the_months_work():
    actions = [button.action for button in read_ribbon()]
    commands = list(catalogue()["cli"]["commands_text"])

    assert actions == MONTH + AFTER
    assert [name for name in commands if name in MONTH] == MONTH
    assert not LATER & set(actions)


def test_each_button_has_a_command_that_does_the_same():
    assert {button.action for button in read_ribbon()} <= set(catalogue()["cli"]["commands_text"])


def test_groups_are_the_steps_of_the_work():
    groups = list(dict.fromkeys(button.group for button in read_ribbon()))

    assert [label[:2] for label in groups[:-1]] == ["1.", "2.", "3.", "4.", "5."]


@pytest.mark.parametrize("button", read_ribbon(), ids=lambda button: button.action)
def test_every_on_action_names_a_procedure_that_takes_the_control(button):
    found = [
        given
        for source in SOURCES
        for given in re.findall(rf"^Public Sub {button.callback}\((.*)\)$", source, re.MULTILINE)
    ]

    assert found == ["control As IRibbonControl"]


@pytest.mark.parametrize("button", read_ribbon(), ids=lambda button: button.action)
def test_every_function_of_python_takes_what_its_macro_gives(button):
    function = getattr(entries, button.entry)
    has_path = any(f"{button.entry}('\" & Coded(path)" in source for source in SOURCES)
    given = ["00430041"] if has_path else []

    inspect.signature(function).bind(*given)


def test_every_callback_belongs_to_a_button():
    callbacks = {name for source in SOURCES for name in re.findall(r"Sub (\w+)\(control", source)}

    assert callbacks == {button.callback for button in read_ribbon()}


def test_a_button_that_leads_nowhere_stops_the_builder():
    ribbon = RIBBON.replace(b"TheoDoiRibbonSend", b"TheoDoiRibbonSent")

    with pytest.raises(ValueError, match="TheoDoiRibbonSent"):
        buttons_of(ribbon, SOURCES)


def test_a_button_whose_macro_calls_nothing_stops_the_builder():
    sources = [source.replace("buttons.check_book()", "checked") for source in SOURCES]

    with pytest.raises(ValueError, match="TheoDoiRibbonCheck"):
        buttons_of(RIBBON, sources)


def test_the_read_me_has_one_line_for_each_button():
    lines = (MACROS / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in lines if "`TheoDoi" in line]
    table = [row for row in rows if len(row) == 3 and row[2].startswith("`theodoi ")]

    assert table == [
        [button.label, f"`{button.macro}`", f"`theodoi {button.action}`"]
        for button in read_ribbon()
    ]
