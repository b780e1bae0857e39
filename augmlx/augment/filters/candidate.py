"""What a filter looks at."""

from __future__ import annotations

from dataclasses import dataclass

from augmlx.augment.languages.lexicon import ENGLISH


@dataclass(frozen=True, slots=True)
class Candidate:
    """A produced text beside what it was made from.

    `source` is the fact it is about (of a pair the first). `premises` are all the facts it may draw
    on, the source among them; empty means the source alone. `answer` is what a question must ask
    for, `lead` which result of the operator it is to be. `finish` is the engine's: "stop" or
    "length" (cut off). `removed` names what the model said besides the text. `language` says whose
    rules hold.
    """

    sample: int
    text: str
    source: str
    finish: str
    premises: tuple[str, ...] = ()
    answer: str = ""
    lead: int = 0
    removed: tuple[str, ...] = ()
    conclusions: int = 1  # how many different ones a rule draws from these premises
    language: str = ENGLISH

    @property
    def ground(self) -> tuple[str, ...]:
        """Every fact that the text may draw on."""
        return self.premises or (self.source,)
