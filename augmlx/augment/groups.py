"""Plan and journal -> groups: the samples of one operator on the same premises, as candidates for
the filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice

from augmlx.augment.filters import MEASURES, Candidate, Scores, is_known_right
from augmlx.augment.journal import Journal
from augmlx.augment.languages.content import left_out, place_of
from augmlx.augment.languages.lexicon import ENGLISH
from augmlx.augment.operators import Operator
from augmlx.augment.plan import Plan, Planned
from augmlx.core import example_id
from augmlx.engines.protocol import Completion, Request
from augmlx.english.replies import Reply, read_pair, read_reply

TOGETHER = 128  # groups whose completions are looked up, and whose verdicts are written, together


@dataclass(frozen=True, slots=True)
class Group:
    """The samples of one operator on the same premises.

    Args:
        members: all of them, in the order of the plan.
        candidates: what was written, one for each that could be.
        failed: sample -> why the engine could not write it; it takes no part in the vote.
        scores: what the model said of the candidates.
    """

    members: Sequence[Planned]
    candidates: Sequence[Candidate]
    failed: Mapping[int, str]
    scores: Scores

    @property
    def operator(self) -> Operator:
        return self.members[0].operator


def groups_of(plan: Plan, journal: Journal) -> Iterator[Group]:
    """The groups of a plan, in its order, each with the samples that were drawn of it. The journal
    holds their completions.
    """
    for several in members_of_groups(plan):
        together = chain.from_iterable(several)
        keys = [planned.request.key for planned in together]
        completions = journal.completions(keys)
        scores = journal.scores(keys)
        for members in several:
            yield _group(drawn(members, completions), completions, scores)


def members_of_groups(plan: Plan) -> Iterator[list[list[Planned]]]:
    """All that a plan holds, group by group, several groups at a time."""
    one_by_one = (list(members) for _, members in groupby(plan, key=_group_id))
    while several := list(islice(one_by_one, TOGETHER)):
        yield several


# Rounds: of each lead one sample is drawn, then another, then two more, then the rest; a lead of
# which a sample is known to be right is settled, and no more are drawn of it.
_ROUNDS = (1, 2, 4)  # samples of a lead that are drawn before the second round, the third, ...


def drawn(members: Sequence[Planned], completions: Mapping[str, Completion]) -> list[Planned]:
    """The members of a group that have been drawn, in their order."""
    found: list[Planned] = []
    for samples in _by_lead(members):
        found += _drawn_of_lead(samples, completions)
    written = [planned for planned in found if planned.request.key in completions]
    return sorted(written, key=lambda planned: planned.sample)


def to_draw(members: Sequence[Planned], completions: Mapping[str, Completion]) -> list[Planned]:
    """The members of a group that the next round draws; none where every lead is settled."""
    found: list[Planned] = []
    for samples in _by_lead(members):
        so_far = _drawn_of_lead(samples, completions)
        missing = [planned for planned in so_far if planned.request.key not in completions]
        found += missing
    return sorted(found, key=lambda planned: planned.sample)


def _by_lead(members: Sequence[Planned]) -> list[list[Planned]]:
    samples: dict[int, list[Planned]] = {}
    for planned in members:
        samples.setdefault(planned.lead, []).append(planned)
    return list(samples.values())


def _drawn_of_lead(
    samples: Sequence[Planned], completions: Mapping[str, Completion]
) -> list[Planned]:
    """The samples of one lead up to the end of the round that settles it, or that is not whole."""
    for end in (*_ROUNDS, len(samples)):
        of_round = list(samples[:end])
        known = [completions.get(planned.request.key) for planned in of_round]
        pairs = zip(of_round, known, strict=True)
        is_whole = all(known)
        if not is_whole or any(_settles(planned, one) for planned, one in pairs if one):
            return of_round
    return list(samples)


def _settles(planned: Planned, completion: Completion) -> bool:
    """Whether a sample is known to be right, so that its lead needs no further ones."""
    if completion.finish == "error":
        return False
    return is_known_right(_candidate(planned, completion), planned.operator.filters)


def _group_id(planned: Planned) -> str:
    return example_id.parse(planned.id).group


def _group(
    members: Sequence[Planned],
    completions: Mapping[str, Completion],
    scores: Mapping[tuple[str, str], float],
) -> Group:
    """A group, given what the journal holds: key -> completion, (key, measure) -> score."""
    candidates = []
    failed: dict[int, str] = {}
    own_scores: dict[tuple[int, str], float] = {}
    for planned in members:
        key = planned.request.key
        completion = completions[key]
        if completion.finish == "error":
            failed[planned.sample] = completion.text
        else:
            candidates.append(_candidate(planned, completion))
        for measure in MEASURES:
            if (key, measure) in scores:
                own_scores[planned.sample, measure] = scores[key, measure]
    return Group(members, candidates, failed, own_scores)


def _candidate(planned: Planned, completion: Completion) -> Candidate:
    premises = planned.premises
    # Each once: the fact itself stands among those that are shown with it.
    shown = premises.facts if not premises.known else (*premises.known, *premises.facts)
    by_rule = planned.written is not None
    source = planned.source
    answer = planned.answer
    if by_rule:
        reply = Reply(completion.text.strip())
    elif planned.operator.answer == "by-model":
        reply, answer = _pair(planned, completion, source)
    else:
        reply = _reply(planned, completion, source)
    # What was cut off at the limit stood behind the text.
    is_whole = "rest" in reply.removed
    return Candidate(
        sample=planned.sample,
        text=reply.text,
        source=source,
        finish="stop" if is_whole else completion.finish,
        premises=tuple(fact.text for fact in dict.fromkeys(shown)),
        answer=answer,
        lead=planned.lead,
        removed=reply.removed,
        conclusions=planned.sample + 1 if by_rule else max(1, len(premises.openings)),
        language=planned.language,
    )


def _reply(planned: Planned, completion: Completion, source: str) -> Reply:
    """What was meant by what the engine wrote."""
    text = written_text(planned.request, completion)
    return read_reply(text, source, labels=_labels(planned.operator), asks=planned.operator.asks)


def _pair(planned: Planned, completion: Completion, source: str) -> tuple[Reply, str]:
    """The question that was meant, and its answer in the words of the source: those of the model's
    answer or, where that is no part of the source, those that the question leaves out.
    """
    operator = planned.operator
    text = written_text(planned.request, completion)
    reply, answer = read_pair(text, source, labels=_labels(operator))
    known = place_of(answer, source)
    if not known and planned.language != ENGLISH:
        known = left_out(planned.language, source, reply.text)
    return reply, known or answer


def _labels(operator: Operator) -> tuple[str, ...]:
    labels = (operator.known_label, operator.input_label, operator.answer_label)
    return (*labels, operator.output_label)


def written_text(request: Request, completion: Completion) -> str:
    """What was written, behind the opening of its prompt."""
    # A server's model began otherwise than it was told to: see HttpEngine.
    began_otherwise = request.chat and completion.text.startswith("\n")
    began_anew = bool(request.opening) and completion.text.lstrip().startswith(request.opening)
    if began_otherwise or began_anew:
        return completion.text
    return f"{request.opening}{completion.text}"
