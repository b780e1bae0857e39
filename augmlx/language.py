"""Just enough English to find the names in a sentence: words, entities, arguments, stems. Pure functions.

An entity is a run of capitalised words or a number; where a sentence has none (made-up lower-case terms, or a script
without capitals) its first and last content words stand in. It is a heuristic and says so: filters that use it can
only object to what it found, never invent an entity.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

_WORD = re.compile(r"[^\W_][\w]*(?:[-.&/][\w]+)*")
_POSSESSIVE = re.compile(r"['’]s?$")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Lower-case words that may stand inside a name ("Ana de la Cruz").
_PARTICLES = _set("de del della da di du der den van von la le el al bin ibn ter ten y")

AUXILIARIES = _set("is are was were be been being am has have had do does did will would can could may")
DETERMINERS = _set("the a an this that these those its his her their our my your")
NEGATIONS = _set("not no never none nobody nothing neither nor without cannot")
PREPOSITIONS = _set(
    "of in on at by to from for with about into onto over under as per via within near than between among"
)
_OTHERS = _set(
    "and or but so yet if then else all every each some any both either it he she they we i you who whom whose which "
    "what when where why how there here also very more most less least such s"
)
STOPWORDS = AUXILIARIES | DETERMINERS | NEGATIONS | PREPOSITIONS | _OTHERS


@dataclass(frozen=True, slots=True)
class Mention:
    """A word run of a text: text[start:end]."""

    text: str
    start: int
    end: int


def normalise(text: str) -> str:
    """For comparing texts: NFKC, case-folded, words only, single spaces. Order is kept."""
    return " ".join(re.findall(r"[\w]+", unicodedata.normalize("NFKC", text).casefold()))


def words(text: str) -> list[Mention]:
    return [Mention(m.group(), m.start(), m.end()) for m in _WORD.finditer(text)]


def _is_name_word(word: str) -> bool:
    return word[0].isupper() or any(char.isdigit() for char in word)


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\"'“‘(")
    return not before or before[-1] in ".!?:\n"


@lru_cache(maxsize=65536)
def entities(text: str) -> tuple[Mention, ...]:
    """The names and numbers of a text, in order: runs of capitalised words, an opening function word aside."""
    runs: list[list[Mention]] = []
    joinable = False  # whether the next name word continues the last run
    pending: list[Mention] = []  # particles seen since the run's last name word
    for word in words(text):
        function_word = word.text.casefold() in STOPWORDS
        if _is_name_word(word.text) and not (function_word and _opens_sentence(text, word.start)):
            gap = text[runs[-1][-1].end : word.start] if runs else ""
            if joinable and not re.search(r"[^\s\w.’']", gap) and "'s" not in gap and "’s" not in gap:
                runs[-1] += [*pending, word]
            else:
                runs.append([word])
            joinable, pending = True, []
        elif joinable and word.text in _PARTICLES:
            pending.append(word)
        else:
            joinable, pending = False, []
    return tuple(Mention(text[run[0].start : run[-1].end], run[0].start, run[-1].end) for run in runs)


def is_number(entity: str) -> bool:
    return not any(char.isalpha() for char in entity)


@lru_cache(maxsize=65536)
def arguments(text: str) -> tuple[Mention, Mention] | None:
    """The first and the last thing that a one-sentence fact speaks of, or None where it speaks of one only.

    Entities come first; a side without one falls back on the sentence's first or last content word. A number is an
    argument only where nothing else is ("in 2031" dates the fact, it is not what the fact is about). A noun that
    belongs to the entity comes with it ("the Kestrel radio").
    """
    found = [entity for entity in entities(text) if not is_number(entity.text)]
    content = [word for word in words(text) if word.text.casefold() not in STOPWORDS and not is_number(word.text)]
    if not content:
        return None
    first = found[0] if found else content[0]
    last = found[-1] if found else content[-1]
    if len(found) == 1:
        opens = not [word for word in content if word.end <= found[0].start]
        first, last = (found[0], content[-1]) if opens else (content[0], found[0])
    first, last = _with_noun(text, first), _with_noun(text, last)
    if first.end > last.start or normalise(first.text) == normalise(last.text):
        return None
    return first, last


def determiner_before(text: str, mention: Mention) -> str:
    """The determiner that stands directly before a mention, or nothing."""
    before = words(text[: mention.start])
    if before and before[-1].text.casefold() in DETERMINERS and not text[before[-1].end : mention.start].strip():
        return before[-1].text
    return ""


def _with_noun(text: str, mention: Mention) -> Mention:
    """ "the Kestrel" -> "the Kestrel radio": lower-case words after a name that has a determiner belong to it when the
    sentence, or an auxiliary or preposition, follows them. With a full verb behind them nobody can tell: they stay."""
    if not determiner_before(text, mention):
        return mention
    end = mention.end
    for word in words(text):
        if word.start < mention.end:
            continue
        if text[end : word.start].strip() or _is_name_word(word.text):
            return mention if word.start != mention.end and _is_name_word(word.text) else _cut(text, mention, end)
        if word.text.casefold() in STOPWORDS:
            return _cut(text, mention, end)
        end = word.end
    return _cut(text, mention, end)


def _cut(text: str, mention: Mention, end: int) -> Mention:
    return Mention(text[mention.start : end], mention.start, end)


@lru_cache(maxsize=65536)
def definite_description(text: str) -> str | None:
    """The description in "Mara is the head of the Lab" ("the head of the Lab"), or None.

    Only a definite description names one thing and can open the sentence turned round; "a head of the Lab" cannot.
    """
    found = arguments(text)
    if found is None:
        return None
    middle = text[found[0].end : found[1].start]
    copula = re.match(r"\s+(?:is|was|are|were)\s+(?=the\s)", middle)
    return None if copula is None else text[found[0].end + copula.end() : found[1].end]


def mention_of(entity: str, text: str) -> Mention | None:
    """Where `entity` stands in `text`, as whole words; None where it does not. Only the first letter may differ in
    case, and only where the text begins with it."""
    found = re.search(rf"(?<!\w){re.escape(entity)}(?!\w)", text)
    if found is None and text[:1].casefold() == entity[:1].casefold():
        found = re.match(rf".{re.escape(entity[1:])}(?!\w)", text, re.DOTALL)
    return Mention(found.group(), found.start(), found.end()) if found else None


_SUFFIXES = ("ations", "ation", "ings", "ing", "ors", "ers", "or", "er", "ied", "ies", "ed", "es", "s", "d", "e")


@lru_cache(maxsize=1)
def _irregular() -> dict[str, str]:
    """Every form of an irregular verb -> its first form (irregular.toml)."""
    rows = tomllib.loads(resources.files("augmlx.data").joinpath("irregular.toml").read_text("utf-8"))["verbs"]
    return {form: row.split()[0] for row in rows for form in row.split()}


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A crude stem, enough to see "designed", "designer" and "designs", or "wrote" and "written", as one.
    Never shorter than three letters."""
    word = _POSSESSIVE.sub("", word.casefold())
    word = _irregular().get(word, word)
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2]:  # "planned" and "plans"
        word = word[:-1]
    return word


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry the meaning, in order."""
    return [stem(word.text) for word in words(text) if word.text.casefold() not in STOPWORDS]


def wording(text: str) -> str:
    """A text as it counts in a vote: its words in order, without auxiliaries, determiners, case and punctuation.
    "The radio was designed by Ada" and "The radio is designed by Ada" agree; "Ada designed the radio" does not."""
    skip = AUXILIARIES | DETERMINERS
    return " ".join(word for word in normalise(text).split() if word not in skip)
