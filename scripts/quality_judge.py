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
# "It was Ana who owned Zorb" says that Ana owned Zorb.
_CLEFT = re.compile(
    r"[Ii]t (?P<be>is|was) (?P<focus>.+?) (?P<tie>who|whom|that|which) (?P<rest>.+)"
)


def _macro(name: str, event: bool, loose: bool) -> str:
    """The pattern behind a macro of a fact about an event or a state; `loose`: in any tense."""
    if name == "one":
        return f"(?:{_ONE})"
    if name == "that":
        return "(?:who|that|which)"
    if name.startswith("v:"):
        strict, moved = _verb_forms(name.removeprefix("v:"), event)
    else:
        of_event, of_state = _MACROS[name]
        strict, _, moved = (of_event if event else of_state).partition("~")
    if loose and moved:
        return f"(?:{strict}|{moved})"
    return f"(?:{strict})"


def _verb_forms(forms: str, event: bool) -> tuple[str, str]:
    """Patterns of "founds/founded/founded" in the tense of the fact, and in the other one."""
    present, past, participle = forms.split("/")
    several = _plural(present)
    now = f"{present}|{several}"
    before = f"{past}|(?:has|had|have) {participle}"
    if event:
        return before, now
    stem = several.rstrip("e")
    return f"{now}|(?:is|are) {stem}\\w?ing", before


def _plural(present: str) -> str:
    """ "precedes" -> "precede": the form that follows several."""
    head, *rest = present.split(" ", 1)
    plural_head = re.sub(r"(?<=[xh])es$|(?<=i)es$|s$", "", head)
    return " ".join([plural_head, *rest])


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
    """Of all the wordings that say the fact."""
    event = fact.relation.event
    values = {}
    for slot, name in zip("ABC", fact.arguments, strict=False):
        values[slot] = re.escape(name)
        values[f"{slot}sing"] = re.escape(singular(name))

    def spelt(truth: str) -> str:
        """Without macros, the names in their places."""
        plain = re.sub(r"<([^<>]+)>", lambda match: _macro(match[1], event, loose), truth)
        plain = plain.replace("{w}", fact.word)
        return re.sub(r"\b[ABC](sing)?\b", lambda match: values[match.group()], plain)

    wordings = [f"(?:{spelt(truth)})" for truth in fact.relation.truths]
    return re.compile("|".join(wordings))


def tidy(text: str) -> str:
    """One space, straight quotes, no period at the end, contractions spelt out."""
    text = text.replace("’", "'")
    text = re.sub(r"\s+", " ", text).strip()
    text = text.removesuffix(".")
    return re.sub(r"(?<=\w)n't\b", " not", text)


def _variants(text: str, fact: WorldFact) -> set[str]:
    """The text as it may stand inside a sentence: its first letter small, a year left out. The
    capital that a name has where the source opens with it ("Glons", "The Kel mill") is no fault
    elsewhere.
    """
    text = tidy(text)
    for name in fact.arguments:
        opening = name[:1].upper() + name[1:]
        text = text.replace(opening, name)
    if fact.year:
        text = re.sub(rf"^In {fact.year},? | in {fact.year}\b", "", text)
    text = re.sub(r"(?<=s)'(?= )", "'s", text)
    text = _THE_ONE.sub(" ", text, count=1)
    first, rest = text[:1], text[1:]
    return {text, first.lower() + rest, first.upper() + rest}


def says(text: str, fact: WorldFact, *, loose: bool) -> bool:
    """Whether the text says the fact, in any wording that its relation has; `loose`: in another
    tense, too.
    """
    pattern = _pattern(fact, loose)
    for sentence in (text, *_put_back(text, fact, loose=loose)):
        if any(pattern.fullmatch(variant) for variant in _variants(sentence, fact)):
            return True
    return False


def _put_back(text: str, fact: WorldFact, *, loose: bool) -> Iterator[str]:
    """The sentences that "It is ... who ..." may come from: the name that is singled out in any gap
    of the rest. Nobody is "which", nothing is "who"; of a state "it was" tells of another time.
    """
    match = _CLEFT.fullmatch(tidy(text))
    if match is None or (match["be"] == "was" and not fact.relation.event and not loose):
        return
    words = match["rest"].split()
    if fact.year and match["focus"] == f"in {fact.year}" and match["tie"] == "that":
        yield match["rest"]
    for name, kind in zip(fact.arguments, fact.relation.kinds, strict=False):
        ties = ("who", "whom", "that") if kind == "p" else ("that", "which")
        if match["focus"] == name and match["tie"] in ties:
            for place in range(len(words) + 1):
                yield " ".join([*words[:place], name, *words[place:]])


