"""Which sentences may be said both ways round, the arguments exchanged around the same words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from augmlx.english.lexicon import NEGATIONS, word_set
from augmlx.english.names import determiner_before
from augmlx.english.roles import FIRST, LAST, skeleton
from augmlx.english.sentence import Sides
from augmlx.english.stems import stem
from augmlx.english.synonyms import inverses, posture, stems_of, symmetric
from augmlx.english.text import Mention


def holds_both_ways(given: Sequence[str]) -> bool:
    """Whether the relation of a sentence, given by its tokens, holds both ways round.

    A word says so and none speaks against it ("the mother of his twin", "his best friend"); or two
    things are as large as each other, or one by two names; "no A are B" and "some A are B" convert.
    """
    if given.count("as") == 2 and (NEGATIONS | word_set("multiplying")).isdisjoint(given):
        return True
    stems = skeleton(given)
    if stems in (["no", FIRST, LAST], [stem("some"), FIRST, LAST]) or _names_twice(stems):
        return True
    if any(word in word_set("singling_out") or word.endswith("est") for word in given):
        return False
    telling = set(stems) - posture()
    return not symmetric().isdisjoint(telling) and inverses().keys().isdisjoint(telling)


def is_equation(source: str, sides: Sides, given: Sequence[str], spoken: Sequence[str]) -> bool:
    """Whether source and text are a bare copula between two things, at least one a single one.

    "The captain is Omar" may be turned round, "A glon is a femp" may not.

    Args:
        given: the tokens of the source.
        spoken: the tokens of the text.
    """
    if len(skeleton(given)) != 2 or len(skeleton(spoken)) != 2:
        return False
    return any(_names_one(source, mention) for mention in (sides.source_first, sides.source_last))


def moves_quantifier(given: Sequence[str], spoken: Sequence[str]) -> bool:
    """Whether the quantifier that opened the source stands elsewhere in the text.

    "All A are B" as "B are all A" is another statement, or none.

    Args:
        given: the tokens of the source.
        spoken: the tokens of the text.
    """
    given_stems, spoken_stems = skeleton(given), skeleton(spoken)
    quantifier = given_stems[0]
    if len(given_stems) != 3 or quantifier not in stems_of("quantifiers"):
        return False
    return quantifier in spoken_stems and spoken_stems[0] != quantifier


def _names_twice(stems: Sequence[str]) -> bool:
    """ "Oslo is also known as Kristiania", "Kristiania is another name for Oslo"."""
    return list(stems) in (
        [FIRST, "also", stem("known"), "as", LAST],
        [FIRST, stem("another"), stem("name"), "for", LAST],
    )


def _names_one(text: str, mention: Mention) -> bool:
    """Whether an argument names one thing.

    A kind ("glons", "a glon") and a quality are none.
    """
    determiner = determiner_before(text, mention).casefold()
    if determiner:
        return determiner not in ("a", "an")
    has_capital = mention.text[0] != mention.text[0].casefold()
    opens_plural = mention.start == 0 and re.search(r"\bare\b", text) is not None
    return has_capital and not opens_plural
