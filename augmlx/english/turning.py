"""How a statement begins when it is said from its other end, where grammar alone tells.

A small model turns a statement round in order only: it exchanges the names and keeps the verb,
which is wrong for every relation that is not symmetric. Behind the first words of a right answer
("Lake Pell is smaller than", "The lamp was") it can hardly go on wrongly. The rest of the sentence
stays the model's, and the filters judge it as any other.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources

from augmlx.english.logic.words import antonyms, is_comparative, is_plural
from augmlx.english.text import (
    AUXILIARIES,
    PREPOSITIONS,
    arguments,
    closing_phrase,
    looks_like_a_verb,
    words,
)

_BE = frozenset("is are was were".split())
# Words that say the other end of a relation in the same place of a sentence.
_PAIRS = (
    "before after",
    "above below",
    "north south",
    "east west",
    "northeast southwest",
    "northwest southeast",
)
_BESIDE_A_PAIR = frozenset(
    "is are was were lies lie stands stand sits sit located situated came comes took takes place "
    "happened happens "
    "occurred occurs held began begins started starts ended ends just directly right far well to "
    "the of".split()
)
# Where a thing or a person is, or something happens: "Redcliff is where Julia Stone lives."
_PLACED = frozenset(
    "lives lived live resides resided dwells lies lay lie stands stood stand sits sat located "
    "situated based born died "
    "buried works worked studies studied teaches taught hangs hung held place happened kept "
    "stored grows grew".split()
)
_INSIDE = frozenset("in at inside within".split())
_CONVERTED = re.compile(
    r"(No|Some)\b", re.IGNORECASE
)  # "No A are B" and "Some A are B" hold both ways round
# Verbs that have no passive, and verbs of relations that hold both ways round.
_NO_PASSIVE = frozenset(
    "became become becomes remained remains seemed seems equals resembles costs weighs "
    "means".split()
)
_SYMMETRIC = frozenset("married marries met meets".split())
_WHOLES = frozenset(
    {("part", "of"), ("a", "part", "of"), ("a", "member", "of"), ("one", "member", "of")}
)
# What is said of a transfer from its other end, and the word before the other person then.
_TRANSFERS = {
    **{("to", verb): ("received", "from") for verb in "gave sent handed donated".split()},
    ("to", "sold"): ("bought", "from"),
    ("to", "lent"): ("borrowed", "from"),
    ("to", "loaned"): ("borrowed", "from"),
    ("from", "bought"): ("sold", "to"),
    ("from", "borrowed"): ("lent", "to"),
    ("from", "received"): ("gave", "to"),
}


def turned(text: str) -> str:
    """The words that a reversal of a statement begins with: what it ends with, and the verb where
    its form is known.

    Nothing where the statement speaks of one thing only.
    """
    start, found = closing_phrase(text), arguments(text)
    if start is None or found is None:
        return ""
    end = found[0].end
    if not text[end : end + 1].isspace():  # "Ana's mother is Ida": the names only change places
        return start
    if quantifier := _CONVERTED.match(text):
        bare = re.fullmatch(r"\s*(?:is|are)\s*", text[end : text.rindex(start)])
        return f"{quantifier[1].lower()} {start}" if bare else start
    between = words(text[end : text.rindex(start)])
    said = [word.text.casefold() for word in between]
    if not said:
        return start
    if (
        said == ["belongs", "to"]
        and text[:4].casefold() == "the "
        and start[:4].casefold() != "the "
    ):
        return f"{start} owns"  # a thing has an article and a person has none
    if (
        len(said) > 2
        and (back := _TRANSFERS.get((said[-1], said[0])))
        and not PREPOSITIONS & set(said[1:-1])
    ):
        moved = text[end + between[1].start : end + between[-2].end]
        return f"{start} {back[0]} {moved} {back[1]}"
    verb = (
        _other_end(said, start)
        or _active(said)
        or _passive(said, start, plural=_is_several(text[:end], opens=True))
    )
    return f"{start} {verb}" if verb else start


def _other_end(said: Sequence[str], start: str) -> str:
    """What stands behind `start` where the words between it and the subject have an opposite."""
    verb, *rest = said
    if verb in _BE and said[-1] == "than":
        return _less(verb, rest)
    if verb in _BE and tuple(rest) in _WHOLES:
        return "include" if _is_several(start) else "includes"
    opposites = _opposites()
    if set(said) - _BESIDE_A_PAIR == opposites.keys() & set(said) != set():
        return " ".join(opposites.get(word, word) for word in said)
    return "is where" if said[-1] in _INSIDE and _PLACED & set(said) and "by" not in said else ""


def _passive(said: Sequence[str], start: str, *, plural: bool) -> str:
    """ "designed" -> "was designed by". `plural`: the subject is."""
    verb, *rest = said
    closed = AUXILIARIES | PREPOSITIONS | _NO_PASSIVE | _SYMMETRIC
    if rest or verb in closed or len(verb) < 3 or not looks_like_a_verb(verb):
        return ""
    present = verb.endswith("s")
    if plural and not present and not verb.endswith("ed"):
        return ""  # "glons read wugs": today or yesterday
    be = {(True, True): "are", (True, False): "is", (False, True): "were", (False, False): "was"}
    done = _participle(verb)
    return (
        f"{be[present, _is_several(start)]} {done} by" if done else be[present, _is_several(start)]
    )


def _active(said: Sequence[str]) -> str:
    """ "is admired by" -> "admires", "was built by" -> "built"; nothing where spelling alone does
    not tell.
    """
    if len(said) != 3 or said[0] not in ("is", "was") or said[2] != "by" or said[1] in _SYMMETRIC:
        return ""
    done = said[1]
    if said[0] == "was":
        return done if done.endswith("ed") else ""
    if not done.endswith("ed"):
        return ""
    base = done.removesuffix("ed")
    if re.search(r"[cvuz]$|[^aeiou][aeiou]s$|[^aeiou][iau]r$|ag$|[dlr]g$|[bcdfgkpstz]l$", base):
        return f"{base}es"
    if (
        re.search(r"(?:ai|ea|ee|oa|oi|oo)[dklmnpr]$|oat$|[^aeiouy][dknptmw]$|[aeo][yw]$", base)
        and base[-1] != base[-2]
    ):
        return "" if base.endswith("ast") else f"{base}s"  # "taste", "cast"
    return ""


def _participle(verb: str) -> str:
    """ "designed", "supervises" -> "supervised", "wrote" -> "written"; nothing where spelling alone
    does not tell.
    """
    if not verb.endswith("s"):
        return _irregular()[1].get(verb) or (verb if verb.endswith("ed") else "")
    base = re.sub(r"(?<=ch|sh|ss|zz)es$|(?<=x)es$|s$", "", verb)
    bases = _irregular()[0]
    found = re.match(r"over|under|out|re|mis|fore|with", base)
    prefix = found[0] if found and base not in bases else ""
    if base[len(prefix) :] in bases:
        return prefix + bases[base[len(prefix) :]]
    if base.endswith("ie"):
        return f"{base[:-1]}ed"
    if base.endswith("e"):
        return f"{base}d"
    doubles = re.search(r"^[^aeiou]*[aeiou][bdgklmnprt]$|[^aeiou][aeiou][lmrt]$|[aeiou]p$", base)
    return "" if doubles else f"{base}ed"  # "plans", "controls", "equips"


def _less(verb: str, rest: Sequence[str]) -> str:
    """ "is larger than" -> "is smaller than", "are more shy than" -> "are less shy than"."""
    if len(rest) == 3 and rest[0] in ("more", "less"):
        return f"{verb} {'less' if rest[0] == 'more' else 'more'} {rest[1]} than"
    if len(rest) == 2 and is_comparative(rest[0]):
        others = _scales().get(rest[0], frozenset())
        return f"{verb} {next(iter(others))} than" if len(others) == 1 else f"{verb} less"
    return ""


def _is_several(phrase: str, *, opens: bool = False) -> bool:
    """Whether a phrase names several: a plural without a name's capital ("glons", "the Bor mills"),
    unless it has that only because it opens the sentence.
    """
    first, *_, last = (*words(phrase), *words(phrase))
    name = last.text != last.text.casefold() and not (opens and first.start == last.start)
    return is_plural(last.text) and not name and first.text.casefold() not in ("a", "an")


@lru_cache(maxsize=1)
def _irregular() -> tuple[dict[str, str], dict[str, str]]:
    """The first form of an irregular verb -> its participle; its other forms -> its participle."""
    told = tomllib.loads(
        resources.files("augmlx.english").joinpath("irregular.toml").read_text("utf-8")
    )
    rows = [row.split() for row in told["verbs"] if row.split()[0] not in ("run", "come", "become")]
    return {row[0]: row[-1] for row in rows}, {form: row[-1] for row in rows for form in row[1:]}


@lru_cache(maxsize=1)
def _opposites() -> dict[str, str]:
    pairs = [row.split() for row in _PAIRS]
    return {one: other for a, b in pairs for one, other in ((a, b), (b, a))}


@lru_cache(maxsize=1)
def _scales() -> dict[str, frozenset[str]]:
    """A comparative -> the first words of the sides that are its opposite."""
    found: dict[str, frozenset[str]] = {}
    for pole, other in antonyms():
        for side, against in ((pole, other), (other, pole)):
            for word in side.split():
                found[word] = found.get(word, frozenset()) | {against.split()[0]}
    return found
