"""Questions of a few known forms, and the statement that one makes together with its answer.

"Who composed the Winter Song?" with the answer "Ben Okafor" says "Ben Okafor composed the Winter
Song".
"""

from __future__ import annotations

import re

from augmlx.english.lexicon import PREPOSITIONS, either, word_set
from augmlx.english.names import mention_of
from augmlx.english.text import normalise

_BE = either("copulas")
_BY_WHOM = re.compile(rf"by (?:whom|what|which \w+) (?P<be>{_BE}) (?P<rest>.+)", re.IGNORECASE)
_DO = re.compile(r"(?:who|whom|what|where|which \w+) (?:do|does|did) (?P<rest>.+)", re.IGNORECASE)
_IS = re.compile(rf"(?:who|whom|what|where|which \w+) (?P<be>{_BE}) (?P<rest>.+)", re.IGNORECASE)
_VERB = re.compile(r"(?:who|what|which \w+) (?P<rest>.+)", re.IGNORECASE)
# Behind one of these a question leaves its answer's place open ("... larger than?").
_STRANDED = PREPOSITIONS | word_set("place_prepositions")


def declarative(question: str, answer: str, other: str) -> str | None:
    """A question with its answer in the place of its question word, as a statement.

    Args:
        other: what the question asks about.

    Returns:
        The statement; None where the question has no known form.
    """
    question = question.strip()
    if not question.endswith("?"):
        return None
    asked = " ".join(question[:-1].split())
    if found := _BY_WHOM.fullmatch(asked):
        return _with_answer_last(other, found["be"], found["rest"], f"by {answer}")
    if found := _DO.fullmatch(asked):
        return f"{found['rest']} {answer}."
    if found := _IS.fullmatch(asked):
        statement = _with_answer_last(other, found["be"], found["rest"], answer)
        return statement or f"{answer} {found['be']} {found['rest']}."
    if found := _VERB.fullmatch(asked):
        return f"{answer} {found['rest']}."
    return None


def _with_answer_last(other: str, be: str, rest: str, answer: str) -> str | None:
    """ "is" + "Lake Orrin larger than" -> "Lake Orrin is larger than" and the answer.

    None where the rest does not begin with what is asked about and leave the answer's place open.

    Args:
        other: what is asked about.
        be: the copula behind the question word.
        rest: what follows it.
    """
    mention = mention_of(other, rest)
    if mention is None or normalise(rest[: mention.start]) not in ("", "the"):
        return None
    subject, predicate = rest[: mention.end], rest[mention.end :].split()
    is_open = not predicate or predicate[-1].casefold() in _STRANDED
    if not is_open and not answer.startswith("by "):
        return None
    return " ".join([subject, be, *predicate, answer]) + "."
