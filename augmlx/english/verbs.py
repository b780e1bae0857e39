"""Forms of verbs: what a form is a form of, what looks like one, and the forms of the passive."""

from __future__ import annotations

import re
from functools import cache

from augmlx.english.lexicon import either, rows, word_set


@cache
def first_forms() -> dict[str, str]:
    """Every form of an irregular verb -> its first form: "written" -> "write"."""
    by_form: dict[str, str] = {}
    for row in rows("irregular_verbs"):
        forms = row.split()
        by_form |= dict.fromkeys(forms, forms[0])
    return by_form


def looks_like_a_verb(word: str) -> bool:
    """Whether a word can be a form of a verb; a plural noun looks like one too."""
    word = word.casefold()
    if word in first_forms() or word.endswith("ed"):
        return True
    return word.endswith("s") and not word.endswith("ss")


def participle(verb: str) -> str:
    """The participle of a past or a present form: "designed", "supervises" -> "supervised".

    Nothing where spelling alone does not tell ("plans", "controls", "equips").
    """
    if not verb.endswith("s"):
        return _participles_of_past().get(verb) or (verb if verb.endswith("ed") else "")
    base = re.sub(r"(?<=ch|sh|ss|zz)es$|(?<=x)es$|s$", "", verb)
    if irregular := _irregular_participle(base):
        return irregular
    if base.endswith("ie"):
        return f"{base[:-1]}ed"
    if base.endswith("e"):
        return f"{base}d"
    doubles = re.search(r"^[^aeiou]*[aeiou][bdgklmnprt]$|[^aeiou][aeiou][lmrt]$|[aeiou]p$", base)
    return "" if doubles else f"{base}ed"


# How a first form ends that takes "-es", and how one ends that takes "-s", where only "-ed" was
# cut off: "produc", "us" and "shar" had an "e".
_TAKES_ES = re.compile(
    r"[cvuz]$|[^aeiou][aeiou]s$|[^aeiou][iau]r$|ag$|[dlr]g$|[bcdfgkpstz]l$",
)
_TAKES_S = re.compile(
    r"(?:ai|ea|ee|oa|oi|oo)[dklmnpr]$|oat$|[^aeiouy][dknptmw]$|[aeo][yw]$",
)


def present(participle: str) -> str:
    """The present form of a participle in -ed: "admired" -> "admires".

    Nothing where spelling alone does not tell ("tasted", "casted"), or without -ed.
    """
    if not participle.endswith("ed"):
        return ""
    base = participle.removesuffix("ed")
    if _TAKES_ES.search(base):
        return f"{base}es"
    is_doubled = base[-1:] == base[-2:-1]
    if not _TAKES_S.search(base) or is_doubled or base.endswith("ast"):
        return ""
    return f"{base}s"


def _rows_with_participle() -> list[list[str]]:
    """The forms of each irregular verb whose participle is the last of them."""
    others = word_set("participle_is_first_form")
    forms_of_verbs = [row.split() for row in rows("irregular_verbs")]
    return [forms for forms in forms_of_verbs if forms[0] not in others]


@cache
def _participles_of_first() -> dict[str, str]:
    """ "write" -> "written"."""
    return {forms[0]: forms[-1] for forms in _rows_with_participle()}


@cache
def _participles_of_past() -> dict[str, str]:
    """ "wrote" -> "written", "written" -> "written"."""
    by_form: dict[str, str] = {}
    for _, *others in _rows_with_participle():
        by_form |= dict.fromkeys(others, others[-1])
    return by_form


def _irregular_participle(base: str) -> str:
    """ "rebuild" -> "rebuilt", as "build" -> "built"."""
    participles = _participles_of_first()
    if base in participles:
        return participles[base]
    found = re.match(either("verb_prefixes"), base)
    prefix = found[0] if found else ""
    rest = base.removeprefix(prefix)
    return prefix + participles[rest] if rest in participles else ""