def opens_with(text: str, fact: WorldFact) -> str:
    """Which of the fact's arguments a text names first."""
    lower = text.lower()
    places = {}
    for argument in fact.arguments:
        for form in (argument, singular(argument)):
            place = lower.find(form.lower())
            if place >= 0:
                places[argument] = place
    return min(places, key=lambda argument: places[argument], default="")


def judge_statement(text: str, fact: WorldFact, *, turned: bool) -> Judgement:
    """A reversal (`turned`) begins with another argument than its source, a rephrasing with the
    same.
    """
    if tidy(text).lower() == tidy(fact.text).lower():
        return Judgement(False, "copy")
    if says(text, fact, loose=True):
        is_turned = opens_with(text, fact) != opens_with(fact.text, fact)
        if is_turned != turned:
            return Judgement(False, "side")
        same_tense = says(text, fact, loose=False)
        return Judgement(True, "right" if same_tense else "tense")
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
# Something must follow these.
_OPEN = frozenset("of in at to from by for after than as with the a an".split())
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
    match = _ASKED.fullmatch(text.strip())
    if not match:
        return Judgement(False, "unparsed")
    question = _plain_question(match["question"])
    answer = re.sub(r"(?i)^(in|at|to|from|by|for|after) ", "", tidy(match["answer"]))
    if fact.year and answer == fact.year:
        right = _asks_for_year(question, fact)
        return Judgement(right and not turned, "right" if right else "unparsed")
    # Another answer may be a description: "the head of ...".
    named = [argument for argument in fact.arguments if _bare(argument) == _bare(answer)]
    if named:
        answer = named[0]
    if _bare(answer) in question.lower():
        return Judgement(False, "given away")
    sentences = _declared(question, answer, fact)
    for loose in (False, True):
        if any(says(sentence, fact, loose=loose) for sentence in sentences):
            asks_for_opening = opens_with(fact.text, fact) in answer
            if asks_for_opening != turned:
                return Judgement(False, "side")
            return Judgement(True, "tense" if loose else "right")
    swapped = fact.swapped()
    if any(says(sentence, swapped, loose=True) for sentence in sentences):
        return Judgement(False, "swapped")
    return Judgement(False, "unparsed")


def _plain_question(text: str) -> str:
    """Without "the name of": "What is Ana's name" asks who she is."""
    question = tidy(text).rstrip("?").strip()
    named = rf"(?i)^(?:what|who) (?:is|was) the name of the (?:{_ONE}) (?:who|that|which) "
    question = re.sub(named, "who ", question)
    return re.sub(r"(?i)^what (is|was) (.+)'s name$", r"who \1 \2", question)


def _asks_for_year(question: str, fact: WorldFact) -> bool:
    """Whether the sentence that the question may come from says the fact, its year behind it."""
    for declared in _declared(question, "\0", fact):
        sentence = f"{declared} in {fact.year}".replace("\0 ", "").replace(" \0", "")
        if says(sentence, fact, loose=True):
            return True
    return False


def _bare(name: str) -> str:
    """A name in small letters, without its article."""
    return name.lower().removeprefix("the ")


@cache
def _declared(question: str, answer: str, fact: WorldFact) -> frozenset[str]:
    """Every sentence that the question may come from: the question word taken out, the auxiliary
    moved behind a name (or "did find" made "found"), the answer put into any gap.
    """
    match = _WH.match(question)
    if not match:
        return frozenset()
    word = match[2].lower()
    preposition = (match["preposition"] or "in").lower()
    put = f"{answer}'s" if word == "whose" else answer
    tokens = question[match.end() :].split()
    sentences = set()
    for taken in _words_of_what_is_asked(word, tokens):
        kept = tokens[:taken] if word == "whose" else []
        for rest in _straightened(tokens[taken:], fact):
            for place in range(len(rest) + 1):
                before, after = rest[:place], rest[place:]
                for gap in (put, f"{preposition} {put}"):
                    sentences.add(" ".join([*before, gap, *kept, *after]))
    return frozenset(sentences)


