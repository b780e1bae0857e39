"""A one-sentence statement, read once: who, does what, to what, where, when, how, under which
condition.

Every part is a whole phrase of the sentence as it stands ("25 days of paid leave per year"), so
that what is made of it never begins or ends within one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from augmlx.english.clauses import phrase as phrases
from augmlx.english.clauses.forms import is_known, is_plural_noun, is_verb
from augmlx.english.clauses.naming import kind_of
from augmlx.english.clauses.phrase import (
    ATTRIBUTES,
    CLAUSES,
    OBJECTS,
    PARTS,
    SUBJECTS,
    Phrase,
    Role,
    Span,
    Tokens,
    children,
    span_between,
    span_of,
    subtree,
)
from augmlx.english.clauses.tokens import parse
from augmlx.english.lexicon import word_set
from augmlx.english.text import CACHED_TEXTS

_HELPERS = {"aux", "auxpass", "neg"}
_NEGATIONS = ("not", "never", "n't", "n’t")


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement, or an instruction where it has no subject.

    Attributes:
        text: the sentence.
        tokens: its words.
        subject: whom or what it is about; None in an instruction.
        root: the place of its main verb.
        helpers: the auxiliaries and "not", as they stand.
        particle: of a phrasal verb, or an object that is part of the verb ("take place").
        complements: what follows the verb, in order.
        fronted: what stands before the subject, in order.
        passive: its subject is what something is done to.
        coordinated: it goes on with a second verb.
    """

    text: str
    tokens: Tokens
    subject: Phrase | None
    root: int
    helpers: tuple[str, ...]
    particle: str
    complements: tuple[Phrase, ...]
    fronted: tuple[Phrase, ...]
    passive: bool
    coordinated: bool

    @property
    def verb(self) -> str:
        """The first form of the main verb."""
        return self.tokens[self.root].lemma

    @property
    def tag(self) -> str:
        """Penn's tag of the main verb as it stands."""
        return self.tokens[self.root].tag

    @property
    def verb_text(self) -> str:
        """The main verb as it stands."""
        return self.tokens[self.root].text

    @property
    def negations(self) -> list[str]:
        """ "not" and "never" beside the verb, in lower case."""
        return [word.lower() for word in self.helpers if word.lower() in _NEGATIONS]

    @property
    def auxiliaries(self) -> list[str]:
        """The auxiliaries, in lower case."""
        return [word.lower() for word in self.helpers if word.lower() not in _NEGATIONS]

    @property
    def group(self) -> list[str]:
        """The words of the verb in their order: "may not be", "opened up", "is not"."""
        words = [*self.helpers, self.verb_text]
        if self.verb == "be" and not self.auxiliaries:
            words = [self.verb_text, *self.helpers]
        return [*words, self.particle] if self.particle else words

    @property
    def parts(self) -> tuple[Phrase, ...]:
        """All but subject and verb: what follows, then what stands first."""
        return (*self.complements, *self.fronted)

    @property
    def object(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "object"), None)

    @property
    def agent(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "agent"), None)

    @property
    def attribute(self) -> Phrase | None:
        return next((part for part in self.complements if part.role == "attribute"), None)

    @property
    def is_past(self) -> bool:
        is_simple = self.tag == "VBD" or (self.tag == "VBN" and not self.auxiliaries)
        return is_simple or bool({"was", "were", "did", "had"} & set(self.auxiliaries))

    @property
    def is_present(self) -> bool:
        """Whether it is plainly of now: "has built" is of both."""
        first = self.auxiliaries[0] if self.auxiliaries else ""
        return first in ("is", "are", "am", "does", "do") or (
            not first and self.tag in ("VBZ", "VBP")
        )

    @property
    def tells_of_existence(self) -> bool:
        """Whether its subject is the "there" of "There are three lakes"."""
        return self.subject is not None and self.subject.text.lower() == "there"

    @property
    def is_set_off(self) -> bool:
        """Whether something stands apart from it: "Unlike the other gate,"."""
        return any(part.preposition in word_set("set_off") for part in self.parts)

    @property
    def has_second_subject(self) -> bool:
        """Whether it goes on with a second verb that has a subject of its own."""
        seconds = [n for n in children(self.tokens, self.root) if self.tokens[n].dep == "conj"]
        below = [self.tokens[n] for second in seconds for n in children(self.tokens, second)]
        return any(token.dep in SUBJECTS for token in below)

    @property
    def stop(self) -> str:
        """The mark that ends the sentence, or ""."""
        last = self.text.rstrip()[-1:]
        return last if last in (".", "!") else ""

    def others(self, moved: Phrase) -> list[Phrase]:
        """Every part but one."""
        return [part for part in self.parts if part != moved]

    def follows(self, part: Phrase, *, before: Phrase) -> bool:
        """Whether a part stands between the verb and another."""
        return part in self.complements and part.start < before.start

    def lowered(self, part: Phrase) -> str:
        """A part as it stands within a sentence."""
        return phrases.lowered(part, self.tokens)

    def is_plural(self, part: Phrase) -> bool:
        """Whether a part names several."""
        return phrases.is_plural(part, self.tokens)

    def leaves_number_open(self, part: Phrase) -> bool:
        """Whether a part may name one or several: "the Kendal Kites"."""
        return phrases.leaves_its_number_open(part, self.tokens)


