"""The repository as a newcomer finds it: names, text, set-up lines, nothing of a machine."""

import ast
import os
import re
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEFT_OUT = {".git", "__pycache__", "build", "dist", "demo"}
TEXTS = {".py", ".md", ".toml", ".csv", ".bas", ".xml", ".txt", ".cfg", ".yml", ""}


def repository() -> list[Path]:
    """Return every file that belongs to the repository: what git knows, else what is unpacked."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return unpacked()
    return sorted(path for name in listed.decode().split("\0") if (path := ROOT / name).is_file())


def unpacked() -> list[Path]:
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in LEFT_OUT
            and not re.match(r"\.(venv|hypothesis|\w+_cache)$|demo-\d+$|.*\.egg-info$", name)
        ]
        found += [Path(folder, name) for name in names]
    return sorted(path for path in found if path.name != ".coverage" and path.suffix != ".pyc")


FILES = repository()
TEXT_FILES = [path for path in FILES if path.suffix in TEXTS]
OWN = Path(__file__)


def said(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_walk_finds_the_repository():
    names = {relative(path) for path in FILES}
    assert {"pyproject.toml", ".ci/run", "xl_theodoi/cli.py", "macros/TheoDoi.bas"} <= names


def test_file_names_are_ascii_and_portable():
    """Windows has no `:` or `?` in names and takes two capitals of one name for one file."""
    names = [relative(path) for path in FILES]
    assert not [name for name in names if not re.fullmatch(r"[A-Za-z0-9._/-]+", name)]
    assert len({name.lower() for name in names}) == len(names)
    assert not [name for name in names if len(name) > 120]


@pytest.mark.parametrize("path", TEXT_FILES, ids=relative)
def test_text_is_utf8_nfc_with_unix_line_ends(path):
    data = path.read_bytes()
    text = data.decode("utf-8")
    # Cases of other forms stand in tests as escapes, so that an editor cannot mend them.
    assert unicodedata.normalize("NFC", text) == text
    if path.suffix not in {".bas", ".csv"}:
        assert b"\r\n" not in data
    assert not text or text.endswith("\n")


@pytest.mark.parametrize("path", [p for p in TEXT_FILES if p != OWN], ids=relative)
def test_nothing_names_a_machine_or_is_left_undone(path):
    """This file is left out: it holds the patterns."""
    text = said(path)
    forbidden = {
        "path of a machine": r"/(?:work|root|home|Users)/\w|[A-Z]:\\Users\\",
        "folder outside": r"\.\./shared|\bshared/(?:data|design|regulations)",
        "left undone": r"\b(?:TODO|FIXME|XXX|HACK)\b",
        "host of a registry": r"pypi\.org|pythonhosted\.org|conda\.anaconda",
        "maker of text": r"\b(?:ChatGPT|Claude|Copilot|LLM)\b",
    }
    found = {name for name, pattern in forbidden.items() if re.search(pattern, text)}
    assert not found


def test_macros_are_ascii():
    """VBA's editor stores the code page of the machine; only ASCII is the same everywhere."""
    sources = [path for path in FILES if path.suffix in {".bas", ".cls", ".frm"}]
    assert sources
    assert all(path.read_bytes().isascii() for path in sources)


def test_no_file_is_large():
    assert not [relative(path) for path in FILES if path.stat().st_size > 3_000_000]


# The README and its two lines.

README = ROOT / "README.md"


def lines_of_readme() -> list[str]:
    """Return the lines of the README's code blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", said(README), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("task", ["demo", "test"])
def test_the_readme_gives_each_line_for_debian_and_windows(task):
    lines = lines_of_readme()
    assert f"python3 .ci/setup.py {task}" in lines
    assert f"py -3 .ci\\setup.py {task}" in lines


def test_the_whole_check_runs_the_test_line_of_the_readme():
    assert "\npython3 .ci/setup.py test" in said(ROOT / ".ci" / "run")


def test_the_readme_is_short_and_its_links_lead_somewhere():
    text = said(README)
    assert len(text.splitlines()) <= 80
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert targets
    assert not [name for name in targets if "://" not in name and not (ROOT / name).exists()]


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix == ".md"], ids=relative)
def test_links_and_pictures_of_every_page_exist(path):
    targets = re.findall(r"!?\[[^\]]*\]\(([^)#\s]+)\)", said(path))
    assert not [t for t in targets if "://" not in t and not (path.parent / t).exists()]


def test_pictures_are_png_of_a_size_that_a_page_can_show():
    for path in (p for p in FILES if p.suffix == ".png"):
        head = path.read_bytes()[:24]
        assert head.startswith(b"\x89PNG"), relative(path)
        width, height = struct.unpack(">II", head[16:24])
        assert 400 <= width <= 2500, relative(path)
        assert height <= 2500, relative(path)


# The set-up.

SETUP = ROOT / ".ci" / "setup.py"


def test_the_set_up_needs_the_standard_library_only():
    names = set()
    for node in ast.walk(ast.parse(said(SETUP))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names <= set(sys.stdlib_module_names)


def test_the_set_up_can_be_read_by_an_older_python_which_it_refuses():
    """What is too new for an older Python must not be a syntax error there."""
    ast.parse(said(SETUP), feature_version=(3, 8))
    assert "sys.version_info < (3, 11)" in said(SETUP)


def test_the_set_up_says_how_it_is_used():
    done = subprocess.run(
        [sys.executable, str(SETUP)], capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 2
    assert "setup.py demo" in done.stdout
    assert "setup.py test" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
def test_the_whole_check_is_valid_bash():
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=False).returncode == 0
