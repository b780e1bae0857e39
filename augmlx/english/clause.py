"""A one-sentence statement, read once: who, does what, to what, where, when, how, under which
condition.

Every part is a whole phrase of the sentence as it stands ("25 days of paid leave per year"), so
that what is made of it never begins or ends within one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from augmlx.english.forms import is_known
from augmlx.english.lexicon import DETERMINERS, word_set
from augmlx.english.syntax import Token, parse
from augmlx.english.text import CACHED_TEXTS

Role = Literal["subject", "object", "attribute", "agent", "adjunct", "clause", "rest"]
Kind = Literal["person", "thing", "time", "duration", "place", "amount", "reason", "condition", "purpose", "manner", "unknown"]  # fmt: skip

_OBJECTS = {"dobj", "obj"}
_PASSIVE = {"nsubjpass", "csubjpass"}
_SUBJECTS = {"nsubj", "csubj", *_PASSIVE}
_HELPERS = {"aux", "auxpass", "neg"}
_ATTRIBUTES = {"attr", "acomp", "oprd"}
_CLAUSES = {"advcl", "ccomp", "xcomp"}
_ADJUNCTS = {"prep", "npadvmod", "advmod", "dative"}


class Phrase(NamedTuple):
    """A part of a clause.

    Attributes:
        text: as it stands, without the punctuation around it.
        start, end: where it stands in the sentence.
        role: what it is to the verb.
        kind: what it names, as far as that can be told.
        preposition: what opens it ("in", "if"), or "".
        noun: it without its preposition.
        head: the place of its head among the tokens of the sentence.
    """

    text: str
    start: int
    end: int
    role: Role
    kind: Kind
    preposition: str
    noun: str
    head: int
    label: str


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement, or an instruction where it has no subject.

    Attributes:
        subject: whom or what it is about; None in an instruction.
        verb: the first form of its main verb.
        tag: Penn's tag of the main verb as it stands.
        helpers: the auxiliaries and "not", as they stand.
        particle: of a phrasal verb, or an object that is part of the verb ("take place").
        complements: what follows the verb, in order.
        fronted: what stands before the subject, in order.
        passive: the subject is what something is done to.
        coordinated: it goes on with a second verb.
    """

    text: str
    tokens: tuple[Token, ...]
    root: int
    subject: Phrase | None
    verb: str
    tag: str
    helpers: tuple[str, ...]
    particle: str
    complements: tuple[Phrase, ...]
    fronted: tuple[Phrase, ...]
    passive: bool
    coordinated: bool
    stop: str

    @property
    def negated(self) -> bool:
        return any(word in ("not", "n't", "never") for word in self.helpers)

    @property
    def object(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "object"), None)

    @property
    def agent(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "agent"), None)