@lru_cache(maxsize=CACHED_TEXTS)
def read(text: str) -> Clause | None:
    """A one-sentence statement as a clause; None where it cannot be read whole: without a finite
    verb, with a word that has no place, or with one that has two.
    """
    tokens = parse(text)
    roots = [n for n, token in enumerate(tokens) if token.dep == "ROOT"]
    if len(roots) != 1 or not tokens[roots[0]].is_verb:
        return None
    if any(token.text in (":", ";") for token in tokens):
        return None
    (root,) = roots
    below = children(tokens, root)
    subjects = [n for n in below if tokens[n].dep in (*SUBJECTS, "expl") and n < root]
    if len(subjects) > 1:
        return None
    helpers = [n for n in below if tokens[n].dep in _HELPERS]
    if any(tokens[n].tag == "TO" for n in helpers):
        return None  # "Press it to lock the screen."
    particles = [n for n in below if tokens[n].dep == "prt" or _is_light(tokens, n)]
    clause = _clause(text, tokens, root, subjects, helpers, particles)
    if not _is_a_sentence(clause):
        return None
    is_whole = clause.coordinated or _is_whole(clause, {root, *helpers, *particles})
    return clause if is_whole else None


def _clause(
    text: str,
    tokens: Tokens,
    root: int,
    subjects: list[int],
    helpers: list[int],
    particles: list[int],
) -> Clause:
    below = children(tokens, root)
    behind_particles = [n for place in particles for n in children(tokens, place)]
    places = [n for n in (*below, *behind_particles) if tokens[n].dep in PARTS]
    parts = _parts(tokens, [n for n in places if n not in (*helpers, *particles)])
    first = min([*subjects, root, *helpers])
    before = tokens[subtree(tokens, first)[0] if subjects else first].start
    span = span_of(tokens, subjects[0]) if subjects else None
    return Clause(
        text=text,
        tokens=tokens,
        subject=phrases.phrase(tokens, span, "subject", kind_of(tokens, span)) if span else None,
        root=root,
        helpers=tuple(tokens[n].text for n in helpers),
        particle=" ".join(tokens[n].text for n in particles),
        complements=tuple(part for part in parts if part.start > tokens[root].start),
        fronted=tuple(part for part in parts if part.end <= before),
        passive=any(tokens[n].dep.endswith("pass") for n in subjects),
        coordinated=any(tokens[n].dep in ("conj", "cc") for n in below) or _hides_a_verb(tokens),
    )


