"""Forms of a verb from its first form (lemminflect), and whether a word is known at all."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from augmlx.english.verbs import participle as by_rule

_LETTING = re.compile(r"(?:sub|re|under|out)let")  # stays as it is, which the library does not know


@cache
def participle(verb: str) -> str:
    """ "defeat" -> "defeated", "write" -> "written"."""
    return "borne" if verb == "bear" else _form(verb, "VBN")


@cache
def continuous(verb: str) -> str:
    """ "restore" -> "restoring"."""
    return _form(verb, "VBG")


@cache
def third_person(verb: str) -> str:
    """ "sign" -> "signs", "be" -> "is"."""
    return "is" if verb == "be" else _form(verb, "VBZ")


@cache
def past(verb: str) -> str:
    """ "found" -> "founded", "write" -> "wrote"; of "be" that for one."""
    return "was" if verb == "be" else _form(verb, "VBD")


@cache
def first_form(form: str) -> str:
    """ "crafting" -> "craft", "held" -> "hold"."""
    lemmas = _library().getLemma(form, upos="VERB")
    return str(lemmas[0]) if lemmas else form


@cache
def is_past(form: str) -> bool:
    """Whether a form of a verb is that of its past: "held", "was"."""
    return form in ("was", "were") or past(first_form(form)) == form != first_form(form)


@cache
def is_plural_noun(word: str) -> bool:
    """Whether a lower-case word is the plural of a noun: "tales", not "is" and "his"."""
    lemmas = _library().getAllLemmas(word, upos="NOUN").get("NOUN", ())
    return bool(lemmas) and word not in lemmas


@cache
def is_verb(word: str) -> bool:
    """Whether a word is the first form of a verb, whatever it is besides."""
    return word in _library().getAllLemmas(word, upos="VERB").get("VERB", ())


@cache
def is_adverb(word: str) -> bool:
    """Whether a word is an adverb, whatever it is besides: "indoors", "home"."""
    return word in _library().getAllLemmas(word, upos="ADV").get("ADV", ())


@cache
def is_known(word: str) -> bool:
    """Whether a lower-case word stands in the dictionary."""
    return bool(_library().getAllLemmas(word))


def _form(verb: str, tag: str) -> str:
    if tag in ("VBN", "VBD") and _LETTING.fullmatch(verb):
        return verb
    forms = _library().getInflection(verb, tag)
    if not forms:
        forms = _library().getInflection(verb, tag, inflect_oov=True)
    listed = by_rule(third_person(verb)) if tag == "VBN" and len(forms) > 1 else ""
    return listed if listed in forms else forms[0]


@cache
def _library() -> Any:
    import lemminflect

    return lemminflect
