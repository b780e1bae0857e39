"""Is a text a right example of its operator? The judge of bench_quality.py: it knows the world's
grammar and nothing of augmlx's filters. What it cannot read counts as wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from quality_logic import follows, read
from quality_world import WorldFact, singular

_MACROS = {  # name -> (of an event, of a state); what stands behind ~ moves the tense
    "cop": ("was|is", "is~was|had been|has been"),
    "be": ("were|was", "are|is~were|was"),
    "pas": ("was|has been|had been|were~is|are|is being", "is|are~was|were|has been|is being"),
    "has": ("has|had", "has|have|holds|hold~had|held"),
    "did": ("did|had|has~does", "does|do~did"),
}
# "Ana is the one who owns Zorb" says that Ana owns Zorb.
_ONE = "one|person|thing|place|company|group|organi[sz]ation|work|man or woman"


_THE_ONE = re.compile(
    rf" (?:is|was|are|were) the (?:{_ONE}|ones) (?:who|that|which) (?=is |was |are |were |\w+s )"
)


def _macro(found: re.Match[str], event: bool, loose: bool) -> str:
    name = found[1]
    if name == "one":
        return f"(?:{_ONE})"
    if name == "that":
        return "(?:who|that|which)"
    if name.startswith("v:"):
        present, past, participle = name[2:].split("/")
        going = f"(?:is|are) {_plural(present).rstrip('e')}\\w?ing"
        told, moved = f"{past}|(?:has|had|have) {participle}", f"{present}|{_plural(present)}"
        strict, other = (told, moved) if event else (f"{moved}|{going}", told)
        return f"(?:{strict}|{other})" if loose else f"(?:{strict})"
    strict, _, other = _MACROS[name][0 if event else 1].partition("~")
    return f"(?:{strict}|{other})" if loose and other else f"(?:{strict})"


def _plural(present: str) -> str:
    """ "precedes" -> "precede": the form that follows several."""
    head, *rest = present.split(" ", 1)
    return " ".join([re.sub(r"(?<=[xh])es$|(?<=i)es$|s$", "", head), *rest])


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a text is a right example of its operator, and what was found: "right", "tense"
    (right, but the time has moved), "side" (true, begins with the wrong argument), "swapped",
    "copy" or "unparsed".
    """

    right: bool
    note: str


@cache
def _pattern(fact: WorldFact, loose: bool) -> re.Pattern[str]:
    values = {slot: re.escape(name) for slot, name in zip("ABC", fact.arguments, strict=False)}
    values |= {
        f"{slot}sing": re.escape(singular(n))
        for slot, n in zip("ABC", fact.arguments, strict=False)
    }
    made = []
    for truth in fact.relation.truths:
        spelt = re.sub(
            r"<([^<>]+)>", lambda found: _macro(found, fact.relation.event, loose), truth
        )
        spelt = re.sub(
            r"\b[ABC](sing)?\b",
            lambda found: values[found.group()],
            spelt.replace("{w}", fact.word),
        )
        made.append(f"(?:{spelt})")
    return re.compile("|".join(made))


def tidy(text: str) -> str:
    """One space, straight quotes, no period at the end, contractions spelt out."""
    text = re.sub(r"\s+", " ", text.replace("’", "'")).strip()
    return re.sub(r"(?<=\w)n't\b", " not", re.sub(r"\.$", "", text))


def _variants(text: str, fact: WorldFact) -> set[str]:
    """The text as it may stand inside a sentence: its first letter small, a year left out. The
    capital that a name has where the source opens with it ("Glons", "The Kel mill") is no fault
    elsewhere.
    """
    text = tidy(text)
    for name in fact.arguments:
        text = text.replace(name[:1].upper() + name[1:], name)
    if fact.year:
        text = re.sub(rf"^In {fact.year},? | in {fact.year}\b", "", text)
    text = re.sub(r"(?<=s)'(?= )", "'s", text)
    text = _THE_ONE.sub(" ", text, count=1)
    return {text, text[:1].lower() + text[1:], text[:1].upper() + text[1:]}


def says(text: str, fact: WorldFact, *, loose: bool) -> bool:
    """Whether the text says the fact, in any wording that its relation has; `loose`: in another
    tense, too.
    """
    return any(_pattern(fact, loose).fullmatch(variant) for variant in _variants(text, fact))


