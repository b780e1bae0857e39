"""Filters that compare a candidate with its siblings: agreement, repetition, surplus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rapidfuzz.distance import Indel

from augmlx.augment.filters.candidate import Candidate
from augmlx.core.decimals import times
from augmlx.core.settings import AugmentSettings
from augmlx.english.sameness import wording
from augmlx.english.text import normalise


def outvoted(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """Fewer than `vote_share` of the samples of its lead that passed so far say the same, after
    normalisation (`wording`).
    """
    voters = [sibling for sibling in siblings if sibling.lead == candidate.lead]
    votes_by_wording = Counter(wording(sibling.text) for sibling in voters)
    votes = votes_by_wording[wording(candidate.text)]
    if votes < times(settings.vote_share, len(voters)):
        return f"{votes} of {len(voters)} samples agree"
    return None


def duplicate(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """Says the same as an earlier sample.

    The similarity keeps the order of the words (Indel, normalised): a token-set or embedding
    similarity would take a statement and its reversal for the same.
    """
    text = normalise(candidate.text)
    for earlier in siblings:
        if earlier.sample >= candidate.sample:
            break
        similarity = Indel.normalized_similarity(text, normalise(earlier.text))
        if similarity >= settings.duplicate_similarity:
            return f"repeats sample {earlier.sample}"
    return None


def surplus(
    candidate: Candidate, siblings: Sequence[Candidate], settings: AugmentSettings
) -> str | None:
    """More than `keep` examples of this fact and operator are left, and more than a rule draws
    conclusions.
    """
    rank = sum(sibling.sample < candidate.sample for sibling in siblings)
    limit = max(settings.keep, candidate.conclusions)
    return f"{limit} are kept already" if rank >= limit else None