@lru_cache(maxsize=CACHED_TEXTS)
def read(text: str) -> Clause | None:
    """A one-sentence statement as a clause; None where it has no finite verb that can be found."""
    tokens = parse(text)
    if not any(char.isalpha() for char in text):
        return None
    roots = [n for n, token in enumerate(tokens) if token.dep == "ROOT"]
    if len(roots) != 1 or not tokens[roots[0]].is_verb:
        return None
    root = roots[0]
    children = [n for n, token in enumerate(tokens) if token.head == root and n != root]
    subjects = [n for n in children if tokens[n].dep in _SUBJECTS and n < root]
    expletive = next((n for n in children if tokens[n].dep == "expl" and n < root), None)
    if len(subjects) > 1 or (expletive is not None and subjects):
        return None
    if expletive is not None:
        subjects = [expletive]
    if not subjects and tokens[root].tag not in ("VB", "VBP"):
        return None
    if any(token.text in (":", ";") for token in tokens):
        return None
    subject = _phrase(tokens, subjects[0], "subject") if subjects else None
    if subject is None and not _opens_an_instruction(tokens, root):
        return None
    if subject and not _agrees(tokens, subject, root):
        return None
    helpers = [n for n in children if tokens[n].dep in _HELPERS]
    particles = [n for n in children if tokens[n].dep == "prt" or _is_light(tokens, n)]
    below = [n for n, token in enumerate(tokens) if token.head in particles and token.dep == "prep"]
    parts = [
        _phrase(tokens, n, _role(tokens, n))
        for n in (*children, *below)
        if n not in particles and n not in helpers and tokens[n].dep in _PARTS
    ]
    parts = _joined(tokens, [part for part in _apart(tokens, parts) if part.text])
    before = subject.start if subject else min(tokens[n].start for n in (root, *helpers))
    clause = Clause(
        text=text,
        tokens=tokens,
        root=root,
        subject=subject,
        verb=tokens[root].lemma,
        tag=tokens[root].tag,
        helpers=tuple(tokens[n].text for n in helpers),
        particle=" ".join(tokens[n].text for n in particles),
        complements=tuple(part for part in parts if part.start > tokens[root].start),
        fronted=tuple(part for part in parts if part.end <= before),
        passive=bool(subjects) and tokens[subjects[0]].dep in _PASSIVE,
        coordinated=any(tokens[n].dep in ("conj", "cc") for n in children)
        or _hides_a_verb(tokens, root),
        stop=text.rstrip()[-1] if text.rstrip()[-1:] in ".!" else "",
    )
    verb = {root, *helpers, *particles}
    return clause if clause.coordinated or _is_whole(clause, verb) else None


_PARTS = _OBJECTS | _ATTRIBUTES | _CLAUSES | _ADJUNCTS | {"agent"}


def _is_whole(clause: Clause, verb: set[int]) -> bool:
    """Whether every word of the sentence has been given its place, and none two."""
    parts = [*clause.complements, *clause.fronted]
    if clause.subject:
        parts.append(clause.subject)
    for n, token in enumerate(clause.tokens):
        holders = sum(part.start <= token.start < part.end for part in parts) + (n in verb)
        if holders != 1 and not (holders == 0 and token.dep == "punct"):
            return False
        is_odd = token.dep == "conj" and token.tag.startswith("N") and clause.tokens[token.head].tag == "CD"
        if is_odd:
            return False
    return not any(_is_stray(clause.tokens, part) for part in clause.complements)


def _is_stray(tokens: tuple[Token, ...], part: Phrase) -> bool:
    """Whether a part is a bare noun that must belong to another: "sold the Korko to him windmill"."""
    head = tokens[part.head]
    return head.dep in ("npadvmod", "oprd") and head.tag == "NN" and part.text.islower() and part.text.isalpha() and part.kind == "thing"


def _opens_an_instruction(tokens: tuple[Token, ...], root: int) -> bool:
    """Whether a verb without a subject stands first, or behind a comma."""
    first = min([root, *(n for n, token in enumerate(tokens) if token.head == root and token.dep in ("neg", "aux"))])
    return first == 0 or tokens[first - 1].text == ","


def _agrees(tokens: tuple[Token, ...], subject: Phrase, root: int) -> bool:
    """Whether the verb has the number of its subject, where both show it."""
    head, opening = tokens[subject.head], subject.text.split()[0].lower()
    is_one = head.tag == "NN" and opening in ("a", "an", "this", "each", "every")
    bare = not any(token.head == root and token.dep in ("aux", "auxpass") for token in tokens)
    return not (is_one and bare and tokens[root].tag == "VBP" and tokens[root].lemma != "be")


def _hides_a_verb(tokens: tuple[Token, ...], root: int) -> bool:
    """Whether a second verb was read as a noun: "flows through Brennick and empties into"."""
    return any(
        token.dep == "conj"
        and token.tag == "NNS"
        and tokens[token.head].tag == "NNP"
        and not any(other.head == n for n, other in enumerate(tokens))
        for n, token in enumerate(tokens)
    )


def lowered(phrase: Phrase, tokens: tuple[Token, ...]) -> str:
    """A phrase as it stands within a sentence: the capital of an opening word is taken off, unless
    it is a name's.
    """
    first = next(token for token in tokens if token.start >= phrase.start)
    return phrase.text if keeps_capital(first) else phrase.text[0].lower() + phrase.text[1:]