def opens_with(text: str, fact: WorldFact) -> str:
    """Which of the fact's arguments a text names first."""
    lower = text.lower()
    found = {
        a: lower.find(part)
        for a in fact.arguments
        for part in (a.lower(), singular(a).lower())
        if part in lower
    }
    return min(found, key=lambda a: found[a], default="")


def judge_statement(text: str, fact: WorldFact, *, turned: bool) -> Judgement:
    """A reversal (`turned`) begins with another argument than its source, a rephrasing with the
    same.
    """
    if tidy(text).lower() == tidy(fact.text).lower():
        return Judgement(False, "copy")
    strict = says(text, fact, loose=False)
    if strict or says(text, fact, loose=True):
        if (opens_with(text, fact) != opens_with(fact.text, fact)) != turned:
            return Judgement(False, "side")
        return Judgement(True, "right" if strict else "tense")
    if says(text, fact.swapped(), loose=True):
        return Judgement(False, "swapped")
    return Judgement(False, "unparsed")


# Questions: one is right if a sentence that it can be turned into, with the answer in the place of
# the question word, says the fact.

_ASKED = re.compile(
    r"question: (?P<question>.+\?)\s*answer: (?P<answer>.+)", re.IGNORECASE | re.DOTALL
)
_WH = re.compile(
    r"(?:(?P<preposition>in|at|to|from|by|for|after|of) )?(who|whom|whose|what|which|where|when)\b",
    re.IGNORECASE,
)
_MOVED = frozenset("is are was were has had can".split())
_DO = frozenset("do does did".split())
_OPEN = frozenset(
    "of in at to from by for after than as with the a an".split()
)  # something must follow these
_BASES = {  # verbs of the grammar that it spells without <v:...>
    "take place": "took place", "happen": "happened", "come": "came", "follow": "followed",
    "precede": "preceded", "lie": "lies", "live": "lives", "reside": "resides", "flow": "flows",
    "share": "shares", "belong": "belongs", "lose": "lost", "beat": "beat", "borrow": "borrowed",
    "receive": "received", "get": "got", "buy": "bought", "purchase": "purchased",
    "contain": "contains", "include": "includes", "have": "has", "establish": "established",
}  # fmt: skip


def judge_question(text: str, fact: WorldFact, *, turned: bool) -> Judgement:
    """A question and its answer, in two lines. The answer is one of the fact's arguments and does
    not stand in the question; a `turned` one asks for what the fact begins with, the others for
    something else.
    """
    found = _ASKED.fullmatch(text.strip())
    if not found:
        return Judgement(False, "unparsed")
    question, said = tidy(found["question"]).rstrip("?").strip(), tidy(found["answer"])
    said = re.sub(r"^(in|at|to|from|by|for|after) ", "", said, flags=re.IGNORECASE)
    question = re.sub(
        rf"(?i)^(?:what|who) (?:is|was) the name of the (?:{_ONE}) (?:who|that|which) ",
        "who ",
        question,
    )
    question = re.sub(r"(?i)^what (is|was) (.+)'s name$", r"who \1 \2", question)
    if fact.year and said == fact.year:
        years = (f"{declared} in {fact.year}" for declared in _declared(question, "\0", fact))
        right = any(says(d.replace("\0 ", "").replace(" \0", ""), fact, loose=True) for d in years)
        return Judgement(right and not turned, "right" if right else "unparsed")
    answer = next(
        (a for a in fact.arguments if _bare(a) == _bare(said)), said
    )  # or a description: "the head of ..."
    if _bare(answer) in question.lower():
        return Judgement(False, "given away")
    for loose in (False, True):
        if any(says(declared, fact, loose=loose) for declared in _declared(question, answer, fact)):
            if (opens_with(fact.text, fact) in answer) != turned:
                return Judgement(False, "side")
            return Judgement(True, "tense" if loose else "right")
    turned_round = fact.swapped()
    if any(
        says(declared, turned_round, loose=True) for declared in _declared(question, answer, fact)
    ):
        return Judgement(False, "swapped")
    return Judgement(False, "unparsed")


def _bare(name: str) -> str:
    return re.sub(r"^the ", "", name.lower())


