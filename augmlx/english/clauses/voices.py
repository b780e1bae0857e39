"""The verb of a clause in the other voice: in the same tense and mood, as surely, for one or for
several.
"""

from __future__ import annotations

from augmlx.english.clauses import forms
from augmlx.english.clauses.clause import Clause
from augmlx.english.lexicon import word_set


def passive(clause: Clause, *, is_plural: bool) -> str | None:
    """ "defeated" -> "was defeated", "may not accept" -> "may not be accepted"; None where there is
    no passive, or it is not known.

    Args:
        is_plural: what then is the subject names several.
    """
    be = _be(clause, is_plural=is_plural)
    done = forms.participle(clause.verb)
    if be is None or not done:
        return None
    verb = clause.as_written(f"{be} {done}")
    return " ".join([verb, *([clause.particle] if clause.particle else [])])


def _be(clause: Clause, *, is_plural: bool) -> str | None:
    present, past = ("are", "were") if is_plural else ("is", "was")
    have = "have" if is_plural else "has"
    negation = _negation(clause)
    if not clause.auxiliaries:
        simple = past if clause.tag in ("VBD", "VBN") else present
        return f"{simple}{negation}" if clause.tag != "VBG" else None
    if len(clause.auxiliaries) > 1:
        return None
    (auxiliary,) = clause.auxiliaries
    by_auxiliary = {
        "do": f"{present}{negation}",
        "does": f"{present}{negation}",
        "did": f"{past}{negation}",
        "has": f"{have}{negation} been",
        "have": f"{have}{negation} been",
        "had": f"had{negation} been",
    }
    if auxiliary in by_auxiliary:
        return by_auxiliary[auxiliary]
    if auxiliary in ("is", "are", "was", "were") and clause.tag == "VBG":
        return f"{past if auxiliary in ('was', 'were') else present}{negation} being"
    return f"{auxiliary}{negation} be" if auxiliary in word_set("modals") else None


def active(clause: Clause, *, is_plural: bool) -> str | None:
    """ "was defeated" -> "defeated", "can be cancelled" -> "can cancel"; None where it is not
    known.

    Args:
        is_plural: what then is the subject names several.
    """
    verb = _acting(clause, is_plural=is_plural)
    if verb is None:
        return None
    verb = clause.as_written(verb)
    return " ".join([verb, *([clause.particle] if clause.particle else [])])


def _acting(clause: Clause, *, is_plural: bool) -> str | None:
    negation, verb = _negation(clause), clause.verb
    auxiliaries = clause.auxiliaries
    if not auxiliaries:
        return None
    first, *rest = auxiliaries
    is_past = first in ("was", "were")
    if not rest and first in ("is", "are"):
        if clause.negations:
            return f"{'do' if is_plural else 'does'}{negation} {verb}"
        return f"{negation} {verb if is_plural else forms.third_person(verb)}".strip()
    if not rest and is_past:
        if clause.negations:
            return f"did{negation} {verb}"
        return f"{negation} {forms.past(verb)}".strip()
    if rest == ["being"]:
        present, past = ("are", "were") if is_plural else ("is", "was")
        return f"{past if is_past else present}{negation} {forms.continuous(verb)}"
    if rest == ["be"]:
        return f"{first}{negation} {verb}"
    if rest == ["been"]:
        have = first if first == "had" else ("have" if is_plural else "has")
        return f"{have}{negation} {clause.verb_text}"
    return None


def _negation(clause: Clause) -> str:
    """ " not", " never", " currently" or ""."""
    if not clause.negations:
        return "".join(f" {word}" for word in clause.adverbs)
    return " never" if "never" in clause.negations else " not"