def keeps_capital(first: Token) -> bool:
    word = first.text.split()[0]
    if word.lower() in DETERMINERS:
        return False
    is_noun = first.start == 0 and not first.entity and " " not in first.text
    if is_noun and first.dep in _SUBJECTS and first.tag == "NNP" and is_known(word.lower()):
        return False
    if word == "I" or not word[:1].isupper() or sum(map(str.isupper, word)) > 1:
        return True
    if first.tag in ("NNP", "NNPS"):
        return True
    if first.tag == "CD":
        return not is_known(word.lower())
    return first.tag not in ("DT", "PRP$", "PRP", "IN", "TO") and not is_known(word.lower())


def capitalised(text: str) -> str:
    """With a capital, where there is one."""
    return text[:1].upper() + text[1:] if len(text[:1].upper()) == 1 else text


def is_plural(phrase: Phrase, tokens: tuple[Token, ...]) -> bool:
    """Whether a phrase names several."""
    head = tokens[phrase.head]
    if phrase.kind == "amount" and (head.text == "%" or re.match(r"[€£$¥]", head.text)):
        return False
    if any(token.head == phrase.head and token.dep == "conj" for token in tokens):
        return True
    if head.text.lower() in ("they", "we", "you", "these", "those", "both"):
        return True
    return head.tag == "NNS" or (head.tag == "NNPS" and "the " in phrase.text.lower()[:4])


def _role(tokens: tuple[Token, ...], place: int) -> Role:
    dep = tokens[place].dep
    if dep in _OBJECTS:
        opens = tokens[_subtree(tokens, place)[0]]
        if opens.dep == "quantmod" and opens.text.lower() not in ("between", "from"):
            return "object"
        if opens.text.lower() in ("every", "each") and _DURATION.search(tokens[place].text):
            return "adjunct"
        return "adjunct" if opens.tag in ("IN", "TO") and opens.text[0].islower() else "object"
    if dep in _ATTRIBUTES:
        return "attribute"
    if dep == "agent":
        inner = [token for token in tokens if token.head == place and token.dep == "pobj"]
        bare = inner and inner[0].tag == "NN" and not any(t.head == tokens.index(inner[0]) for t in tokens)
        return "adjunct" if bare else "agent"
    if dep in _CLAUSES:
        return "clause"
    return "adjunct"


def _phrase(tokens: tuple[Token, ...], place: int, role: Role) -> Phrase:
    """The phrase of a token: everything that depends on it."""
    members = _subtree(tokens, place)
    return _made(tokens, members, place, role)


def _made(tokens: tuple[Token, ...], members: list[int], place: int, role: Role) -> Phrase:
    while members and tokens[members[0]].dep == "punct" and tokens[members[0]].text in ",;:-":
        members = members[1:]
    while members and tokens[members[-1]].dep == "punct" and tokens[members[-1]].text in ",;:.!?-":
        members = members[:-1]
    if not members:
        return Phrase("", 0, 0, role, "unknown", "", "", place, "")
    start, end = tokens[members[0]].start, tokens[members[-1]].end
    preposition, head, noun_start = "", place, start
    token = tokens[place]
    if token.dep in ("prep", "agent", "dative") and token.tag in ("IN", "TO", "VBG"):
        inner = [n for n in members if tokens[n].head == place and n > place]
        if inner:
            preposition, head = token.text.lower(), inner[0]
            noun_start = tokens[min(n for n in members if n > place)].start
            lead = [n for n in members if n < place]
            if lead:
                noun_start = start
                preposition = ""
    elif role == "adjunct" and token.dep in _OBJECTS:
        preposition = tokens[members[0]].text.lower()
        noun_start = tokens[members[1]].start
    elif token.dep in ("advcl", "ccomp"):
        mark = next((n for n in members if tokens[n].dep in ("mark", "advmod") and tokens[n].head == place), None)
        if mark is not None and mark == members[0]:
            preposition, noun_start = tokens[mark].text.lower(), tokens[mark].end + 1
    source = "".join(_between(tokens, members))
    noun = source[noun_start - start :]
    kind = _kind(tokens, members, head, preposition, token)
    return Phrase(source, start, end, role, kind, preposition, noun, head, tokens[head].entity)


