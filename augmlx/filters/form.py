"""Form: is it one finished sentence, and nothing of the prompt?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from augmlx.filters.candidate import Candidate
from augmlx.language import normalise
from augmlx.settings import AugmentSettings

_CHATTER = re.compile(
    r"^(here (is|are)|sure\b|certainly\b|of course\b|okay\b|as an ai\b|i('m| am) sorry)", re.IGNORECASE
)
_LABEL = re.compile(r"^\s*(fact|result|other way round|in other words|answer|question|note|example)\s*:", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?。！？]['\"”’)\]]*$")
_SECOND_SENTENCE = re.compile(r"[.!?]\s+\S")
_MARKUP = re.compile(r"<\|[^|]*\|>|\{\{|\}\}|\{%|```")


def objection(candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings) -> str | None:
    """Empty, cut off, chatter, prompt echo, markup, or more than one sentence."""
    text, source = candidate.text.strip(), candidate.source.strip()
    if not normalise(text):
        return "empty"
    if candidate.finish == "length":
        return "cut off at the token limit"
    if _CHATTER.match(text):
        return "talks about the task"
    if _LABEL.match(text):
        return "repeats the prompt's label"
    if _MARKUP.search(text) and not _MARKUP.search(source):
        return "holds markup that is not in the source"
    if normalise(text) == normalise(source):
        return "copies the source"
    if _SENTENCE_END.search(source) and not _SENTENCE_END.search(text):
        return "is not a finished sentence"
    if _SECOND_SENTENCE.search(text) and not _SECOND_SENTENCE.search(source):
        return "more than one sentence"
    return None
