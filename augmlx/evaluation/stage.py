"""All arms on the same items, written to eval/. An arm that an interrupted comparison finished is
not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from augmlx.core import arms
from augmlx.core.arms import BASE
from augmlx.core.files import read_jsonl, write_jsonl
from augmlx.core.progress import Progress
from augmlx.core.records import (
    EvalItem,
    EvalResult,
    Example,
    Fact,
    Json,
    fingerprint,
    result_from_json,
    to_json,
)
from augmlx.core.run_folder import RunFolder
from augmlx.core.settings import Settings
from augmlx.engines.protocol import Engine
from augmlx.evaluation import (
    ability,
    asking,
    chat_items,
    overclaims,
    prompts,
    results,
    summary,
)
from augmlx.evaluation.cells import cells_by_arm
from augmlx.evaluation.differences import differences
from augmlx.evaluation.items import link
from augmlx.evaluation.leaks import leak_notes, leaks_by_kind
from augmlx.evaluation.overclaims import Probe
from augmlx.evaluation.summary import Ability, Overclaims, Regression, Summary, TrainingSize

FILES = (summary.FILE, results.RESULTS, results.ITEMS)  # of eval/
_CODE = 5  # raised when an arm answers otherwise than before


def mark(settings: Settings) -> Json:
    """What else than items, engines and settings decides what is told: the code, and what general
    ability is.
    """
    return {"code": _CODE, "ability": ability.mark() if settings.eval.ability else ""}


@dataclass(frozen=True, slots=True)
class About:
    """What the summary says of the run, besides what is measured here.

    Args:
        derived: whether the items were derived from the facts.
        model: its name.
        trained: of each trained arm, on how much.
        notes: what a reader of the numbers must know.
    """

    derived: bool
    model: str
    trained: Mapping[str, TrainingSize]
    notes: Sequence[str] = ()


def compare(
    run: RunFolder,
    items: Sequence[EvalItem],
    facts: Sequence[Fact],
    settings: Settings,
    *,
    arms_of: Sequence[str],
    engine_of: Callable[[str], Engine],
    mark_of: Callable[[str], str],
    progress: Progress,
    about: About,
    trained: Sequence[Example],
    probes: Sequence[Probe] = (),
) -> Json:
    """Ask all arms, and write items.jsonl, results.jsonl and summary.json; returns the counts for
    the manifest.

    Args:
        arms_of: the arms, in the order that they are shown in.
        engine_of: the engine of an arm; called for arms that have to be asked.
        mark_of: the fingerprint of that engine, without loading it.
        trained: the augmentations that the augmented arm was trained on: what of the items'
            conclusions they state, and what the arm icl-augmented is shown.
        probes: what is asked that no fact answers.
    """
    asking = Asking(run, items, facts, trained, probes, settings, progress)
    answers: list[Answers] = []
    for arm in arms_of:
        engine_mark = mark_of(arm)
        finished = asking.finished(arm, engine_mark)
        answers.append(finished or asking.ask(arm, engine_of(arm), engine_mark))
    rows = [row for arm_answers in answers for row in arm_answers.results]
    abilities = {a.arm: a.ability for a in answers if a.ability is not None}
    losses = _losses(abilities, settings.seed)
    claims = _overclaims(answers, probes, facts)
    leaks = leaks_by_kind(items, facts, trained, rows)
    notes = [
        *about.notes,
        *(a.note for a in answers if a.note is not None),
        *_ability_notes(abilities),
        *leak_notes(leaks),
        *chat_items.notes(items, rows),
        *overclaims.notes(claims),
        *ability.loss_notes(losses),
        *([ability.REMEDY] if losses and not settings.train.anchor else []),
    ]
    fact_of = {item_id: facts[index].id for item_id, index in link(items, facts).items()}
    pairs = arms.pairs_among(arms_of)
    rows_of_pairs = differences(rows, items, pairs, seed=settings.seed, cluster_of=fact_of)
    whole = Summary(
        arms=cells_by_arm(rows, items),
        differences=tuple(rows_of_pairs),
        leaks=leaks,
        ability=abilities,
        overclaims=claims,
        regressions=tuple(losses),
        items=len(items),
        notes=tuple(notes),
        score=settings.eval.score,
        derived=about.derived,
        model=about.model,
        trained=about.trained,
    )
    results.write(run.eval, items, rows)
    summary.write(run.eval, whole)
    return {"items": len(items), "arms": len(arms_of)}


def _losses(abilities: Mapping[str, Ability], seed: int) -> list[Regression]:
    """What the arms lost of the base model's general ability, where that was measured."""
    before = abilities.get(BASE.name)
    if before is None:
        return []
    losses: list[Regression] = []
    for arm, after in abilities.items():
        if arm != BASE.name:
            losses += ability.regressions(before, after, arm, seed=seed)
    return losses