def _between(tokens: tuple[Token, ...], members: list[int]) -> list[str]:
    """The text of neighbouring tokens with the spaces that stand between them."""
    parts: list[str] = []
    for n in range(members[0], members[-1] + 1):
        token = tokens[n]
        parts.append(token.text)
        if n < members[-1]:
            parts.append(" " * (tokens[n + 1].start - token.end))
    return parts


def _subtree(tokens: tuple[Token, ...], place: int) -> list[int]:
    """The tokens from the first to the last that depend on one."""
    members = {place}
    grown = True
    while grown:
        more = {n for n, token in enumerate(tokens) if token.head in members} - members
        members |= more
        grown = bool(more)
    return list(range(min(members), max(members) + 1))


def _is_light(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether an object is part of its verb: "takes place"."""
    token = tokens[place]
    alone = not any(other.head == place for n, other in enumerate(tokens) if n != place)
    return token.dep in _OBJECTS and alone and token.lemma in ("place", "part", "care", "effect")


def _apart(tokens: tuple[Token, ...], parts: list[Phrase]) -> list[Phrase]:
    """Phrases that do not overlap, and a time that closes an object or place as one by itself."""
    split: list[Phrase] = []
    for part in parts:
        split += _without_tail(tokens, part)
    return sorted(split, key=lambda part: part.start)


def _joined(tokens: tuple[Token, ...], parts: list[Phrase]) -> list[Phrase]:
    """Phrases of which none is a bare number, or noun, that belongs to the one before: "children
    under 12".
    """
    joined: list[Phrase] = []
    for part in parts:
        bare = part.preposition and tokens[part.head].tag == "CD" and part.noun.isdigit()
        if bare and part.kind != "time" and joined and joined[-1].end + 1 == part.start:
            before = joined.pop()
            longer = f"{before.text} {part.text}"
            noun = f"{before.noun} {part.text}"
            part = before._replace(text=longer, end=part.end, noun=noun)
        if joined and _is_cut_off(tokens, joined[-1], part):
            before = joined.pop()
            longer = f"{before.text} {part.text}"
            noun = f"{before.noun} {part.text}"
            part = before._replace(text=longer, end=part.end, noun=noun, head=part.head)
        joined.append(part)
    return joined


def _is_cut_off(tokens: tuple[Token, ...], before: Phrase, part: Phrase) -> bool:
    """Whether a bare noun is the end of the name before it: "the Geris | ferry"."""
    is_bare = part.text.isalpha() and part.text.islower() and tokens[part.head].tag in ("NN", "NNS")
    is_name = before.text.lower().startswith("the ") and tokens[before.head].tag in ("NNP", "NNPS")
    return is_bare and is_name and before.end + 1 == part.start and part.kind != "time"


_SPLITS = {"in", "on", "at", "during", "since", "until", "by", "from", "between", "after", "before", "with", "to", "for", "per"}


def _without_tail(tokens: tuple[Token, ...], part: Phrase) -> list[Phrase]:
    """A part, and the prepositional phrase that closes it where that says when."""
    if part.role not in ("object", "adjunct", "agent", "attribute"):
        return [part]
    inside = [n for n, token in enumerate(tokens) if part.start <= token.start < part.end]
    tails = [
        n
        for n in inside
        if tokens[n].dep == "prep"
        and tokens[n].start > part.start
        and _subtree(tokens, n)[-1] == inside[-1]
        and _splits_off(tokens, n, part)
    ]
    if not tails or tokens[tails[0] - 1].dep in ("det", "prep"):
        return [part]
    first = tails[0]
    kept = [n for n in inside if n < first]
    origin = next((n for n in inside if tokens[n].head not in inside), part.head)
    return [
        _made(tokens, kept, origin, part.role),
        *_without_tail(tokens, _made(tokens, _subtree(tokens, first), first, "adjunct")),
    ]


def _splits_off(tokens: tuple[Token, ...], place: int, part: Phrase) -> bool:
    """Whether a prepositional phrase is the verb's and not the noun's before it."""
    preposition = tokens[place].text.lower()
    verb = next((token.lemma for token in tokens if token.dep == "ROOT"), "")
    if preposition == "of":
        return part.role == "object" and verb in word_set("of_verbs")
    if preposition == "over":
        return part.role == "object" and verb in ("choose", "prefer", "pick", "favour", "favor")
    if preposition == "to":
        return part.role == "object" and verb in word_set("giving_verbs")
    if preposition == "from":
        return part.role == "object" and verb in word_set("taking_verbs")
    if preposition not in _SPLITS:
        return False
    return _made(tokens, _subtree(tokens, place), place, "adjunct").kind == "time"


_TIME_WORD = re.compile(
    r"\b(?:1[0-9]{3}|20[0-9]{2}|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|morning|afternoon|evening"
    r"|night|noon|midnight|spring|summer|autumn|winter|quarter|century|decade|today|tomorrow|yesterday"
    r"|a\.m\.|p\.m\.|am|pm|o'clock|\d{1,2}:\d{2}|q[1-4]|weekdays?|weekends?)(?!\w)",
    re.IGNORECASE,
)
_PERSON = re.compile(r"(?:keeper|maker|holder|master|man|woman|monger|smith|wright|eer|ologist|arsonist|player)$")
_DURATION = re.compile(
    r"\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?)$", re.IGNORECASE
)


def _kind(
    tokens: tuple[Token, ...], members: list[int], head: int, preposition: str, top: Token
) -> Kind:
    text = "".join(_between(tokens, members))
    if top.dep in _CLAUSES:
        return _kind_of_clause(preposition, text) if top.dep == "advcl" else "unknown"
    noun = tokens[head]
    if preposition == "by" and noun.tag == "NN" and head == members[-1] == members[0] + 1:
        return "manner"
    if re.search(r"[\"“/~\\]", noun.text):
        return "place" if "/" in noun.text and preposition in ("in", "to", "at", "from") else "thing"
    if preposition in ("because", "due") or text.lower().startswith(("because of", "due to", "owing to")):
        return "reason"
    opening = tokens[members[0]]
    quantity = any(token.head == head and token.dep == "nummod" for token in tokens)
    quantity = quantity and opening.tag not in ("DT", "PRP$", "NNP") and top.dep not in _SUBJECTS
    if opening.text.lower() in ("every", "each") and _DURATION.search(noun.text):
        return "time"
    if _DURATION.search(noun.text) and noun.entity in ("DATE", "TIME", "") and quantity:
        return "time" if preposition in ("in", "within", "after", "before", "until") else "duration"
    is_temporal = _TIME_WORD.search(text) and preposition in (
        "in", "on", "at", "until", "till", "since", "by", "before", "after", "from", "during",
        "between", "", "every", "through", "around",
    )  # fmt: skip
    if is_temporal and (noun.entity in ("DATE", "TIME") or _TIME_WORD.search(noun.text)):
        return "time"
    if noun.entity in ("MONEY", "PERCENT", "QUANTITY") and opening.tag != "DT" or (quantity and noun.tag in ("NNS", "NN")):
        return "amount"
    if re.match(r"[€£$¥]", noun.text) or noun.text == "%":
        return "amount"
    if preposition in word_set("placing") and _is_place(noun, top, tokens, members):
        return "place"
    return _who_or_what(tokens, members, head, top, preposition)


def _kind_of_clause(mark: str, text: str) -> Kind:
    if mark in ("because", "since", "as"):
        return "reason"
    if mark in ("if", "when", "unless", "once", "whenever", "while", "after", "before", "until"):
        return "condition"
    return "purpose" if text.lower().startswith(("to ", "in order to ")) else "unknown"


def _is_place(noun: Token, top: Token, tokens: tuple[Token, ...], members: list[int]) -> bool:
    """Whether something is or happens there, as far as the verb or the name tell."""
    names = {tokens[n].text.lower().rstrip(".") for n in members}
    if names & word_set("organisations") - word_set("places"):
        return False
    if noun.entity in ("GPE", "LOC", "FAC") or names & word_set("places"):
        return noun.tag.startswith("N")
    verb = tokens[top.head]
    if verb.lemma == "be" and noun.tag in ("NNP", "NNPS"):
        return True
    return verb.lemma in word_set("placing_verbs_first") and noun.tag.startswith("N")


def _who_or_what(
    tokens: tuple[Token, ...], members: list[int], head: int, top: Token, preposition: str
) -> Kind:
    noun = tokens[head]
    inside = [tokens[n] for n in members]
    if len(inside) == 1 and noun.start == 0 and is_known(noun.text.lower()) and noun.tag != "PRP":
        if noun.entity not in ("PERSON", "GPE", "ORG"):
            spoken = {noun.lemma, noun.text.lower()}
            return "person" if spoken & word_set("people") else "thing"
    if noun.tag == "PRP":
        return "person" if noun.lemma in ("he", "she", "we", "i", "who") else "unknown"
    if noun.tag in ("NN", "NNS"):
        spoken = {noun.lemma, noun.text.lower()}
        is_person = spoken & word_set("people") or _PERSON.search(noun.lemma)
        return "person" if is_person else "thing"
    if noun.tag in ("NNP", "NNPS"):
        own = [
            word
            for word in inside
            if word is noun or (tokens[word.head] is noun and word.dep in ("compound", "nmod", "amod"))
            or (word.dep == "compound" and word.tag in ("NNP", "NN") and word.text[:1].isupper())
        ]
        words = [word for word in inside if tokens[word.head] is noun]
        determined = any(word.dep in ("det", "poss") for word in words)
        numbered = any(re.search(r"\d", word.text) for word in words)
        verb = next((token.lemma for token in tokens if token.dep == "ROOT"), "")
        acts = top.dep in ("nsubj", "agent") and verb in word_set("agentive_verbs")
        return _kind_of_name(own, determined or numbered, acts, preposition)
    return "thing" if noun.tag in ("VBG", "CD") or "&" in noun.text else "unknown"


def _kind_of_name(names: list[Token], marked: bool, acts: bool, preposition: str) -> Kind:
    """What a name is the name of.

    Args:
        marked: it has an article or a number.
        acts: it does what a person does.
    """
    texts = {name.text.lower().rstrip(".") for name in names}
    if texts & word_set("titles") and len(names) > 1:
        return "person"
    is_code = any(
        not name.text[1:].replace("-", "").replace("'", "").replace("’", "").replace(".", "").islower()
        and len(name.text) > 2 and not re.match(r"(?:Mc|Mac|O'|O’|De|Van|La|Le)[A-Z]|[A-Z][a-z]+-[A-Z][a-z]+$", name.text)
        for name in names
    )
    if marked or "&" in texts or texts & word_set("organisations") or is_code:
        return "thing"
    labels = {name.entity for name in names}
    if any(name.tag == "NNPS" and is_known(name.text.lower()) for name in names):
        return "thing"
    if len(names) == 1:
        if acts and labels & {"PERSON", "ORG", "", "GPE"}:
            return "person"
        if labels & {"GPE", "LOC", "FAC", "PRODUCT", "WORK_OF_ART", "EVENT", "NORP", "LANGUAGE", "LAW"}:
            return "thing"
        return "unknown"
    if "PERSON" in labels or acts:
        return "person"
    if labels & {"PRODUCT", "FAC", "EVENT", "GPE", "LOC", "WORK_OF_ART"}:
        return "thing"
    return "person" if preposition in ("", "by") and len(names) <= 4 else "unknown"
