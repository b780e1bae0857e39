"""Form: is it one finished sentence, and nothing of the prompt?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.prompts import opens_with_chatter
from augmlx.english.text import FINISHED, normalise, sentence_count

_MARKUP = re.compile(
    r"<\|[^|]*\|>|</?\w+>|\{\{|\}\}|\{%|%\}|`+|\*\*|^[#>*-]+\s|^\d+[.)]\s|\[/?INST\]", re.MULTILINE
)


def objection(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """Empty, cut off, chatter, markup, or more sentences than its source has. What the source holds
    itself ("Sure Start", a fact about {{ braces }}) is never held against the candidate. What could
    be taken off (english/replies.py) is gone by now.
    """
    text, source = candidate.text.strip(), candidate.source.strip()
    if not normalise(text):
        return "empty"
    if candidate.finish == "length":
        return "cut off at the token limit"
    if opens_with_chatter(text, source):
        return "talks about the task"
    if _markup(text) - _markup(source):
        return "holds markup that is not in the source"
    if normalise(text) == normalise(source):
        return "copies the source"
    if FINISHED.search(source) and not FINISHED.search(text):
        return "is not a finished sentence"
    if sentence_count(text) > sentence_count(source):
        return "more than one sentence"
    return None


def _markup(text: str) -> set[str]:
    return {mark.group() for mark in _MARKUP.finditer(text)}
