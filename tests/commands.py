"""Runs commands of the program in this process and keeps what they print."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any, Self

from xl_theodoi.cli import main


@dataclass
class Answer:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str

    @classmethod
    def of(cls, *words: object) -> Self:
        """Run one command."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(word) for word in words])
        return cls(code, out.getvalue(), err.getvalue())

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)