@cache
def _declared(question: str, answer: str, fact: WorldFact) -> frozenset[str]:
    """Every sentence that the question may come from: the question word taken out, the auxiliary
    moved behind a name (or "did find" made "found"), the answer put into any gap.
    """
    found = _WH.match(question)
    if not found:
        return frozenset()
    said = f"{answer}'s" if found[2].lower() == "whose" else answer
    answers = [said, f"{(found['preposition'] or 'in').lower()} {said}"]
    tokens = question[found.end() :].split()
    if not tokens:
        return frozenset()
    made = set()
    for taken in range(min(4, len(tokens))):  # "which old mill", "whose mother"
        if taken and (
            tokens[taken - 1] in _MOVED | _DO or found[2].lower() not in ("which", "what", "whose")
        ):
            break
        kept = tokens[:taken] if found[2].lower() == "whose" else []
        for rest in _straightened(tokens[taken:], fact):
            for at in range(len(rest) + 1):
                for put in answers:
                    made.add(" ".join([*rest[:at], put, *kept, *rest[at:]]))
    return frozenset(made)


def _straightened(tokens: list[str], fact: WorldFact) -> Iterator[list[str]]:
    yield tokens
    first, rest = tokens[0], tokens[1:]
    if first in _MOVED:
        for at in range(len(rest) + 1):
            if not at or rest[at - 1] not in _OPEN:
                yield [*rest[:at], first, *rest[at:]]
    if first in _DO:
        text = " ".join(rest)
        for base, told in _bases(fact).items():
            if re.search(rf"\b{base}\b", text):
                yield re.sub(rf"\b{base}\b", told, text, count=1).split()


@cache
def _bases(fact: WorldFact) -> dict[str, str]:
    bases = dict(_BASES)
    for present, past in re.findall(r"<v:([^/<>]+)/([^/<>]+)/", " ".join(fact.relation.truths)):
        bases[_plural(present)] = past if fact.relation.event else present
    return bases


# Conclusions from one or two facts.


def judge_kinds(text: str, facts: Sequence[WorldFact], *, filled: bool) -> Judgement:
    """A statement about the kinds of one fact, or about the outer kinds of two, that holds in every
    model of them; `filled`: no kind is empty, so that "all" implies "some".
    """
    spoken = {name for fact in facts for name in fact.arguments}
    terms = {form.lower(): name for name in spoken for form in (name, singular(name))}
    given = [read(fact.text, terms) for fact in facts]
    said = read(text, terms)
    if said is None or any(one is None for one in given):
        return Judgement(False, "unparsed")
    premises = [one for one in given if one is not None]
    outer = (
        frozenset.symmetric_difference(*(p.terms for p in premises))
        if len(premises) > 1
        else premises[0].terms
    )
    if said in premises or said.terms != outer:
        return Judgement(False, "copy" if said in premises else "side")
    named = frozenset(name for name in spoken if name[0].isupper())
    right = follows(said, premises, named | (frozenset(spoken) if filled else frozenset()))
    return Judgement(right, "right" if right else "swapped")


_TRANSITIVE = frozenset(
    ["larger", "heavier", "older", "louder", "before", "preceded", "north of", "lies in", "part of"]
)


def judge_chain(text: str, facts: Sequence[WorldFact]) -> Judgement:
    """From "A before B" and "B before C" follows "A before C", and nothing from "A admires B" and
    "B admires C".
    """
    one, two = facts
    if one.relation != two.relation or one.relation.name not in _TRANSITIVE:
        return Judgement(False, "unparsed")
    first, second = (one, two) if one.arguments[-1] == two.arguments[0] else (two, one)
    whole = WorldFact(
        "", "", one.relation, (first.arguments[0], second.arguments[-1]), one.word, ""
    )
    if first.arguments[-1] != second.arguments[0]:
        return Judgement(False, "unparsed")
    right = says(text, whole, loose=True)
    return Judgement(
        right,
        "right" if right else "swapped" if says(text, whole.swapped(), loose=True) else "unparsed",
    )


def judge_bridge(text: str, facts: Sequence[WorldFact]) -> Judgement:
    """ "A ... B, which ...": each half says its fact, and the shared name stands once."""
    found = re.fullmatch(r"(?P<head>.+?),? (?:who|which|that|where|whom) (?P<tail>.+)", tidy(text))
    shared = set(facts[0].arguments) & set(facts[1].arguments)
    if not found or len(shared) != 1:
        return Judgement(False, "unparsed")
    name = shared.pop()
    for one, two in (facts, facts[::-1]):
        if says(found["head"], one, loose=True) and says(
            f"{name} {found['tail']}", two, loose=True
        ):
            return Judgement(True, "right")
    return Judgement(False, "unparsed")
