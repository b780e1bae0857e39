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


class Names:
    """Invented, pronounceable names, none used twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng, self._used = rng, set(_REAL)

    def word(self) -> str:
        while True:
            rng = self._rng
            made = rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)
            made += (
                rng.choice(_ENDS)
                if rng.random() < 0.7
                else rng.choice(_VOWELS[:5]) + rng.choice(_CODAS)
            )
            if len(made) > 4 and made not in self._used:
                self._used.add(made)
                return made

    def name(self, kind: str) -> str:
        """A person p, place c, lake y, lake or mountain l, former place x, kind k (a plural), an
        attribute's value a, or one of `_NOUNS`.
        """
        rng, word = self._rng, self.word()
        if kind == "p":
            first = rng.choice([*[""] * 10, "Dr. ", "J. "]) + word.title()
            return f"{first} {self.word().title()}"
        if kind in "ly":
            return f"{'Lake' if kind == 'y' else rng.choice(['Lake', 'Mount'])} {word.title()}"
        if kind == "k":
            return f"{word}s" if word[-1] not in "sxh" else f"{word}es"
        if kind == "a":
            return f"the {word.title()}"
        if kind in _NOUNS:
            return f"the {word.title()} {rng.choice(_NOUNS[kind])}"
        return word.title()


def singular(kind: str) -> str:
    return kind[:-2] if kind[-3:-2] in ("s", "x", "h") and kind.endswith("es") else kind[:-1]


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
            called = tuple(names.name(kind) for kind in relation.kinds)
            year = str(rng.randrange(1810, 2020)) if re.search(r"\bY\b", source) else ""
            text = fill(source, called, word, year)
            facts.append(WorldFact(f"r{number:02}-{index}", text, relation, called, word, year))
    return facts


def fill(source: str, called: Sequence[str], word: str, year: str) -> str:
    """A source wording with its arguments in their places."""
    values = dict(zip("ABC", called, strict=False)) | {"Y": year}
    values |= {f"{slot}sing": singular(name) for slot, name in zip("ABC", called, strict=False)}
    plain = source.replace("<be>", "is").replace("{w}", word)
    text = re.sub(r"\b[ABCY](sing)?\b", lambda found: values[found.group()], plain)
    return text[0].upper() + text[1:]


# Facts that share names, for the operators that start from two.

_CHAINED = ("larger", "heavier", "older", "louder", "before", "north of", "lies in", "part of")
_NOT_CHAINED = (
    "admires",
    "taught",
    "rival",
    "borders",
    "gave",
    "named after",
)  # nothing follows from two of these
_BRIDGED = (
    ("chair", "founded"),
    ("owns", "invented"),
    ("lives in", "north of"),
    ("works for", "supplies"),
)
_KINDS = ("All A are B.", "No A are B.", "Some A are B.", "Some A are not B.")
_ONE_OF = Relation("one of", False, "pk", ("A is a Bsing.",), ())
_ABOUT_KINDS = {form: Relation(form, False, "kk", (form,), ()) for form in _KINDS}


def _kind(names: Names) -> str:
    """A plural that has one singular only: "glons", not "glises"."""
    return next(
        kind for kind in (names.name("k") for _ in iter(int, 1)) if kind[-2] not in "aesxzhiou"
    )


def linked(seed: int, count: int) -> list[WorldFact]:
    """Pairs of facts that share a name: two links of a chain, two statements about kinds, a kind
    and one of it, and facts about one person, place or thing. `count` pairs of each sort.
    """
    rng = random.Random(f"linked:{seed}")
    names = Names(rng)
    by_name = {relation.name: relation for relation in RELATIONS}
    facts: list[WorldFact] = []

    def add(relation: Relation, *called: str) -> None:
        text = fill(rng.choice(relation.sources), called, relation.words[0], "1900")
        facts.append(WorldFact(f"l{len(facts):03}", text, relation, called, relation.words[0], ""))

    for _ in range(count):
        for name in (*_CHAINED, *_NOT_CHAINED):
            first, last = by_name[name].kinds[0], by_name[name].kinds[-1]
            one, two, three = (names.name(kind) for kind in (first, last, last))
            middle = (names.name(by_name[name].kinds[1]),) if len(by_name[name].kinds) == 3 else ()
            add(by_name[name], one, *middle, two)
            add(by_name[name], two, *middle, three)
        for left, right in _BRIDGED:
            one, two, three = (
                names.name(by_name[left].kinds[0]),
                names.name(by_name[left].kinds[1]),
                "",
            )
            three = names.name(by_name[right].kinds[0 if right in ("founded", "invented") else 1])
            add(by_name[left], one, two)
            add(
                by_name[right],
                *((three, two) if right in ("founded", "invented") else (two, three)),
            )
        for _ in range(8):
            one, two, three = (_kind(names) for _ in range(3))
            add(_ABOUT_KINDS[rng.choice(_KINDS)], *rng.sample((one, two), 2))
            add(_ABOUT_KINDS[rng.choice(_KINDS)], *rng.sample((two, three), 2))
        for form in ("All A are B.", "No A are B."):
            one, two = _kind(names), _kind(names)
            add(_ABOUT_KINDS[form], one, two)
            add(_ONE_OF, names.name("p"), one)
    return facts
