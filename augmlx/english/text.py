"""Just enough English to find the names in a sentence: words, entities, arguments, stems. Pure
functions.

An entity is a run of capitalised words or a number; where a sentence has none (made-up lower-case
terms, or a script without capitals) its first and last content words stand in. It is a heuristic
and says so: filters that use it can only object to what it found, never invent an entity.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise

# Python's \w leaves out combining marks, without which a word of Hindi, Thai or pointed Hebrew
# falls to pieces.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
    "\u0eb1-\u0ecd\u0f18-\u0f84\u102b-\u103e\u17b4-\u17d3\u200d"
)
_WORD = re.compile(rf"[^\W_][\w{_MARKS}]*(?:[-.&/][\w{_MARKS}]+)*")
_PIECE = re.compile(rf"[\w{_MARKS}]+")
_WITHIN_WORD = re.compile(rf"[\w{_MARKS}]")
# Every filter takes the same few texts of one fact apart; they are together in time.
_CACHED = 2048
_POSSESSIVE = re.compile(r"['’]s?$")
_NOT = re.compile(r"(?<=\w)n['’]t\b")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Lower-case words that may stand inside a name ("Ana de la Cruz").
_PARTICLES = _set("de del della da di du der den van von la le el al bin ibn ter ten y")

AUXILIARIES = _set(
    "is are was were be been being am has have had do does did will would can could may"
)
DETERMINERS = _set("the a an this that these those its his her their our my your")
_COPULAS = _set("is was are were")
NEGATIONS = _set("not no never none nobody nothing neither nor without cannot")
PREPOSITIONS = _set(
    "of in on at by to from for with about into onto over under as per via within near than "
    "between among"
)
_OTHERS = _set(
    "and or but so yet if then else all every each some any both either it he she they we i you "
    "who whom whose which "
    "what when where why how there here also very more most less fewer least such s"
)
_CUT_OFF = _set("ca wo sha")  # what "can't", "won't" and "shan't" leave
_TITLES = _set(
    "dr mr mrs ms mx prof st sr jr rev hon gen col maj capt cpt lt sgt mt ft no vs etc inc ltd co "
    "corp dept"
)
_MONTHS = _set(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "monday tuesday wednesday thursday friday saturday sunday"
)
STOPWORDS = AUXILIARIES | DETERMINERS | NEGATIONS | PREPOSITIONS | _OTHERS | _CUT_OFF


@dataclass(frozen=True, slots=True)
class Mention:
    """A word run of a text: text[start:end]."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=_CACHED)
def normalise(text: str) -> str:
    """For comparing texts: NFKC, case-folded, words only, single spaces. Order is kept."""
    return " ".join(_PIECE.findall(unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=_CACHED)
def words(text: str) -> tuple[Mention, ...]:
    return tuple(Mention(m.group(), m.start(), m.end()) for m in _WORD.finditer(text))


def spelt_out(text: str) -> str:
    """ "isn't" -> "is not", so that both count as one negation of one verb."""
    return _NOT.sub(" not", text)


_LONGEST = (
    100  # characters of a word; to look at all that stands before each break would be quadratic
)
# How a sentence ends, or a title before a list.
ENDED = re.compile(r"[.!?…:;。！？：；؟]['\"”’»」』)\]]*$")
_BREAK = re.compile(r"[.!?]['\"”’)\]]*\s+(?=\S)|[。！？](?=\s*[^\s。！？'\"”’」』)\]])|\n\s*(?=\S)")


def split_sentences(text: str) -> list[Mention]:
    """The sentences of a text, as far as its punctuation tells; a text without any is one. The
    period of a title or an initial ("Dr. Ana Ruiz", "J. R. Hartley", "Zorb Inc. has ...") ends
    none.
    """
    breaks = [
        m
        for m in _BREAK.finditer(text)
        if not _abbreviates(text[max(0, m.start() - _LONGEST) : m.start() + 1])
    ]
    found = []
    for start, end in pairwise([0, *(m.end() for m in breaks), len(text)]):
        part = text[start:end].strip()
        at = text.index(part, start)
        found.append(Mention(part, at, at + len(part)))
    return found


def sentences(text: str) -> int:
    """How many sentences a text has."""
    return len(split_sentences(text.strip()))


def _abbreviates(before: str) -> bool:
    """Whether the period that `before` ends in belongs to a title or to initials."""
    if not before.endswith("."):
        return False
    last = re.split(r"[\s(\"“]", before[:-1])[-1]
    return last.casefold() in _TITLES or "." in last or (len(last) == 1 and last.isupper())


def _is_name_word(word: str) -> bool:
    return word[0].isupper() or any(char.isdigit() for char in word)


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\"'“‘(")
    return not before or before[-1] in ".!?:\n"


