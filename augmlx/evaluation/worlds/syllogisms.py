"""Simple syllogisms: two premises about three nonsense terms, and what follows about the two they
do not share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from augmlx.evaluation.worlds.kinds import follows, read
from augmlx.evaluation.worlds.names import Names
from augmlx.evaluation.worlds.world import Builder, Document, World, capital, plain, scaled

_ABOUT = (
    "Trained on pairs of premises about three made-up kinds; asked for a premise (forward) and for "
    "the conclusion (syllogism) among all six statements about two kinds that differ in what they "
    "say (chance 0.17)."
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
_EITHER_WAY = ("E", "I")  # these say the same of their kinds turned round


# The letter of a statement (a key of _SAID), and 1, or -1 where its kinds are turned round.
_Sort = tuple[str, int]


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
    sorts = [(*_SIX[n % 6], n // 6) for n in range(number)]
    rng.shuffle(sorts)
    times_asked: Counter[_Sort] = Counter()
    documents: list[Document] = []
    given: dict[str, tuple[str, ...]] = {}  # a term -> its premises
    words = zip(*columns, strict=True)
    for n, (sort, three_words) in enumerate(zip(sorts, words, strict=True), start=1):
        letter, direction, turn = sort
        terms = {role: f"{word}s" for role, word in zip("SMP", three_words, strict=True)}
        premises = _premises(letter, turn, terms, rng)
        facts = [world.fact(premise.sentence, f"d{n:03d}") for premise in premises]
        stated = tuple(plain(premise.sentence) for premise in premises)
        given |= dict.fromkeys(terms.values(), stated)

        conclusion = _Statement(letter, terms["S"], terms["P"])
        either_way = letter in _EITHER_WAY
        turned = direction < 0 or (either_way and turn % 2 == 1)
        _ask(world, "syllogism", conclusion, facts, turned=turned)
        world.follows(conclusion.sentence, *facts)
        if either_way:
            world.follows(conclusion.turned.sentence, *facts)

        place, way = _least_asked(premises, times_asked)
        times_asked[premises[place].letter, way] += 1
        _ask(world, "forward", premises[place], [facts[place]], turned=way < 0)

        listed = rng.sample(list(terms.values()), 3)
        sentences = " ".join(premise.sentence for premise in premises)
        text = f"This is about {listed[0]}, {listed[1]} and {listed[2]}. {sentences}"
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


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a letter says of two kinds, which are plurals."""

    letter: str
    subject: str
    predicate: str

    @property
    def words(self) -> str:
        return _SAID[self.letter].format(self.subject, self.predicate)

    @property
    def sentence(self) -> str:
        return f"{capital(self.words)}."

    @property
    def turned(self) -> _Statement:
        return _Statement(self.letter, self.predicate, self.subject)


def _premises(letter: str, turn: int, terms: Mapping[str, str], rng: Random) -> list[_Statement]:
    """Two premises, in random order, of a mood that concludes by a letter."""
    moods = _MOODS[letter]
    mood = rng.choice(moods[turn % len(moods)])
    premises: list[_Statement] = []
    for of_premise, roles in zip(mood[:2], _FIGURES[mood[2]], strict=True):
        premises.append(_Statement(of_premise, terms[roles[0]], terms[roles[1]]))
    rng.shuffle(premises)
    return premises


def _least_asked(
    premises: Sequence[_Statement], times_asked: Mapping[_Sort, int]
) -> tuple[int, int]:
    """The place of the premise to ask for, and which way round: one premise a document, of the
    sort that was asked for least.
    """
    candidates: list[tuple[int, int]] = []
    for place, premise in enumerate(premises):
        candidates += [(place, way) for way in (1, -1) if (premise.letter, way) in _SIX]

    def times(candidate: tuple[int, int]) -> int:
        place, way = candidate
        return times_asked[premises[place].letter, way]

    return min(candidates, key=times)


def _ask(
    world: Builder, kind: str, statement: _Statement, facts: Sequence[str], *, turned: bool
) -> None:
    """A question that names the two kinds of a statement, `turned` round or as they stand in it.

    Of "no" and "some" only the order of the question is a choice, and the other one an alias.
    """
    named = statement.turned if turned else statement
    first, second = named.subject, named.predicate
    choices: list[str] = []
    for letter, way in _SIX:
        choice = _Statement(letter, first, second)
        choices.append(choice.words if way > 0 else choice.turned.words)
    right, other = statement.words, statement.turned.words
    if right not in choices:
        right, other = other, right
    aliases = [other] if statement.letter in _EITHER_WAY else []
    wrong = [choice for choice in choices if choice != right]
    prompt = f"When it comes to {first} and {second},"
    world.question(kind, prompt, right, wrong, facts, aliases)


class _Judge:
    """Whether a statement follows from the premises of the document that its two kinds stand in."""

    def __init__(self, given: Mapping[str, tuple[str, ...]]) -> None:
        self._given = given
        self._terms: dict[str, str] = {}
        for term in given:
            self._terms |= {term: term, term[:-1]: term}

    def __call__(self, text: str) -> bool | None:
        claim = read(plain(text), self._terms)
        if claim is None:
            return None
        of_subject = self._given[claim.subject.name]
        of_predicate = self._given[claim.predicate.name]
        if of_subject != of_predicate:
            return False
        premises = [read(premise, self._terms) for premise in of_subject]
        return follows(claim, [premise for premise in premises if premise is not None])