def _words_of_what_is_asked(word: str, tokens: list[str]) -> Iterator[int]:
    """How many words may belong to the question word: "which old mill", "whose mother"."""
    for taken in range(min(4, len(tokens))):
        if taken:
            is_auxiliary = tokens[taken - 1] in _MOVED | _DO
            if is_auxiliary or word not in ("which", "what", "whose"):
                return
        yield taken


def _straightened(tokens: list[str], fact: WorldFact) -> Iterator[list[str]]:
    """The words of a question in the order of a statement, in every way there may be."""
    yield tokens
    first, rest = tokens[0], tokens[1:]
    if first in _MOVED:
        for place in range(len(rest) + 1):
            if place == 0 or rest[place - 1] not in _OPEN:
                yield [*rest[:place], first, *rest[place:]]
    if first in _DO:
        text = " ".join(rest)
        for base, finite in _bases(fact).items():
            if re.search(rf"\b{base}\b", text):
                statement = re.sub(rf"\b{base}\b", finite, text, count=1)
                yield statement.split()


@cache
def _bases(fact: WorldFact) -> dict[str, str]:
    """A verb behind "do" -> its form in a statement of the fact."""
    bases = dict(_BASES)
    truths = " ".join(fact.relation.truths)
    for present, past in re.findall(r"<v:([^/<>]+)/([^/<>]+)/", truths):
        bases[_plural(present)] = past if fact.relation.event else present
    return bases


# Conclusions from one or two facts.


def judge_kinds(text: str, facts: Sequence[WorldFact], *, filled: bool) -> Judgement:
    """A statement about the kinds of one fact, or about the outer kinds of two, that holds in every
    model of them; `filled`: no kind is empty, so that "all" implies "some".
    """
    names = {name for fact in facts for name in fact.arguments}
    terms = {}
    for name in names:
        terms[name.lower()] = name
        terms[singular(name).lower()] = name
    conclusion = read(text, terms)
    premises = []
    for fact in facts:
        premise = read(fact.text, terms)
        if premise is None:
            return Judgement(False, "unparsed")
        premises.append(premise)
    if conclusion is None:
        return Judgement(False, "unparsed")
    if conclusion in premises:
        return Judgement(False, "copy")
    outer = premises[0].terms
    for premise in premises[1:]:
        outer ^= premise.terms
    if conclusion.terms != outer:
        return Judgement(False, "side")
    with_members = {name for name in names if filled or name[0].isupper()}
    right = follows(conclusion, premises, frozenset(with_members))
    return Judgement(right, "right" if right else "swapped")


_TRANSITIVE = frozenset(
    ["larger", "heavier", "older", "louder", "before", "preceded", "north of", "lies in", "part of"]
)


def judge_chain(text: str, facts: Sequence[WorldFact]) -> Judgement:
    """From "A before B" and "B before C" follows "A before C", and nothing from "A admires B" and
    "B admires C".
    """
    first, second = facts
    relation = first.relation
    if relation != second.relation or relation.name not in _TRANSITIVE:
        return Judgement(False, "unparsed")
    if first.arguments[-1] != second.arguments[0]:
        first, second = second, first
    if first.arguments[-1] != second.arguments[0]:
        return Judgement(False, "unparsed")
    ends = (first.arguments[0], second.arguments[-1])
    # The word of the first of the facts as they came.
    whole = WorldFact("", "", relation, ends, facts[0].word, "")
    if says(text, whole, loose=True):
        return Judgement(True, "right")
    if says(text, whole.swapped(), loose=True):
        return Judgement(False, "swapped")
    return Judgement(False, "unparsed")


def judge_bridge(text: str, facts: Sequence[WorldFact]) -> Judgement:
    """ "A ... B, which ...": each half says its fact, and the shared name stands once."""
    pattern = r"(?P<head>.+?),? (?:who|which|that|where|whom) (?P<tail>.+)"
    match = re.fullmatch(pattern, tidy(text))
    shared = set(facts[0].arguments) & set(facts[1].arguments)
    if not match or len(shared) != 1:
        return Judgement(False, "unparsed")
    name = shared.pop()
    relative = f"{name} {match['tail']}"
    for head_fact, tail_fact in (facts, facts[::-1]):
        says_head = says(match["head"], head_fact, loose=True)
        if says_head and says(relative, tail_fact, loose=True):
            return Judgement(True, "right")
    return Judgement(False, "unparsed")