@lru_cache(maxsize=_CACHED)
def entities(text: str) -> tuple[Mention, ...]:
    """The names and numbers of a text, in order: runs of capitalised words, an opening function
    word aside.
    """
    runs: list[list[Mention]] = []
    joinable = False  # whether the next name word continues the last run
    pending: list[Mention] = []  # particles seen since the run's last name word
    for word in words(text):
        function_word = word.text.casefold() in STOPWORDS and not _is_will_or_may(text, word)
        if _is_name_word(word.text) and not (function_word and _opens_sentence(text, word.start)):
            gap = text[runs[-1][-1].end : word.start] if runs else ""
            if (
                joinable
                and _inside_a_name(text, gap, word.start)
                and not _dated(text, runs[-1], word)
            ):
                runs[-1] += [*pending, word]
            else:
                runs.append([word])
            joinable, pending = True, []
        elif joinable and word.text in _PARTICLES:
            pending.append(word)
        else:
            joinable, pending = False, []
    return tuple(
        Mention(text[run[0].start : run[-1].end], run[0].start, run[-1].end) for run in runs
    )


def _is_will_or_may(text: str, word: Mention) -> bool:
    """ "Will Smith", "May Lind": the two auxiliaries that are also first names, before another
    name.
    """
    after = re.match(r" (\w)", text[word.end :])
    return (
        word.text in ("Will", "May")
        and after is not None
        and after.group(1).isupper()
        and text[-1] != "?"
    )


def _inside_a_name(text: str, gap: str, end: int) -> bool:
    """Whether a name goes on over `gap`, which ends at `end`: no comma, no possessive, no end of a
    sentence.
    """
    if re.search(r"[^\s\w.’']|['’](?:s\b|\s)", gap):
        return False
    return "." not in gap or _abbreviates(text[:end].rstrip())


def _dated(text: str, run: list[Mention], word: Mention) -> bool:
    """Whether `run` is the date or number of an adverbial that ends where a name begins ("In 1998
    Ana Ruiz ...").
    """
    before = words(text[: run[0].start])
    governed = bool(before) and before[-1].text.casefold() in PREPOSITIONS
    return (
        governed and is_number(text[run[0].start : run[-1].end]) and not is_number(f"1 {word.text}")
    )


def is_number(entity: str) -> bool:
    """A number or a date: "1998", "3 May 1998"."""
    letters = re.findall(r"[^\W\d_]+", entity.casefold())
    return any(char.isdigit() for char in entity) and all(word in _MONTHS for word in letters)


@lru_cache(maxsize=_CACHED)
def arguments(text: str) -> tuple[Mention, Mention] | None:
    """The first and the last thing that a one-sentence fact speaks of, or None where it speaks of
    one only.

    Entities come first; a side without one falls back on the sentence's first or last content word.
    A number is an argument only where nothing else is ("in 2031" dates the fact, it is not what the
    fact is about). A noun that belongs to the entity comes with it ("the Kestrel radio").
    """
    found = [entity for entity in entities(text) if not is_number(entity.text)]
    content = [
        word
        for word in words(text)
        if word.text.casefold() not in STOPWORDS and not is_number(word.text)
    ]
    if not content:
        return None
    first = found[0] if found else content[0]
    last = found[-1] if found else content[-1]
    if len(found) == 1:
        opens = not [word for word in content if word.end <= found[0].start]
        first, last = (found[0], content[-1]) if opens else (content[0], found[0])
    first, last = _with_noun(text, first, subject=True), _with_noun(text, last)
    if first.end > last.start or normalise(first.text) == normalise(last.text):
        return None
    return first, last


def determiner_before(text: str, mention: Mention) -> str:
    """The determiner that stands directly before a mention, or nothing."""
    before = words(text[: mention.start])
    if (
        before
        and before[-1].text.casefold() in DETERMINERS
        and not text[before[-1].end : mention.start].strip()
    ):
        return before[-1].text
    return ""


def with_determiner(text: str, mention: Mention) -> str:
    """A mention as it stands in the text, with the determiner before it if there is one."""
    start = (
        words(text[: mention.start])[-1].start
        if determiner_before(text, mention)
        else mention.start
    )
    return text[start : mention.end]


def _with_noun(text: str, mention: Mention, *, subject: bool = False) -> Mention:
    """ "the Kestrel" -> "the Kestrel radio": the lower-case words after a name that has a
    determiner belong to it, up to the sentence's end or the next function word. A subject's own
    verb stands among them ("the Dent bakery belongs to ..."), unless an auxiliary follows: they end
    before the first word that looks like one, and with none in sight before a determiner nobody can
    tell, and the name stays as it is.
    """
    if not determiner_before(text, mention):
        return mention
    taken: list[Mention] = []
    end, following = mention.end, ""
    for word in words(text):
        if word.start < mention.end:
            continue
        if (
            text[end : word.start].strip()
            or _is_name_word(word.text)
            or word.text.casefold() in STOPWORDS
        ):
            following = word.text.casefold()
            break
        taken.append(word)
        end = word.end
    if subject and following not in AUXILIARIES:
        verbs = [n for n, word in enumerate(taken) if looks_like_a_verb(word.text)]
        if verbs:
            taken = taken[: verbs[0]]
        elif following and following not in PREPOSITIONS | {"s"}:  # "the Kel ferry's captain"
            taken = []
    end = taken[-1].end if taken else mention.end
    return Mention(text[mention.start : end], mention.start, end)


