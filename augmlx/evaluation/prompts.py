"""What stands before an answer: a question as the models get it, and the facts above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from augmlx.core.records import EvalItem, Fact
from augmlx.engines.protocol import Engine
from augmlx.english.prompts import question_in_text
from augmlx.english.text import QUESTION_MARKS
from augmlx.evaluation.items import link

_SPARE_TOKENS = 8  # for what the tokens of parts miss of those of the whole


def as_prompt(text: str) -> str:
    """A question as "Question: ... Answer:"; anything else is a text to be continued."""
    bare = text.rstrip()
    if bare.endswith(QUESTION_MARKS):
        return question_in_text(text)
    return bare


def contexts(
    items: Sequence[EvalItem],
    facts: Sequence[Fact],
    engine: Engine,
    answer_tokens: int,
    beside: Mapping[str, Sequence[str]] | None = None,
) -> tuple[dict[str, str], int]:
    """The in-context arms' text above each item: all facts, or a page of them.

    Where not all facts fit the model's window, an item gets the page that holds the fact it is
    about. Lines are kept in the facts' order.

    Args:
        answer_tokens: room to leave for an answer.
        beside: by a fact's id, lines that stand behind it, such as its augmentations.

    Returns: item id -> text; and how many of the lines beside are left out, for a page has no room
        for them even alone with their fact.
    """
    longest = max(_tokens_of_item(item, engine) for item in items)
    room = engine.window - longest - answer_tokens - _SPARE_TOKENS
    blocks: list[str] = []
    pages: list[list[int]] = [[]]
    used = left_out = 0
    for index, fact in enumerate(facts):
        beside_fact = (beside or {}).get(fact.id, ())
        block, tokens, without = _block(fact, beside_fact, engine, room)
        blocks.append(block)
        left_out += without
        if pages[-1] and used + tokens > room:
            pages.append([])
            used = 0
        pages[-1].append(index)
        used += tokens
    page_of: dict[int, str] = {}
    for page in pages:
        text = "".join(blocks[index] for index in page)
        page_of |= dict.fromkeys(page, text)
    return {item_id: page_of[index] for item_id, index in link(items, facts).items()}, left_out


def _tokens_of_item(item: EvalItem, engine: Engine) -> int:
    return engine.count(as_prompt(item.prompt)) + max(map(engine.count, item.choices))


def _block(fact: Fact, beside: Sequence[str], engine: Engine, room: int) -> tuple[str, int, int]:
    """A fact with the lines beside it that a page has room for: text, tokens, lines left out."""
    block = f"{fact.text}\n"
    tokens = engine.count(block)
    left_out = 0
    for text in beside:
        line = f"{text}\n"
        more = engine.count(line)
        if tokens + more > room:
            left_out += 1
        else:
            block += line
            tokens += more
    return block, tokens, left_out


def context_note(arm: str, contexts: Mapping[str, str], left_out: int) -> str | None:
    """What the summary says where not every item was shown the same facts, or some lines were shown
    to none; else None. Pages that no item is about do not count.
    """
    pages = len(set(contexts.values()))
    parts: list[str] = []
    if pages > 1:
        parts.append(f"the {arm} arm sees the one of {pages} pages that holds the fact in question")
    if left_out:
        parts.append(
            f"{left_out} augmentations of facts with more than a page of them are left out of the "
            f"{arm} arm"
        )
    if not parts:
        return None
    return f"The facts do not fit the model's window: {'; '.join(parts)}."
