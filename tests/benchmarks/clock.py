"""What the phases of one script cost."""

from __future__ import annotations

import time


class Clock:
    """Processor time of the phases of this process; the first is what came before."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {"imports": time.process_time()}
        self._last = time.process_time()

    def note(self, phase: str) -> None:
        """Note what was spent since the last phase."""
        now = time.process_time()
        self.phases[phase] = now - self._last
        self._last = now
