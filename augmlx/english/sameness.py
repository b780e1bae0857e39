"""What a statement is known by: so that the same one, in other words but the same way round, is met
again.

Heuristics for English, like the language and the forms that they are made from. The words alone
work for any script.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from augmlx.core.records import Example
from augmlx.english.logic import Form, Term, parse
from augmlx.english.text import NEGATIONS, arguments, content_stems, normalise, spelt_out, words

# Function words that make it another statement. The others come and go with the wording.
_TELLING = {
    **dict.fromkeys(NEGATIONS, "no"),
    **dict.fromkeys(("all", "every", "each", "any"), "all"),
    **dict.fromkeys(("some",), "some"),
    **dict.fromkeys(("more", "most"), "more"),
    **dict.fromkeys(("less", "least", "fewer"), "less"),
}


def said(example: Example) -> Iterator[str]:
    """Its text; and a question with its answer, which a text may have words around."""
    yield example.text
    if example.row and "prompt" in example.row:
        yield f"{example.row['prompt']} {example.row['completion']}"


def mark(text: str) -> bytes:
    """A short stand-in for a text, for sets of many."""
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def marks(text: str) -> Iterator[bytes]:
    """Two texts that share a mark state the same: by their words; by who is said to stand in which
    relation to whom, in that order; or by the same recognised form that begins with the same.
    """
    yield mark(normalise(text))
    if found := arguments(text):
        first, last = (normalise(mention.text) for mention in found)
        named = {stem for mention in found for stem in content_stems(mention.text)}
        relation = sorted(set(content_stems(text)) - named)
        yield mark(
            "\n".join([first, last, *relation, *(f"?{word}" for word in sorted(telling(text)))])
        )
    if form := parse(text):
        yield mark(
            repr(
                (
                    form.kind,
                    _keys(form.terms),
                    form.relation,
                    _keys(form.items),
                    _opening(form, text),
                )
            )
        )


def telling(text: str) -> frozenset[str]:
    """Whether a text denies ("no"), how many it speaks of ("all", "some"), which end of a scale
    ("more", "less").
    """
    lower = (word.text.casefold() for word in words(spelt_out(text)))
    return frozenset(_TELLING[word] for word in lower if word in _TELLING)


def _keys(terms: Sequence[Term]) -> list[tuple[str, bool]]:
    return [(term.key, term.negated) for term in terms]


def _opening(form: Form, text: str) -> str:
    """What a statement begins with: a form is the same both ways round. Of a list's items any may
    come first.
    """
    text = text.replace("’", "'").casefold()

    def place(term: Term) -> tuple[int, int]:
        return text.find(term.text.casefold()), -len(
            term.text
        )  # of "Ana" and "Ana Bell" in one place, the longer

    sides = (
        {"items": form.items, "wholes": form.terms}
        if form.items
        else {t.key: (t,) for t in form.terms}
    )
    return min(sides, key=lambda name: min(map(place, sides[name])))
