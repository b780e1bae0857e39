"""Form: is it one finished sentence, and nothing of the prompt?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.text import normalise, sentences

_CHATTER = re.compile(
    r"(here (is|are)|sure|certainly|of course|okay|as an ai|i('m| am) sorry)\b", re.IGNORECASE
)
_LABEL = re.compile(
    r"(fact|result|other way round|in other words|answer|question|note|example)\s*:", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?。！？।؟]['\"”’)\]」』]*$")
_MARKUP = re.compile(
    r"<\|[^|]*\|>|</?\w+>|\{\{|\}\}|\{%|%\}|`+|\*\*|^[#>*-]+\s|^\d+[.)]\s|\[/?INST\]", re.MULTILINE
)


def objection(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """Empty, cut off, chatter, prompt echo, markup, or more sentences than its source has. What the
    source holds itself ("Sure Start", a fact about {{ braces }}) is never held against the
    candidate.
    """
    text, source = candidate.text.strip(), candidate.source.strip()
    if not normalise(text):
        return "empty"
    if candidate.finish == "length":
        return "cut off at the token limit"
    if _opens_with(_CHATTER, text, source):
        return "talks about the task"
    if _opens_with(_LABEL, text, source):
        return "repeats the prompt's label"
    if {found.group() for found in _MARKUP.finditer(text)} - {
        found.group() for found in _MARKUP.finditer(source)
    }:
        return "holds markup that is not in the source"
    if normalise(text) == normalise(source):
        return "copies the source"
    if _SENTENCE_END.search(source) and not _SENTENCE_END.search(text):
        return "is not a finished sentence"
    if sentences(text) > sentences(source):
        return "more than one sentence"
    return None


def _opens_with(pattern: re.Pattern[str], text: str, source: str) -> bool:
    found = pattern.match(text)
    return found is not None and found.group().casefold() not in source.casefold()