# Whether it was read as it is meant


def _is_a_sentence(clause: Clause) -> bool:
    """Whether it has a subject that its verb agrees with, or is an instruction."""
    tokens, root = clause.tokens, clause.root
    if _is_instruction_misread(clause) or _is_quotation_misread(clause):
        return False
    if clause.subject is None:
        if clause.tag not in ("VB", "VBP"):
            return False
        verb = [n for n in children(tokens, root) if tokens[n].dep in ("neg", "aux")]
        first = min([root, *verb])
        return first == 0 or tokens[first - 1].text == ","
    opening = clause.subject.text.split()[0].lower()
    is_one = tokens[clause.subject.head].tag == "NN" and opening in word_set("singling")
    is_bare = not clause.auxiliaries and clause.verb != "be"
    return not (is_one and is_bare and clause.tag == "VBP") and not _is_noun_misread(clause)


def _is_instruction_misread(clause: Clause) -> bool:
    """Whether a bare opening word may be the verb, and the verb belong to what is behind it: "Store
    opened vials at 5 °C.", but not "Fire destroyed the mill.".
    """
    subject, thing = clause.subject, clause.object
    if subject is None or thing is None or clause.helpers or clause.tag not in ("VBD", "VBN"):
        return False
    first, opening = clause.tokens[subject.head], clause.tokens[clause.root + 1]
    is_bare = first.start == 0 and subject.text == first.text and first.tag in ("NN", "NNP")
    is_bare = is_bare and opening.start == thing.start and opening.tag in ("NN", "NNS", "JJ")
    return is_bare and is_verb(first.text.lower())


def _is_noun_misread(clause: Clause) -> bool:
    """Whether the verb may be a noun, and the word behind it the verb: "Cedar planks last."."""
    subject, root = clause.subject, clause.root
    is_bare = subject is not None and subject.text.isalpha() and subject.start == 0 and root == 1
    if not is_bare or clause.helpers or root + 1 >= len(clause.tokens):
        return False
    verb, behind = clause.tokens[root], clause.tokens[root + 1]
    is_noun = verb.tag == "VBZ" and is_plural_noun(verb.text)
    is_noun = is_noun and is_known(clause.tokens[0].text.lower())
    return is_noun and behind.text.islower() and is_verb(behind.text)


def _is_quotation_misread(clause: Clause) -> bool:
    """Whether what is said was taken for who says it: "'Never again,' said Agnes."."""
    subject = clause.subject
    is_quoted = subject is not None and subject.text[0] in "\"'“‘"
    return is_quoted and clause.object is not None and clause.verb in word_set("reporting_verbs")


def _is_whole(clause: Clause, verb: Collection[int]) -> bool:
    """Whether every word of the sentence has its place, and none has two."""
    parts = [*clause.parts, *([clause.subject] if clause.subject else [])]
    for place, token in enumerate(clause.tokens):
        holders = sum(part.start <= token.start < part.end for part in parts) + (place in verb)
        if holders > 1 or (holders == 0 and token.dep != "punct"):
            return False
        ties_noun_to_number = token.dep == "conj" and clause.tokens[token.head].tag == "CD"
        if ties_noun_to_number and token.tag.startswith("N"):
            return False  # "in 1850 and the south wing"
        is_second = token.dep == "det" and place > 0 and clause.tokens[place - 1].tag == "NNP"
        if is_second and any(part.start < token.start < part.end for part in parts):
            return False  # "Oskar the violin"
    if any(_is_bare_adverb(part) for part in clause.fronted):
        return False  # "Sure Start was founded"
    if any(re.match(r"(?:in|on|at) (?:every|each) ", part.text) for part in clause.parts):
        return False  # "let in every day"
    if any(_is_no_part(clause, part) for part in clause.fronted):
        return False
    if clause.object is not None and clause.verb in word_set("no_object"):
        return False  # "Behind the door lies the hall"
    return not any(_is_stray(clause.tokens, part) for part in clause.complements)


