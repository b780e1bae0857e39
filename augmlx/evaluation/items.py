"""Where the questions come from: the user's file, or the facts and their held-out augmentations."""

from __future__ import annotations

from collections.abc import Sequence, Set
from random import Random

from augmlx.core.errors import BadInput
from augmlx.core.records import EvalItem, Example, Fact
from augmlx.data.questions import Question
from augmlx.english.names import mention_of
from augmlx.english.sentence import arguments
from augmlx.english.stems import content_stems
from augmlx.english.text import normalise


def from_questions(questions: Sequence[Question], choices: int, *, seed: int) -> list[EvalItem]:
    """Items from the user's questions. Choices that a question brings are used as they are; the
    others are drawn from the answers of the other questions of the same kind. What another question
    with the same prompt has for an answer or an alias is right as well, and never a wrong choice.

    Raises BadInput where a question has no wrong answer to choose from.
    """
    pools: dict[str, list[str]] = {}
    right: dict[str, set[str]] = {}  # by prompt
    for question in questions:
        pools.setdefault(question.kind, []).append(question.answer)
        right.setdefault(normalise(question.prompt), set()).update(
            map(normalise, (question.answer, *question.aliases))
        )
    items = []
    for question in questions:
        drawn = question.choices or _choices(
            question.id,
            question.answer,
            right[normalise(question.prompt)],
            pools[question.kind],
            choices,
            seed,
        )
        if len(drawn) < 2:
            raise BadInput(
                f"{question.source}: no other question of kind {question.kind!r} has an answer "
                f"that is wrong here",
                hint="give the question choices of its own, or add questions of that kind",
            )
        items.append(
            EvalItem(
                id=question.id,
                kind=question.kind,
                prompt=question.prompt,
                answer=question.answer,
                choices=drawn,
                aliases=question.aliases,
                fact_ids=question.facts,
            )
        )
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
    sides = {fact.id: found for fact in facts if (found := arguments(fact.text))}
    pools = {
        "first": [found[0].text for found in sides.values()],
        "last": [found[1].text for found in sides.values()],
    }
    met: dict[str, set[str]] = {}  # an argument -> all arguments of the facts that have it
    for found in sides.values():
        both = {normalise(mention.text) for mention in found}
        for argument in both:
            met.setdefault(argument, set()).update(both)
    items: dict[tuple[str, str], EvalItem] = {}
    statements = [("forward", fact.id, fact.id, fact.text) for fact in facts]
    statements += [(e.origin.operator, e.id, e.origin.fact_ids[0], e.text) for e in held_out]
    for kind, name, fact_id, text in statements:
        if fact_id not in sides or (fact_id, kind) in items:
            continue
        placed = [
            (side, mention_of(m.text, text))
            for side, m in zip(("first", "last"), sides[fact_id], strict=True)
        ]
        standing = [
            (mention.start, side, mention) for side, mention in placed if mention is not None
        ]
        if len(standing) < 2:
            continue
        _, side, mention = max(standing, key=lambda place: place[0])
        given = sides[fact_id][0 if side == "last" else 1]
        right = met[normalise(given.text)]
        drawn = _choices(f"{kind}:{name}", mention.text, right, pools[side], choices, seed)
        prompt = text[: mention.start].rstrip()
        if prompt and len(drawn) > 1:
            item = EvalItem(
                f"{kind}:{name}", kind, prompt, mention.text, drawn, fact_ids=(fact_id,)
            )
            items[fact_id, kind] = item
    return list(items.values())


def _choices(
    name: str, answer: str, right: Set[str], pool: Sequence[str], count: int, seed: int
) -> tuple[str, ...]:
    """The answer and `count` - 1 others from the pool, in an order of the item's own; fewer where
    the pool is small. What is `right`, normalised, is no wrong choice.
    """
    others: dict[str, str] = {}
    for text in pool:
        if normalise(text) not in right and normalise(text) != normalise(answer):
            others.setdefault(normalise(text), text)
    rng = Random(f"{seed}:choices:{name}")
    drawn = [answer, *rng.sample(sorted(others.values()), min(count - 1, len(others)))]
    rng.shuffle(drawn)
    return tuple(drawn)


def link(items: Sequence[EvalItem], facts: Sequence[Fact]) -> dict[str, int]:
    """For each item the index of the fact it is about: the first that it names, else the one that
    it shares most words with, by their stems.
    """
    by_id = {fact.id: index for index, fact in enumerate(facts)}
    bags = [set(content_stems(fact.text)) for fact in facts]
    linked = {}
    for item in items:
        if item.fact_ids:
            linked[item.id] = by_id[item.fact_ids[0]]
            continue
        stems = set(content_stems(f"{item.prompt} {item.answer}"))
        linked[item.id] = max(
            range(len(facts)), key=lambda index: (len(stems & bags[index]), -index)
        )
    return linked


def require_facts(items: Sequence[EvalItem], facts: Sequence[Fact]) -> None:
    """Raises BadInput where an item is about a fact that there is not."""
    known = {fact.id for fact in facts}
    for item in items:
        if unknown := [name for name in item.fact_ids if name not in known]:
            fault = f"the question {item.id} is about {', '.join(unknown)}, which is no fact's id"
            raise BadInput(fault, hint="mend the column 'facts' of the questions, or take it out")
