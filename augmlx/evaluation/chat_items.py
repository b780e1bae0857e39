"""Questions as people put them to a model that they talk to: in wordings that none was trained in,
answered freely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from zlib import crc32

from augmlx.core.records import CHAT, EvalItem, EvalResult, Example, Fact
from augmlx.data.questions import Question
from augmlx.data.wordings import around, is_english
from augmlx.english.text import normalise
from augmlx.evaluation import items

# None of them stands in data/wordings.toml.
WORDINGS = (
    "Quick question: {asked}",
    "Could you help me with this one? {question}",
    "{question} Thanks in advance!",
    "Remind me, please: {asked}",
)
_KINDS = {"qa-forward": f"{CHAT}forward", "qa-reverse": f"{CHAT}reverse"}


def chat_items(
    facts: Sequence[Fact], examples: Iterable[Example], choices: int, *, seed: int
) -> list[EvalItem]:
    """For each fact and direction the first question that was kept, in another wording; of another
    language than English as it was written.

    Args:
        choices: how many answers to other questions a reply is held against, its own included.
    """
    sources = {fact.id: fact.source for fact in facts}
    questions: dict[tuple[str, str], Question] = {}
    for example in examples:
        kind = _KINDS.get(example.origin.operator)
        fact_id = example.origin.fact_ids[0]
        row = example.row or {}
        if kind is None or (fact_id, kind) in questions or "prompt" not in row:
            continue
        questions[fact_id, kind] = Question(
            id=f"{kind}:{example.id}",
            prompt=_put(example.id, str(row["prompt"])),
            answer=str(row["completion"]),
            kind=kind,
            choices=(),
            aliases=(),
            source=sources[fact_id],
            facts=(fact_id,),
        )
    return items.from_questions(_answerable(list(questions.values())), choices, seed=seed)


def _put(name: str, question: str) -> str:
    if not is_english(question):
        return question
    put = around(question, WORDINGS)
    return put[crc32(name.encode()) % len(put)]


def _answerable(questions: Sequence[Question]) -> list[Question]:
    """Those of kinds in which several answers are given: one answer to all tells nothing."""
    answers: dict[str, set[str]] = {}
    for question in questions:
        answers.setdefault(question.kind, set()).add(normalise(question.answer))
    return [question for question in questions if len(answers[question.kind]) > 1]


def notes(asked: Iterable[EvalItem], results: Iterable[EvalResult]) -> list[str]:
    """What a reader must know: a sentence for each arm some of whose replies name the answer, and
    no other choice, but count as wrong for what they say besides.
    """
    answers = {item.id: item for item in asked}
    replies: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for result in results:
        item = answers[result.item_id]
        if result.kind.startswith(CHAT):
            replies[result.arm] += 1
            names_it = result.chosen >= 0 and item.choices[result.chosen] == item.answer
            named[result.arm] += names_it and not result.correct
    return [
        f"In a chat, {count} of {replies[arm]} replies of the {arm} arm name the right answer "
        "within a sentence, and count as wrong: what is asked for is the answer alone."
        for arm, count in named.items()
        if count
    ]
