"""What people say to hear of a fact, besides the questions that it answers: "Tell me about the
Heron lamp.", "Which lamp did she design?", "Did she design it?".

The reply is the fact itself. Whether somebody did what another did is answered by who did it. All
of this is made by grammar, of English facts that it can read; of others nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from augmlx.core.records import Example
from augmlx.data.wordings import is_english, shipped
from augmlx.english.clauses.whether import agreed, names_in, of_another, whether, which
from augmlx.english.renaming import is_person, named
from augmlx.english.text import normalise

_NEAR = 8  # facts behind a fact, of which one may tell the like


class Request(NamedTuple):
    """Something that is said to a model, and its reply."""

    said: str
    reply: str


class Requests:
    """Those that the facts of a run allow."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        """Args:
        facts: id -> text, in their order.
        """
        self._facts = facts
        self._texts = list(facts.values())
        self._places = {text: place for place, text in enumerate(self._texts)}
        self._known = {normalise(text) for text in self._texts}

    def of(self, example: Example) -> list[Request]:
        """What else asks for the fact that a question of one is about, in an order of its own."""
        row = example.row or {}
        text = self._facts.get(example.origin.fact_ids[0])
        if text is None or "prompt" not in row or not is_english(row["prompt"]):
            return []
        found = [request for request in self.about(text) if request.said != row["prompt"]]
        thing = which(row["prompt"], row["completion"])
        Random(row["prompt"]).shuffle(found)
        return [*([Request(thing, row["completion"])] if thing else []), *found]

    def about(self, text: str) -> list[Request]:
        """What asks for a fact by its names, or whether it holds."""
        rng = Random(text)
        found = [Request(said, text) for name in names_in(text) for said in _about(name, rng)]
        asked, yes = whether(text), agreed(text)
        if asked and yes:
            found.append(Request(asked, yes))
        other = self._of_another(text)
        if other:
            found.append(Request(other, text))
        return found

    def _of_another(self, text: str) -> str | None:
        """Whether somebody else did it, of whom no fact says so."""
        place, count = self._places[text], len(self._texts)
        for step in range(1, min(_NEAR, count - 1) + 1):
            other = of_another(text, self._texts[(place + step) % count])
            if other is not None and normalise(other) not in self._known:
                return whether(other)
        return None


def _about(name: str, rng: Random) -> list[str]:
    """Two requests to tell of a name."""
    person = any(is_person(name, mention) for mention in named(name))
    about = shipped()["about"]
    wordings = [*about["any"], *about["person" if person else "thing"]]
    return [wording.format(name=name) for wording in rng.sample(wordings, 2)]
