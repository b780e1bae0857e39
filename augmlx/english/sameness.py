"""When two texts say the same: what a statement is known by, in other words but the same way round.

Heuristics for English, like the language and the forms that they are made from. The words alone
work for any script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from augmlx.core.records import Example
from augmlx.english.lexicon import AUXILIARIES, DETERMINERS
from augmlx.english.logic import Form, Term, parse
from augmlx.english.relation import stems_beside_arguments
from augmlx.english.scope import telling
from augmlx.english.sentence import arguments
from augmlx.english.text import normalise


def wording(text: str) -> str:
    """A text as it counts in a vote: its words in order, without auxiliaries, determiners, case and
    punctuation. "The radio was designed by Ada" and "The radio is designed by Ada" agree; "Ada
    designed the radio" does not.
    """
    skipped = AUXILIARIES | DETERMINERS
    return " ".join(word for word in normalise(text).split() if word not in skipped)


def said(example: Example) -> Iterator[str]:
    """What an example states: its text; and a question with its answer, which a text may have words
    around.
    """
    yield example.text
    if example.row and "prompt" in example.row:
        yield f"{example.row['prompt']} {example.row['completion']}"


def mark(text: str) -> bytes:
    """A short stand-in for a text, for sets of many."""
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def marks(text: str) -> Iterator[bytes]:
    """Two texts that share a mark state the same.

    They do by their words; by who is said to stand in which relation to whom, in that order; or by
    the same recognised form that begins with the same.
    """
    yield mark(normalise(text))
    if both := arguments(text):
        first, last = (normalise(mention.text) for mention in both)
        relation = sorted(stems_beside_arguments(text))
        scope = [f"?{word}" for word in sorted(telling(text))]
        yield mark("\n".join([first, last, *relation, *scope]))
    if form := parse(text):
        terms, items = _keys(form.terms), _keys(form.items)
        yield mark(repr((form.kind, terms, form.relation, items, _opening(form, text))))


def _keys(terms: Sequence[Term]) -> list[tuple[str, bool]]:
    """What of each term is compared, in order."""
    return [(term.key, term.negated) for term in terms]


def _opening(form: Form, text: str) -> str:
    """The key of what a statement begins with: a form is the same both ways round. Of a list's
    items any may come first.
    """
    text = text.replace("’", "'").casefold()

    def place(term: Term) -> tuple[int, int]:
        """Of "Ana" and "Ana Bell" in one place, the longer comes first."""
        start = text.find(term.text.casefold())
        return start, -len(term.text)

    sides: dict[str, tuple[Term, ...]] = {term.key: (term,) for term in form.terms}
    if form.items:
        sides = {"items": form.items, "wholes": form.terms}
    return min(sides, key=lambda name: min(map(place, sides[name])))


def spelled_alike(text: str) -> str:
    """A statement but for its case, its white space and the full stop at its end: what is the same
    in two spellings.
    """
    return " ".join(text.casefold().split()).rstrip(" .。")
