"""A preview says what it leaves out."""

from __future__ import annotations

from augmlx.augment.preview import preview
from augmlx.augment.stage import Writer
from augmlx.core.progress import Silent
from augmlx.core.records import Fact
from augmlx.core.settings_file import load
from augmlx.engines.scripted import ScriptedEngine


class Heard(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def test_operators_that_a_server_cannot_serve_are_named() -> None:
    engine = ScriptedEngine(lambda _: " someone.")
    engine.can_score = False
    facts, heard = [Fact("f1", "Ada Brandt owns the Bor mill.", "facts.csv:2")], Heard()
    preview(facts, facts, load(None), heard, every=True, writer=Writer("http:m", lambda: engine))
    assert [line for line in heard.said if "bridge" in line and "global" in line]
