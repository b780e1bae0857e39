"""A world of invented facts whose consequences are known, for bench_quality.py: names, and facts
over the relations of quality_relations.py.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from quality_relations import RELATIONS, Relation

# Names.

_ONSETS = (
    "b d f g h j k l m n p r s t v w z b d g k l m n p r s t v br ch dr fl gl gr kl pl pr "
    "sk st th tr"
).split()
_VOWELS = "a e i o u a e o ai ea oo".split()
_CODAS = "l m n nd r rk rn s sk ld nt lm v x th rd b g mp".split()
_ENDS = "a o en is el or in ek us an et".split()
_REAL = frozenset(
    "boston bread moon soon seen room stop steel stone brain train rain green great chain "
    "queen".split()
)
_NOUNS = {
    "t": "lamp ferry mill engine wagon bridge clock barge windmill lantern".split(),
    "o": "Institute|Guild|Works|Company|Society|Bureau|Orchestra|Foundation".split("|"),
    "w": "Sonata|Chronicle|Ballad|Atlas|Portrait|Codex".split("|"),
    "m": "Athletic Club|Chess Club|Squad|Rowing Crew".split("|"),
    "e": "festival siege summit regatta uprising flood".split(),
    "s": "comet|moon|crater|reef|cave".split("|"),
    "r": ["river"],
    "b": "ferry barge schooner trawler".split(),
}


_BEFORE_PERSONS = [*[""] * 10, "Dr. ", "J. "]


class Names:
    """Invented, pronounceable names, none used twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._used = set(_REAL)

    def word(self) -> str:
        """A word of more than four letters that was not given before."""
        while True:
            word = self._syllables()
            if len(word) > 4 and word not in self._used:
                self._used.add(word)
                return word

    def _syllables(self) -> str:
        """Two or three, as chance has it."""
        choose = self._rng.choice
        first = choose(_ONSETS) + choose(_VOWELS) + choose(_CODAS)
        if self._rng.random() < 0.7:
            return first + choose(_ENDS)
        return first + choose(_VOWELS[:5]) + choose(_CODAS)

    def name(self, kind: str) -> str:
        """A person p, place c, lake y, lake or mountain l, former place x, kind k (a plural), an
        attribute's value a, or one of `_NOUNS`.
        """
        word = self.word()
        title = word.title()
        if kind == "p":
            before = self._rng.choice(_BEFORE_PERSONS)
            return f"{before}{title} {self.word().title()}"
        if kind == "y":
            return f"Lake {title}"
        if kind == "l":
            sort = self._rng.choice(["Lake", "Mount"])
            return f"{sort} {title}"
        if kind == "k":
            return f"{word}es" if word[-1] in "sxh" else f"{word}s"
        if kind == "a":
            return f"the {title}"
        if kind in _NOUNS:
            noun = self._rng.choice(_NOUNS[kind])
            return f"the {title} {noun}"
        return title


def singular(kind: str) -> str:
    """Of the plural that a kind of things is named by: "femps" -> "femp"."""
    if kind.endswith(("ses", "xes", "hes")):
        return kind[:-2]
    return kind[:-1]


# Facts.


@dataclass(frozen=True, slots=True)
class WorldFact:
    """A fact, the relation that it states and its arguments A, B, C."""

    id: str
    text: str
    relation: Relation
    arguments: tuple[str, ...]
    word: str
    year: str

    def swapped(self) -> WorldFact:
        """The same relation between the first and the last argument exchanged."""
        first, *middle, last = self.arguments
        return WorldFact(
            self.id, self.text, self.relation, (last, *middle, first), self.word, self.year
        )


def world(seed: int, per_relation: int) -> list[WorldFact]:
    """`per_relation` facts for each relation, over its source wordings and words in turn."""
    rng = random.Random(f"quality:{seed}")
    names = Names(rng)
    facts = []
    for number, relation in enumerate(RELATIONS):
        turn = rng.randrange(60)
        for index in range(per_relation):
            source = relation.sources[(turn + index) % len(relation.sources)]
            word = relation.words[(turn + index) % len(relation.words)]
            arguments = tuple(names.name(kind) for kind in relation.kinds)
            year = ""
            if re.search(r"\bY\b", source):
                year = str(rng.randrange(1810, 2020))
            fact = WorldFact(
                id=f"r{number:02}-{index}",
                text=fill(source, arguments, word, year),
                relation=relation,
                arguments=arguments,
                word=word,
                year=year,
            )
            facts.append(fact)
    return facts


