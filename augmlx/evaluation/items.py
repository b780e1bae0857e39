"""Where the questions come from: the user's file, or the facts and their held-out augmentations."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from random import Random

from augmlx.core.errors import BadInput
from augmlx.core.records import EvalItem, Example, Fact
from augmlx.data.questions import Question
from augmlx.english.names import mention_of
from augmlx.english.sentence import arguments
from augmlx.english.stems import content_stems
from augmlx.english.text import Mention, normalise


def from_questions(questions: Sequence[Question], choices: int, *, seed: int) -> list[EvalItem]:
    """Items from the user's questions, in their order.

    Choices that a question brings are used as they are; the others are drawn from the answers of
    the other questions of the same kind. What another question with the same prompt has for an
    answer or an alias is right as well, and never a wrong choice.

    Args:
        choices: how many an item has where its question brings none.

    Raises:
        BadInput: a question has no wrong answer to choose from.
    """
    answers_of_kind: dict[str, list[str]] = {}
    right_for: dict[str, set[str]] = {}  # normalised prompt -> normalised answers
    for question in questions:
        answers_of_kind.setdefault(question.kind, []).append(question.answer)
        answers = map(normalise, (question.answer, *question.aliases))
        right_for.setdefault(normalise(question.prompt), set()).update(answers)
    items: list[EvalItem] = []
    for question in questions:
        own_choices = question.choices
        if not own_choices:
            right = right_for[normalise(question.prompt)]
            pool = answers_of_kind[question.kind]
            own_choices = _choices(question.id, question.answer, right, pool, choices, seed)
        if len(own_choices) < 2:
            raise BadInput(
                f"{question.source}: no other question of kind {question.kind!r} has an answer "
                "that is wrong here",
                hint="give the question choices of its own, or add questions of that kind",
            )
        item = EvalItem(
            id=question.id,
            kind=question.kind,
            prompt=question.prompt,
            answer=question.answer,
            choices=own_choices,
            aliases=question.aliases,
            fact_ids=question.facts,
        )
        items.append(item)
    return items


def derived(
    facts: Sequence[Fact], held_out: Sequence[Example], choices: int, *, seed: int
) -> list[EvalItem]:
    """Items from the facts themselves (kind "forward") and from held-out augmentations (kind: their
    operator).

    The answer is whichever of the fact's two arguments the statement comes to last; the prompt is
    what stands before. Wrong choices are the arguments that stand in the same place of other facts,
    but nothing that any fact says together with the prompt's own argument: that may be right as
    well.

    A fact gives one item of each kind, from the first statement that can be asked: several wordings
    of one fact are no independent trials.
    """
    arguments_of = _Arguments(facts)
    statements = [("forward", fact.id, fact.id, fact.text) for fact in facts]
    for example in held_out:
        origin = example.origin
        statements.append((origin.operator, example.id, origin.fact_ids[0], example.text))
    items: dict[tuple[str, str], EvalItem] = {}
    for kind, text_id, fact_id, text in statements:
        if (fact_id, kind) in items:
            continue
        gap = arguments_of.gap_in(text, fact_id)
        if gap is None:
            continue
        item_id = f"{kind}:{text_id}"
        own_choices = _choices(item_id, gap.answer, gap.right, gap.pool, choices, seed)
        if gap.prompt and len(own_choices) > 1:
            items[fact_id, kind] = EvalItem(
                item_id, kind, gap.prompt, gap.answer, own_choices, fact_ids=(fact_id,)
            )
    return list(items.values())


@dataclass(frozen=True, slots=True)
class _Gap:
    """A statement whose last argument is asked for.

    Args:
        right: what else may be right, normalised.
        pool: what stands in the same place of other facts.
    """

    prompt: str
    answer: str
    right: Set[str]
    pool: Sequence[str]


class _Arguments:
    """The two arguments of each fact that has them, and what stands together in any fact."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._of_fact: dict[str, tuple[Mention, Mention]] = {}
        self._firsts: list[str] = []
        self._lasts: list[str] = []
        self._together: dict[str, set[str]] = {}  # an argument -> all of the facts that have it
        for fact in facts:
            pair = arguments(fact.text)
            if pair is None:
                continue
            first, last = pair
            self._of_fact[fact.id] = pair
            both = {normalise(first.text), normalise(last.text)}
            for argument in both:
                self._together.setdefault(argument, set()).update(both)
        for first, last in self._of_fact.values():
            self._firsts.append(first.text)
            self._lasts.append(last.text)

    def gap_in(self, text: str, fact_id: str) -> _Gap | None:
        """The statement of a fact without the argument that it comes to last; None where it does
        not hold both.
        """
        if fact_id not in self._of_fact:
            return None
        first, last = self._of_fact[fact_id]
        first_here, last_here = mention_of(first.text, text), mention_of(last.text, text)
        if first_here is None or last_here is None:
            return None
        if last_here.start > first_here.start:
            answer, given, pool = last_here, first, self._lasts
        else:
            answer, given, pool = first_here, last, self._firsts
        prompt = text[: answer.start].rstrip()
        return _Gap(prompt, answer.text, self._together[normalise(given.text)], pool)


def _choices(
    item_id: str, answer: str, right: Set[str], pool: Sequence[str], count: int, seed: int
) -> tuple[str, ...]:
    """The answer and `count` - 1 others from the pool, in an order of the item's own; fewer where
    the pool is small. What is `right`, normalised, is no wrong choice.
    """
    wrong: dict[str, str] = {}
    for text in pool:
        words = normalise(text)
        if words not in right and words != normalise(answer):
            wrong.setdefault(words, text)
    rng = Random(f"{seed}:choices:{item_id}")
    choices = [answer, *rng.sample(sorted(wrong.values()), min(count - 1, len(wrong)))]
    rng.shuffle(choices)
    return tuple(choices)


def link(items: Sequence[EvalItem], facts: Sequence[Fact]) -> dict[str, int]:
    """For each item's id the index of the fact it is about: the first that it names, else the one
    that it shares most words with, by their stems.
    """
    index_of = {fact.id: index for index, fact in enumerate(facts)}
    stems_of_facts = [set(content_stems(fact.text)) for fact in facts]
    linked: dict[str, int] = {}
    for item in items:
        if item.fact_ids:
            linked[item.id] = index_of[item.fact_ids[0]]
            continue
        stems = set(content_stems(f"{item.prompt} {item.answer}"))
        shared = [len(stems & of_fact) for of_fact in stems_of_facts]
        linked[item.id] = shared.index(max(shared))
    return linked


def require_facts(items: Sequence[EvalItem], facts: Sequence[Fact]) -> None:
    """Raises BadInput where an item is about a fact that there is not."""
    known = {fact.id for fact in facts}
    for item in items:
        unknown = [fact_id for fact_id in item.fact_ids if fact_id not in known]
        if unknown:
            fault = f"the question {item.id} is about {', '.join(unknown)}, which is no fact's id"
            raise BadInput(fault, hint="mend the column 'facts' of the questions, or take it out")
