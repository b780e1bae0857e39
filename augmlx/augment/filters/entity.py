"""Entity closure: a candidate names what its source names, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.settings import AugmentSettings
from augmlx.english.names import entities
from augmlx.english.sentence import argument_in, arguments
from augmlx.english.stems import stem
from augmlx.english.text import Mention, normalise, words

_CODE = re.compile(r"[/\\_@]|[^\W\d_]\.[^\W\d_]{2}")  # a slash or the like, or "config.yaml"


def unknown_entity(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """Every name and number of the candidate must stand in its source, and both arguments of the
    source in the candidate.
    """
    if any(_is_new(entity, candidate.source) for entity in entities(candidate.text)):
        return "names something that is not in the source"
    if not _codes(candidate.text) <= _codes(candidate.source):
        return "spells a path, a file or an address otherwise"
    both = arguments(candidate.source)
    if both is None:
        return None
    missing = [
        side
        for side, argument in zip(("first", "last"), both, strict=True)
        if argument_in(candidate.text, argument, both) is None
    ]
    return f"does not name the source's {' and '.join(missing)} argument" if missing else None


def _codes(text: str) -> set[str]:
    """The words of a text that are spelt as they are for a machine: "~/.tidewell/config.yaml"."""
    spelt = (word.strip("\"'()[],;:!?").rstrip(".") for word in text.split())
    return {word for word in spelt if _CODE.search(word)}


def _is_new(entity: Mention, source: str) -> bool:
    """Whether a name, or a number in it, is not in the source."""
    if not _numbers(entity.text) <= {normalise(word.text) for word in words(source)}:
        return True
    spoken, source_words = normalise(entity.text).split(), normalise(source).split()
    if set(spoken) <= set(source_words):
        return False
    # A sentence may open with a word of the source that only there has a capital ("Owned by ...").
    is_known_by_stem = set(map(stem, spoken)) <= set(map(stem, source_words))
    return entity.start > 0 or not is_known_by_stem


def _numbers(text: str) -> set[str]:
    """The words of a text that hold a digit, normalised."""
    numbers = [word.text for word in words(text) if any(map(str.isdigit, word.text))]
    return set(map(normalise, numbers))