def fill(source: str, arguments: Sequence[str], word: str, year: str) -> str:
    """A source wording with its arguments in their places."""
    values = {"Y": year}
    for slot, name in zip("ABC", arguments, strict=False):
        values[slot] = name
        values[f"{slot}sing"] = singular(name)
    plain = source.replace("<be>", "is").replace("{w}", word)
    text = re.sub(r"\b[ABCY](sing)?\b", lambda match: values[match.group()], plain)
    return text[0].upper() + text[1:]


# Facts that share names, for the operators that start from two.

_CHAINED = ("larger", "heavier", "older", "louder", "before", "north of", "lies in", "part of")
# Nothing follows from two of these.
_NOT_CHAINED = ("admires", "taught", "rival", "borders", "gave", "named after")
_BRIDGED = (
    ("chair", "founded"),
    ("owns", "invented"),
    ("lives in", "north of"),
    ("works for", "supplies"),
)
# In these the shared name of a bridge is what is acted on, in the others it acts itself.
_SHARED_LAST = ("founded", "invented")
_KINDS = ("All A are B.", "No A are B.", "Some A are B.", "Some A are not B.")
_ONE_OF = Relation("one of", False, "pk", ("A is a Bsing.",), ())
_ABOUT_KINDS = {form: Relation(form, False, "kk", (form,), ()) for form in _KINDS}


def _kind(names: Names) -> str:
    """A plural that has one singular only: "glons", not "glises"."""
    while True:
        kind = names.name("k")
        if kind[-2] not in "aesxzhiou":
            return kind


def linked(seed: int, count: int) -> list[WorldFact]:
    """Pairs of facts that share a name: two links of a chain, two statements about kinds, a kind
    and one of it, and facts about one person, place or thing. `count` pairs of each sort.
    """
    world = _LinkedWorld(random.Random(f"linked:{seed}"))
    for _ in range(count):
        for name in (*_CHAINED, *_NOT_CHAINED):
            world.add_links(name)
        for left, right in _BRIDGED:
            world.add_bridge(left, right)
        for _ in range(8):
            world.add_statements_about_kinds()
        for form in ("All A are B.", "No A are B."):
            world.add_one_of_a_kind(form)
    return world.facts


class _LinkedWorld:
    """Facts that share names, two at a time."""

    def __init__(self, rng: random.Random) -> None:
        self.facts: list[WorldFact] = []
        self._rng = rng
        self._names = Names(rng)
        self._by_name = {relation.name: relation for relation in RELATIONS}

    def _add(self, relation: Relation, *arguments: str) -> None:
        source = self._rng.choice(relation.sources)
        word = relation.words[0]
        fact = WorldFact(
            id=f"l{len(self.facts):03}",
            text=fill(source, arguments, word, "1900"),
            relation=relation,
            arguments=arguments,
            word=word,
            year="",
        )
        self.facts.append(fact)

    def add_links(self, name: str) -> None:
        """Two facts of a relation; the second begins with what the first ends with."""
        relation = self._by_name[name]
        first_kind, *middle_kind, last_kind = relation.kinds
        first = self._names.name(first_kind)
        shared = self._names.name(last_kind)
        last = self._names.name(last_kind)
        middle = [self._names.name(kind) for kind in middle_kind]
        self._add(relation, first, *middle, shared)
        self._add(relation, shared, *middle, last)

    def add_bridge(self, left_name: str, right_name: str) -> None:
        """A fact that ends with a name, and another about it."""
        left = self._by_name[left_name]
        right = self._by_name[right_name]
        shared_is_last = right_name in _SHARED_LAST
        first = self._names.name(left.kinds[0])
        shared = self._names.name(left.kinds[1])
        other = self._names.name(right.kinds[0 if shared_is_last else 1])
        self._add(left, first, shared)
        if shared_is_last:
            self._add(right, other, shared)
        else:
            self._add(right, shared, other)

    def add_statements_about_kinds(self) -> None:
        """Two, of any form and in any direction, that share a kind."""
        one, shared, other = (_kind(self._names) for _ in range(3))
        for pair in ((one, shared), (shared, other)):
            form = self._rng.choice(_KINDS)
            self._add(_ABOUT_KINDS[form], *self._rng.sample(pair, 2))

    def add_one_of_a_kind(self, form: str) -> None:
        """A statement about two kinds, and somebody who is of the first."""
        one = _kind(self._names)
        other = _kind(self._names)
        self._add(_ABOUT_KINDS[form], one, other)
        member = self._names.name("p")
        self._add(_ONE_OF, member, one)