def looks_like_a_verb(word: str) -> bool:
    """By its form alone: a plural noun looks like one too."""
    word = word.casefold()
    return (
        word in _irregular()
        or word.endswith("ed")
        or (word.endswith("s") and not word.endswith("ss"))
    )


# Prepositions that tie two nouns into one phrase ("the tower in Elm"); the others tie a noun to the
# verb ("to Mary").
_WITHIN = frozenset("of in at on near".split())


@lru_cache(maxsize=_CACHED)
def closing_phrase(text: str) -> str | None:
    """What a sentence ends with and can begin with when it is turned round; None where it speaks of
    one thing only.

    After a bare copula that is the definite description ("Mara is the head of the Lab": "the head
    of the Lab"); an indefinite one ("a head of the Lab") names nothing and stays behind. After a
    verb it is the whole object ("Ida painted the gate of the Bor mill": "the gate of the Bor
    mill"). Else it is the last argument with its determiner.
    """
    found = arguments(text)
    if found is None:
        return None
    first, last = found
    between = [word for word in words(text) if first.end <= word.start < last.start]
    lower = [word.text.casefold() for word in between]
    start = next((n for n, word in enumerate(lower) if word in DETERMINERS), None)
    if start is not None and text[first.end : first.end + 1].isspace():
        copula = start == 1 and lower[0] in _COPULAS and lower[1] == "the"
        verb = any(word not in STOPWORDS for word in lower[:start]) and not PREPOSITIONS & set(
            lower[:start]
        )
        tied = set(lower[start:]) & STOPWORDS <= _WITHIN | DETERMINERS
        if copula or (verb and tied):
            return text[between[start].start : last.end]
    return with_determiner(text, last)


@lru_cache(maxsize=_CACHED)
def mention_of(entity: str, text: str, *, anywhere: bool = False) -> Mention | None:
    """Where `entity` stands in `text`, as whole words; None where it does not. Apostrophes may be
    straight or curly.

    Only the first letter may differ in case, and only where the text begins with it, or `anywhere`
    on request.
    """
    said, place = entity, _place(entity, text)
    if place is None:
        said = entity[0].swapcase() + entity[1:]
        place = _place(said, text)
        if place is None or not (anywhere or place == 0):
            return None
    return Mention(text[place : place + len(said)], place, place + len(said))


def _place(needle: str, text: str) -> int | None:
    """Where `needle` stands as whole words. No pattern is compiled: there would be a new one for
    each name.
    """
    needle, text = needle.replace("’", "'"), text.replace("’", "'")
    start = text.find(needle)
    while start >= 0:
        end = start + len(needle)
        if not (start and text[start - 1].isalnum()) and not _WITHIN_WORD.match(text, end):
            return start
        start = text.find(needle, start + 1)
    return None


@lru_cache(maxsize=1)
def _irregular() -> dict[str, str]:
    """Every form of an irregular verb -> its first form (irregular.toml)."""
    rows = tomllib.loads(
        resources.files("augmlx.english").joinpath("irregular.toml").read_text("utf-8")
    )["verbs"]
    return {form: row.split()[0] for row in rows for form in row.split()}


# A suffix, and how many letters must stay before it.
_SUFFIXES = (
    *((suffix, 3) for suffix in ("ations", "ation", "ors", "or", "ies", "ied", "ier")),
    *((suffix, 2) for suffix in ("ings", "ing", "ers", "er", "ed", "es")),
    ("s", 3),
    ("e", 2),
    ("y", 3),
    ("i", 3),
)


@lru_cache(maxsize=_CACHED)
def stem(word: str) -> str:
    """A crude stem, enough to see "designed", "designer" and "designs", or "wrote" and "written",
    as one.

    Suffixes come off until none is left, so "ordered" meets "orders" and "user" meets "used";
    "employee" keeps its end, for it is not the employer.
    """
    word = _POSSESSIVE.sub("", word.casefold())
    word = _irregular().get(word, word)
    while (shorter := _shorter(word)) != word:
        word = shorter
    return word


def _shorter(word: str) -> str:
    if word.endswith("ee"):
        return word
    if word.endswith(("ees", "eed")):
        return word[:-1]
    for suffix, left in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= left:
            return word[: -len(suffix)]
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word  # "planned" and "plans"


@lru_cache(maxsize=_CACHED)
def content_stems(text: str) -> tuple[str, ...]:
    """Stems of the words that carry the meaning, in order."""
    return tuple(
        stem(word.text) for word in words(spelt_out(text)) if word.text.casefold() not in STOPWORDS
    )


def wording(text: str) -> str:
    """A text as it counts in a vote: its words in order, without auxiliaries, determiners, case and
    punctuation. "The radio was designed by Ada" and "The radio is designed by Ada" agree; "Ada
    designed the radio" does not.
    """
    skip = AUXILIARIES | DETERMINERS
    return " ".join(word for word in normalise(text).split() if word not in skip)
