"""Simple syllogisms: two premises about three nonsense terms, and what follows about the two they
do not share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

from augmlx.evaluation.worlds.kinds import follows, read
from augmlx.evaluation.worlds.names import Names
from augmlx.evaluation.worlds.world import Builder, Document, World, capital, plain, scaled

_ABOUT = (
    "Trained on pairs of premises about three made-up kinds; asked for a premise (forward) and "
    "for the "
    "conclusion (syllogism) among all six statements about two kinds that differ in what they say "
    "(chance 0.17)."
)
# The moods that are valid without assuming that a kind has members, by their conclusion: the
# letters of the premises and the figure.
_MOODS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "A": (("AA1",),),
    "E": (("EA1", "EA2", "AE2", "AE4"),),
    "I": (("AI1", "IA3", "AI3", "IA4"),),
    "O": (("EI1", "EI2", "EI3", "EI4"), ("AO2", "OA3")),  # each half as often as "O" itself
}
_FIGURES = {"1": ("MP", "SM"), "2": ("PM", "SM"), "3": ("MP", "MS"), "4": ("PM", "MS")}
_SAID = {
    "A": "all {} are {}",
    "E": "no {} are {}",
    "I": "some {} are {}",
    "O": "some {} are not {}",
}
# A question names two kinds; its answers in the order of the six statements, so that each is right
# equally often.
_SIX = (("A", 1), ("A", -1), ("E", 1), ("I", 1), ("O", 1), ("O", -1))


def syllogisms(size: float, seed: int, count: Callable[[str], int] | None = None) -> World:
    """69 documents of two premises, and as many conclusions, at size 1.

    The paper scores all, some and no in both directions; but "no A are B" says what "no B are A"
    says, and so with "some", so that two of the six would be right. Here the six are the different
    things that can be said of two kinds: all and some-not in both directions, no and some in one.
    Right is the strongest that follows: "some A are B" follows from "all A are B" as well, where no
    kind is empty, but not the other way round.
    """
    rng = Random(f"syllogisms:{seed}")
    number = scaled(69, size, 6)
    names = Names("long", seed, spelt="{}s".format, count=count)
    columns = [names.take(number) for _ in range(3)]
    world = Builder(rng)
    asked: Counter[tuple[str, int]] = Counter()
    documents = []
    given: dict[str, tuple[str, ...]] = {}  # a term -> its premises
    kinds = [(*_SIX[n % 6], n // 6) for n in range(number)]
    rng.shuffle(kinds)
    for n, ((letter, direction, turn), words) in enumerate(
        zip(kinds, zip(*columns, strict=True), strict=True), start=1
    ):
        terms = dict(zip("SMP", (f"{word}s" for word in words), strict=True))
        mood = rng.choice(_MOODS[letter][turn % len(_MOODS[letter])])
        pairs = [(terms[roles[0]], terms[roles[1]]) for roles in _FIGURES[mood[2]]]
        premises = list(zip(mood[:2], pairs, strict=True))
        rng.shuffle(premises)
        texts = [f"{capital(_SAID[how].format(*pair))}." for how, pair in premises]
        facts = [world.fact(text, f"d{n:03d}") for text in texts]
        given |= dict.fromkeys(terms.values(), tuple(map(plain, texts)))

        conclusion = (terms["S"], terms["P"])
        turned = direction < 0 or (letter in "EI" and turn % 2 == 1)
        _ask(world, "syllogism", conclusion[:: -1 if turned else 1], letter, conclusion, facts)
        for pair in (conclusion, conclusion[::-1]) if letter in "EI" else (conclusion,):
            world.follows(f"{capital(_SAID[letter].format(*pair))}.", *facts)

        # One premise a document, of the sort that was asked for least.
        sorts = [
            (how, way, place)
            for place, (how, _) in enumerate(premises)
            for way in (1, -1)
            if (how, way) in _SIX
        ]
        how, way, place = min(sorts, key=lambda sort: asked[sort[:2]])
        asked[how, way] += 1
        pair = premises[place][1]
        _ask(world, "forward", pair[::way], how, pair, facts[place : place + 1])

        listed = rng.sample(list(terms.values()), 3)
        text = f"This is about {listed[0]}, {listed[1]} and {listed[2]}. {' '.join(texts)}"
        documents.append(Document(text, tuple(facts)))
    return World(
        name="syllogisms",
        about=_ABOUT,
        facts=tuple(world.facts),
        questions=world.settled(),
        oracle=tuple(world.oracle),
        documents=tuple(documents),
        operators=("syllogism", "rephrase"),
        right=_Judge(given),
    )


def _ask(
    world: Builder,
    kind: str,
    named: tuple[str, ...],
    letter: str,
    pair: tuple[str, ...],
    facts: list[str],
) -> None:
    """A question that names two kinds in an order; of "no" and "some" only that order is a choice,
    and the other one an alias. Right is what `letter` says of the pair.
    """
    said = [_SAID[how].format(*named[::way]) for how, way in _SIX]
    turned = _SAID[letter].format(*pair[::-1])
    right = _SAID[letter].format(*pair)
    if right not in said:
        right, turned = turned, right
    aliases = [turned] if letter in "EI" else []
    prompt = f"When it comes to {named[0]} and {named[1]},"
    world.question(kind, prompt, right, [text for text in said if text != right], facts, aliases)


class _Judge:
    """Whether a statement follows from the premises of the document that its two kinds stand in."""

    def __init__(self, given: Mapping[str, tuple[str, ...]]) -> None:
        self._given = given
        self._terms = {spelt: term for term in given for spelt in (term, term[:-1])}

    def __call__(self, text: str) -> bool | None:
        claim = read(plain(text), self._terms)
        if claim is None:
            return None
        one, other = (self._given[term] for term in (claim.subject[0], claim.predicate[0]))
        premises = [premise for told in one if (premise := read(told, self._terms)) is not None]
        return one == other and follows(claim, premises)
