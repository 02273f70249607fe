"""What stops the work: raised in the depth, worded and shown once at each edge."""

from __future__ import annotations


class TheodoiError(Exception):
    """The work cannot be done; the command ends with exit code 2 and has written nothing.

    The error carries a stable code and the values that the message needs; the Vietnamese
    sentence for the code stands in `data/messages_vi.toml` under `[errors.<code>]`.

    Args:
        code: Stable identifier such as `master_locked`.
        values: What the sentence quotes, by placeholder name.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values: dict[str, object] = values

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value!r}" for key, value in self.values.items())
        return f"{self.code}({details})"