def _is_bare_adverb(part: Phrase) -> bool:
    return part.role == "adjunct" and not part.preposition and part.kind != "time"


def _is_no_part(clause: Clause, part: Phrase) -> bool:
    """Whether what stands first is no part of the clause: a sentence of its own before a comma
    ("I am here, Ada has left"), or one that is not finished ("From afar, and").
    """
    inside = [token for token in clause.tokens if part.start <= token.start < part.end]
    is_sentence = any(token.dep == "ccomp" and token.is_verb for token in inside)
    is_said = clause.verb in word_set("reporting_verbs")
    return inside[-1].dep == "cc" or (is_sentence and part.role == "clause" and not is_said)


def _is_stray(tokens: Tokens, part: Phrase) -> bool:
    """Whether a part is a bare noun that belongs to another: "sold the Korko to him windmill"."""
    head = tokens[part.head]
    is_bare = part.kind == "thing" and part.text.islower() and part.text.isalpha()
    return is_bare and head.tag == "NN" and head.dep in ("npadvmod", "oprd")


def _hides_a_verb(tokens: Tokens) -> bool:
    """Whether a second verb was read as a noun: "flows through Brennick and empties into"."""
    return any(
        token.dep == "conj"
        and token.tag == "NNS"
        and tokens[token.head].tag == "NNP"
        and not children(tokens, place)
        for place, token in enumerate(tokens)
    )


def _is_light(tokens: Tokens, place: int) -> bool:
    """Whether an object is part of its verb: "takes place"."""
    token = tokens[place]
    is_alone = not children(tokens, place)
    return token.dep in OBJECTS and is_alone and token.lemma in word_set("light_objects")


# The parts of a clause


def _parts(tokens: Tokens, places: list[int]) -> list[Phrase]:
    """The phrases of some tokens, in order: a time that closes one stands by itself, and a bare
    number or noun belongs to the one before it.
    """
    found: list[Phrase] = []
    for place in places:
        span = span_of(tokens, place)
        if span is not None:
            found += _apart(tokens, span, _role(tokens, place))
    together: list[Phrase] = []
    for part in sorted(found, key=lambda part: part.start):
        if together and together[-1].end + 1 == part.start:
            before = together[-1]
            if _is_bare_number(tokens, part) or _is_of_one_time(tokens, before, part):
                together[-1] = phrases.joined(before, part, before.head)
                continue
            if _is_reached(tokens, before, part):
                together[-1] = phrases.joined(before, part, part.head)._replace(kind=part.kind)
                continue
            if _is_cut_off(tokens, before, part):
                together[-1] = phrases.joined(before, part, part.head)
                continue
        together.append(part)
    return together


def _role(tokens: Tokens, place: int) -> Role:
    dep = tokens[place].dep
    if dep in OBJECTS:
        return "adjunct" if _is_adverbial(tokens, place) else "object"
    if dep in ATTRIBUTES:
        return "attribute"
    if dep in CLAUSES:
        return "clause"
    span = span_of(tokens, place)
    is_manner = span is not None and kind_of(tokens, span) == "manner"
    return "agent" if dep == "agent" and not is_manner else "adjunct"


def _is_adverbial(tokens: Tokens, place: int) -> bool:
    """Whether what was read as an object says how often, or between what: "every two years"."""
    opening = tokens[subtree(tokens, place)[0]]
    word = opening.text
    if phrases.is_bound(opening):
        return False
    span = span_of(tokens, place)
    if word.lower() in ("every", "each"):
        return span is not None and kind_of(tokens, span) == "time"
    return opening.tag in ("IN", "TO") and word[0].islower()


