"""What is known of each language besides English: a few lists of words, and the texts of operators,
each from one TOML file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

ENGLISH = "en"
OTHERS = ("de", "fr", "es", "zh")


_SETS = (
    "telling",
    "small",
    "who",
    "doers",
    "what",
    "where",
    "where_or_when",
    "why",
    "amounts",
    "causes",
    "negations",
    "agents",
    "passives",
    "prepositions",
    "conditions",
    "copulas",
    "articles",
    "times",
)


@dataclass(frozen=True)
class Lexicon:
    """The words of one language, case-folded, and what it calls the parts of a prompt.

    Attributes:
        code: such as "de".
        telling: words that are found in texts of this language alone.
        small: words that a sentence may have or lack without saying more or less.
        asking: words that ask; those that ask for somebody (`who`), a thing (`what`), a place
            (`where`) or time, a cause or a way (`why`), how much (`amounts`), are told apart.
        doers: those of `who` that ask for who does it, as `what_does` asks for a thing that does.
        causes: what a cause begins with.
        negations: words that negate; all count as one.
        scopes: a word that says how many, how much or how surely -> the first of its row.
        agents: what stands before who does it, where a sentence is passive.
        passives: what makes a sentence passive.
        prepositions: what begins a part that keeps its meaning wherever it stands.
        conditions: what a condition begins with.
        copulas: forms of "to be".
        times: days and months, which nobody asks for by "what" alone.
        articles: of what there is one of.
        possessive: what makes a thing the only one in a language without articles.
        cleft: a regular expression for a sentence that singles out its part `first`.
        participle: a regular expression for the verb of a passive sentence.
        contracted: two words written as one -> the two.
        fact, question, answer: labels.
        operators: operator -> the keys of its file that this language has of its own.
    """

    code: str
    telling: frozenset[str]
    small: frozenset[str]
    asking: tuple[str, ...]
    who: frozenset[str]
    doers: frozenset[str]
    what_does: str
    what: frozenset[str]
    where: frozenset[str]
    where_or_when: frozenset[str]
    why: frozenset[str]
    amounts: frozenset[str]
    causes: frozenset[str]
    negations: frozenset[str]
    scopes: Mapping[str, str]
    agents: frozenset[str]
    passives: frozenset[str]
    prepositions: frozenset[str]
    conditions: frozenset[str]
    copulas: frozenset[str]
    articles: frozenset[str]
    times: frozenset[str]
    possessive: str
    cleft: str
    participle: str
    contracted: Mapping[str, str]
    fact: str
    question: str
    answer: str
    operators: Mapping[str, Mapping[str, Any]] = field(repr=False)


@cache
def lexicon(code: str) -> Lexicon:
    """The lexicon of a language, one of OTHERS."""
    file = resources.files("augmlx.augment.languages").joinpath(f"{code}.toml")
    content = tomllib.loads(file.read_text("utf-8"))
    words, labels = content.pop("words"), content.pop("labels")
    rows = [row.split() for row in words["scopes"]]
    return Lexicon(
        code=code,
        asking=tuple(words["asking"].split()),
        scopes={word: row[0] for row in rows for word in row},
        **{name: frozenset(words[name].split()) for name in _SETS},
        possessive=words["possessive"],
        cleft=words["cleft"],
        participle=words["participle"],
        what_does=words["what_does"],
        contracted=words.get("contracted", {}),
        fact=labels["fact"],
        question=labels["question"],
        answer=labels["answer"],
        operators=content,
    )