def _overclaims(
    answers: Sequence[Answers], probes: Sequence[Probe], facts: Sequence[Fact]
) -> dict[str, dict[str, Overclaims]]:
    """What each arm claims beyond what it was taught, where it was asked."""
    said = {a.arm: a.replies for a in answers if a.replies}
    taught = overclaims.taught_names(facts)
    return {
        arm: overclaims.counted(probes, replies, said.get(BASE.name), taught)
        for arm, replies in said.items()
    }


def _ability_notes(abilities: Mapping[str, Ability]) -> list[str]:
    if not abilities or BASE.name in abilities:
        return []
    return [
        f"The arm {BASE.name} was not asked, so nothing tells whether general ability was lost."
    ]


@dataclass(frozen=True, slots=True)
class Answers:
    """What an arm answered: its results in the order of the items, its general ability where that
    was measured, its replies to what no fact answers, and what a reader must know of what it was
    shown.
    """

    arm: str
    results: Sequence[EvalResult]
    ability: Ability | None
    replies: Sequence[str]
    note: str | None


class Asking:
    """The arms' answers on disk, one file each: a head, and a line for each item."""

    def __init__(
        self,
        run: RunFolder,
        items: Sequence[EvalItem],
        facts: Sequence[Fact],
        trained: Sequence[Example],
        probes: Sequence[Probe],
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._probes = probes
        self._run = run
        self._items = items
        self._facts = facts
        self._settings = settings
        self._progress = progress
        self._beside: dict[str, list[str]] = {}  # fact id -> the augmentations that begin with it
        for example in trained:
            self._beside.setdefault(example.origin.fact_ids[0], []).append(example.text)
        # What an arm's answers depend on: not which other arms are asked.
        config = settings.eval.model_dump(mode="json", exclude={"arms", "adapters"})
        self._shared = [
            mark(settings),
            [to_json(item) for item in items],
            [fact.text for fact in facts],
            probes,
            config,
        ]

    def _mark(self, arm: str, engine_mark: str) -> str:
        return fingerprint([self._shared, self._beside_in(arm) or [], engine_mark])

    def _beside_in(self, arm: str) -> dict[str, list[str]] | None:
        """What stands in an arm's prompt behind the facts."""
        if arms.shown_to(arm) == "facts and augmentations":
            return self._beside
        return None

    def _path(self, arm: str) -> Path:
        return self._run.eval / "arms" / f"{arm}.jsonl"

    def finished(self, arm: str, engine_mark: str) -> Answers | None:
        """What stands on disk of an arm, if it is of these items, facts, settings and engine."""
        path = self._path(arm)
        if not path.exists():
            return None
        head, *rows = read_jsonl(path)
        if head.get("fingerprint") != self._mark(arm, engine_mark):
            return None
        return Answers(
            arm=arm,
            results=[result_from_json(row) for row in rows],
            ability=summary.ability_from_json(head["ability"]) if "ability" in head else None,
            replies=head.get("replies", []),
            note=head.get("note"),
        )

    def ask(self, arm: str, engine: Engine, engine_mark: str) -> Answers:
        """Ask an arm, and keep its answers."""
        config = self._settings.eval
        sees_facts = arms.shown_to(arm) != "nothing"
        shown: dict[str, str] = {}
        note: str | None = None
        if sees_facts:
            shown, left_out = prompts.contexts(
                self._items, self._facts, engine, config.max_tokens, self._beside_in(arm)
            )
            note = prompts.context_note(arm, shown, left_out)
        rows = asking.ask_arm(arm, self._items, engine, config, self._progress, shown)
        measured: Ability | None = None
        if config.ability and not sees_facts and engine.can_score:
            measured = ability.measure(engine, self._progress)
        replies: list[str] = []
        if self._probes and not sees_facts:
            replies = overclaims.replies(self._probes, engine, config, self._progress)
        answers = Answers(arm, rows, measured, replies, note)
        self._keep(answers, self._mark(arm, engine_mark))
        return answers

    def _keep(self, answers: Answers, own_mark: str) -> None:
        head: Json = {"fingerprint": own_mark}
        if answers.note is not None:
            head["note"] = answers.note
        if answers.ability is not None:
            head["ability"] = summary.to_json(answers.ability)
        if answers.replies:
            head["replies"] = answers.replies
        write_jsonl(self._path(answers.arm), [head, *map(to_json, answers.results)])