def _apart(tokens: Tokens, span: Span, role: Role) -> Iterator[Phrase]:
    """A phrase, and by itself what closes it and belongs to the verb."""
    tail = None if role == "clause" else _tail(tokens, span, role)
    kept = span_between(tokens, span.first, tail - 1, span.top) if tail is not None else None
    if tail is None or kept is None:
        yield phrases.phrase(tokens, span, role, kind_of(tokens, span))
        return
    yield phrases.phrase(tokens, kept, role, kind_of(tokens, kept))
    closing = span_between(tokens, tail, span.last, tail)
    if closing is not None:
        yield from _apart(tokens, closing, "adjunct")


def _tail(tokens: Tokens, span: Span, role: Role) -> int | None:
    """The place of the preposition whose phrase closes another and belongs to the verb."""
    for place in range(span.first + 1, span.last + 1):
        # A parser takes "to patient 0417" for an infinitive.
        is_infinitive = tokens[place].dep == "aux" and tokens[place].text == "to"
        top = tokens[place].head if is_infinitive else place
        if not (is_infinitive or tokens[place].dep == "prep"):
            continue
        if tokens[place - 1].dep in ("det", "prep") or subtree(tokens, top)[-1] < span.last:
            continue
        if _is_the_verbs(tokens, place, role):
            return place
    return None


def _is_the_verbs(tokens: Tokens, place: int, role: Role) -> bool:
    """Whether a prepositional phrase is the verb's, and not the noun's before it: a time, or what
    such a verb takes ("gave A to B", "bought A from B", "acquitted A of B").
    """
    preposition = tokens[place].text.lower()
    verb = next((token.lemma for token in tokens if token.dep == "ROOT"), "")
    taking = {"of": "of_verbs", "over": "over_verbs", "to": "giving_verbs", "from": "taking_verbs"}
    if preposition in taking:
        return role == "object" and verb in word_set(taking[preposition])
    if preposition == "for":
        return re.search(r"[€£$¥]", phrases.text_between(tokens, place + 1, place + 1)) is not None
    if preposition not in word_set("temporal"):
        return False
    span = span_of(tokens, place)
    return span is not None and kind_of(tokens, span) == "time"


def _is_bare_number(tokens: Tokens, part: Phrase) -> bool:
    """Whether a part is a number that says more of the noun before it: "children | under 12"."""
    is_number = tokens[part.head].tag == "CD" and part.noun.isdigit()
    return bool(part.preposition) and is_number and part.kind != "time"


def _is_of_one_time(tokens: Tokens, before: Phrase, part: Phrase) -> bool:
    """Whether a time says of which day or month the one before it is: "at seven | in the evening",
    "on the last Sunday | in April".
    """
    if part.preposition != "in" or before.preposition not in ("at", "on", ""):
        return False
    is_date = before.preposition != "at" and before.kind == "time"
    wider = word_set("months") | word_set("seasons") if is_date else frozenset()
    is_clock = before.kind == "time" or tokens[before.head].tag == "CD"
    return is_clock and tokens[part.head].text.lower() in wider | word_set("parts_of_the_day")


def _is_reached(tokens: Tokens, before: Phrase, part: Phrase) -> bool:
    """Whether a part is the other end of a span of numbers or times: "from 3.20 | to 3.85 euros",
    "from Tuesday | to Thursday".
    """
    if before.preposition != "from" or part.preposition != "to":
        return False
    entities = {tokens[before.head].entity, tokens[part.head].entity}
    are_numbers = all(
        tokens[part.head].tag == "CD" or part.kind == "amount" for part in (before, part)
    )
    return are_numbers or (bool(entities) and entities <= {"DATE", "TIME"})


def _is_cut_off(tokens: Tokens, before: Phrase, part: Phrase) -> bool:
    """Whether a bare noun is the end of the name before it: "the Geris | ferry"."""
    is_bare = part.text.isalpha() and part.text.islower() and tokens[part.head].tag in ("NN", "NNS")
    is_name = before.text[:4].lower() == "the " and tokens[before.head].tag in ("NNP", "NNPS")
    return is_bare and is_name and part.kind != "time"
