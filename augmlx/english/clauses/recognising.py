"""Whether a text says what a statement says, where its form alone tells: a question with its
answer, the statement from its other end, or the statement with its parts in another order.

Known here means right. A text that is not known may be right all the same; grammar cannot tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from augmlx.english.clauses.asking import Part, asks
from augmlx.english.clauses.beginning import begins_oddly, keeps_a_capital, names_him_late
from augmlx.english.clauses.clause import Clause
from augmlx.english.clauses.phrase import Phrase, closed
from augmlx.english.clauses.reading import read
from augmlx.english.clauses.reordering import fronted, singled_out
from augmlx.english.clauses.reversing import reversals
from augmlx.english.clauses.turned import Turned, may_speak_of_another
from augmlx.english.lexicon import word_set
from augmlx.english.stems import stem
from augmlx.english.synonyms import synonyms
from augmlx.english.text import CACHED_TEXTS, normalise

_QUOTES = str.maketrans("‘’“”", "''\"\"")


@lru_cache(maxsize=CACHED_TEXTS)
def is_known_question(source: str, question: str, answer: str) -> bool:
    """Whether a question is one that a statement answers so."""
    if not question.rstrip().endswith("?"):
        return False
    return any(
        _is_made_of(question, ask.opening, ask.parts)
        for ask in asks(source)
        if ask.answer == answer
    )


@lru_cache(maxsize=CACHED_TEXTS)
def is_known_reversal(source: str, text: str) -> bool:
    """Whether a text is a statement said from its other end."""
    return _ends_alike(source, text) and any(_renders(text, way) for way in reversals(source))


@lru_cache(maxsize=CACHED_TEXTS)
def is_known_rephrasing(source: str, text: str) -> bool:
    """Whether a text is a statement with a time or place put first, or taken behind again, with its
    subject singled out ("It is Ana who leads the lab."), or with another word for its verb.
    """
    if not _ends_alike(source, text) or normalise(text) == normalise(source):
        return False
    ways = (*fronted(source), *singled_out(source))
    if any(_renders(text, way) for way in ways):
        return True
    return not keeps_a_capital(source, text) and _says_the_same(source, text)


# A text as words that open it, and parts behind them


def _renders(text: str, way: Turned) -> bool:
    commas = f"{way.opening} ".count(", ")
    if commas > 1 and text.count(", ") < commas:
        return False  # "The company, StarPath was founded by Ada."
    parts = [Part(part, closing=_is_clause(part)) for part in way.parts]
    return _is_made_of(text, way.opening, parts)


def _is_clause(part: str) -> bool:
    """Whether a part takes to itself what stands behind it: "if the pitch is frozen by the
    referee".
    """
    marks = word_set("marks_of_condition") - word_set("prepositions_of_time")
    return part.split()[0].lower() in marks


def _closes_what_is_inserted(text: str, parts: Sequence[Part]) -> bool:
    """Whether a comma stands behind each part that ends in what is inserted, where more follows:
    "by Ada Voss, our head of sales, in 2014".
    """
    ends = text.rstrip(".!?")
    return all(
        closed(part.text) in text or ends.endswith(part.text) or part.text not in text
        for part in parts
    )


def _is_made_of(text: str, opening: str, parts: Sequence[Part]) -> bool:
    """Whether a text is the opening and then the parts, in any order, each once; those that are
    optional once or not at all.
    """
    if not _closes_what_is_inserted(text, parts):
        return False
    words, first = _words(text), _words(opening)
    if words != first and not words.startswith(f"{first} "):
        return False
    plain = [part._replace(text=_within(part.text)) for part in parts]
    return _is_used_up(words[len(first) :].strip(), plain)


def _words(text: str) -> str:
    """A text without regard to the punctuation around its words, and to the capital of the first;
    what stands within a word tells numbers and names apart.
    """
    plain = text.translate(_QUOTES)
    stripped = [word.strip("\"'.,;:!?()") for word in plain.split()]
    words = " ".join(word for word in stripped if word)
    return words[:1].lower() + words[1:]


def _within(part: str) -> str:
    """A part of a sentence, which keeps its capital."""
    return part[:1] + _words(part)[1:] if part[:1].isalnum() else _words(part)


def _is_used_up(words: str, parts: Sequence[Part]) -> bool:
    if not words:
        return all(part.optional for part in parts)
    for place, part in enumerate(parts):
        if words == part.text or words.startswith(f"{part.text} "):
            rest = words[len(part.text) :].strip()
            others = [*parts[:place], *parts[place + 1 :]]
            is_last = not part.closing or all(other.closing or other.optional for other in others)
            if part.closing:
                others = [other for other in others if other.closing]
            if is_last and _is_used_up(rest, others):
                return True
    return False


def _ends_alike(source: str, text: str) -> bool:
    """Whether a text is a whole sentence where its source is one."""
    is_ended = source.rstrip().endswith((".", "!"))
    return not is_ended or text.rstrip().endswith((".", "!"))


# A text that says the same of the same


def _says_the_same(source: str, text: str) -> bool:
    """Whether both say the same of the same, the subject first: in another order, or with a word
    that is known to say the same as the verb.
    """
    given, said = read(source), read(text)
    if given is None or said is None or given.coordinated or said.coordinated:
        return False
    if given.subject is None or said.subject is None or given.passive != said.passive:
        return False
    moved = [part for part in said.fronted if part.role == "clause" and not given.fronted]
    if any(may_speak_of_another(said, part) for part in moved):
        return False
    if begins_oddly(given, said) or names_him_late(given, said):
        return False
    if _article(given.subject) != _article(said.subject):
        return False  # "Red mill makes flour."
    return _content(given) == _content(said) and bool(_verbs(given) & _verbs(said))


def _article(part: Phrase) -> str:
    first = part.text.split()[0].lower()
    return first if first in word_set("articles") else ""


def _verbs(clause: Clause) -> frozenset[str]:
    """The stems of the words that say what a clause's verb says; a phrasal verb has none."""
    word = stem(clause.verb)
    if clause.particle:
        return frozenset({f"{word} {clause.particle}"})
    return frozenset({word}) | synonyms().get(word, frozenset())


def _content(clause: Clause) -> tuple[object, ...]:
    """All that a clause says but its verb: of whom, about what, when and where, and how surely."""
    parts = sorted((part.role == "agent", part.preposition, _noun(part)) for part in clause.parts)
    mood = set(clause.auxiliaries) - {"is", "are", "was", "were", "does", "do", "did"}
    about = _noun(clause.subject) if clause.subject else ""
    return about, parts, mood, bool(clause.negations), clause.is_past


def _noun(part: Phrase) -> str:
    return normalise(part.noun).removeprefix("the ")
