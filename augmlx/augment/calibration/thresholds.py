"""Labelled texts, scored by a model -> what the filters that ask it are worth, and go by.

Only texts on which those filters would be heard: that pass the rules before them, and that grammar
does not know to be right. A measure that hardly tells right from wrong chooses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from augmlx.augment.calibration.trials import EXAMINED
from augmlx.augment.exam.gold import golds, labelled_texts
from augmlx.augment.filters import MEASURES, Candidate, judge
from augmlx.augment.filters.weighing import BIAS, UNSURE
from augmlx.augment.filters.witnesses import WITNESSES, Testimony
from augmlx.augment.generate import load_operators
from augmlx.augment.journal import Journal
from augmlx.core.progress import Progress
from augmlx.core.records import fingerprint
from augmlx.core.settings import AugmentSettings
from augmlx.engines.protocol import Engine

_FACTS = 60  # of the exam, whose labelled texts are scored
_FIRST = 32  # texts that show whether the others are worth their scores
_PROMISING = 0.65  # area under the ROC curve that one of them must have for that
_TOGETHER = 16  # texts that are scored and journalled together
_TELLS = 0.7  # area under the ROC curve: a measure below it is not heard
_MORE = 0.1  # by so much must the area be above that of grammar alone
_SURE = 0.95  # share of the texts that pass that must be right
_ENOUGH = 0.25  # of the right texts must pass, else the weights are not worth their scores
_LENIENT = 0.9  # share of the right texts that a single measure's threshold lets pass
_FOLDS = 5
_RIDGE = 1.0

Matrix = npt.NDArray[np.float64]


class Text(NamedTuple):
    """A labelled text on which the model is heard."""

    key: str
    group: str  # the fact that it is about: its texts are never on both sides of a fold
    candidate: Candidate
    right: bool
    is_unsure: bool


class Heard(NamedTuple):
    """What a measure, or all of them weighed, is worth.

    Attributes:
        tells: the area under the ROC curve: 0.5 is chance.
        right: share of the right texts that pass what was chosen; 1 where nothing was.
        wrong: the same of the wrong ones.
        values: settings of augment that were chosen; none where it is not heard.
    """

    tells: float
    right: float
    wrong: float
    values: Mapping[str, object]


def hear(engine: Engine, journal: Journal, progress: Progress) -> dict[str, Heard]:
    """Score labelled texts and choose by them: measure, or "weights", -> what it is worth."""
    texts = list(_heard_on())
    heard = _heard(texts[:_FIRST], engine, journal, progress)
    if max(each.tells for each in heard.values()) < _PROMISING:
        return {name: each._replace(values={}) for name, each in heard.items()}
    return _heard(texts, engine, journal, progress)


def _heard(
    texts: Sequence[Text], engine: Engine, journal: Journal, progress: Progress
) -> dict[str, Heard]:
    scores = _scored(texts, engine, journal, progress)
    heard = {name: threshold(name, texts, scores[name]) for name in MEASURES}
    return {**heard, "weights": weights(texts, scores)}


# The texts


def _heard_on() -> Iterator[Text]:
    english = {gold.id: gold for gold in golds() if gold.lang == "en"}
    taken = dict(list(english.items())[:: max(1, len(english) // _FACTS)])
    settings = AugmentSettings(operators=EXAMINED)
    filters = {operator.name: operator.filters for operator in load_operators(settings)}
    for labelled in labelled_texts():
        gold = taken.get(labelled.fact_id)
        if gold is None:
            continue
        candidate = Candidate(0, labelled.text, gold.fact, "stop", answer=labelled.answer)
        testimony = _testimony(candidate, filters[labelled.operator], settings)
        if testimony is not None and testimony is not Testimony.RIGHT:
            key = fingerprint(["labelled", gold.fact, labelled.text, labelled.answer])
            is_unsure = testimony is Testimony.UNSURE
            yield Text(key, gold.id, candidate, labelled.right, is_unsure)


def _testimony(
    candidate: Candidate, filters: Sequence[str], settings: AugmentSettings
) -> Testimony | None:
    """What grammar knows of a text that passes the rules before; None for one that does not."""
    place = next(number for number, name in enumerate(filters) if name in WITNESSES)
    (verdict,) = judge([candidate], filters[:place], settings, limit=False)
    return WITNESSES[filters[place]](candidate) if verdict.kept else None


def _scored(
    texts: Sequence[Text], engine: Engine, journal: Journal, progress: Progress
) -> dict[str, Matrix]:
    """Measure -> the value of each text, NaN where it says nothing of it."""
    with progress.task("Scoring labelled texts", len(texts)) as task:
        for start in range(0, len(texts), _TOGETHER):
            part = texts[start : start + _TOGETHER]
            _score(part, engine, journal)
            task.advance(len(part))
    found = journal.scores([text.key for text in texts])
    return {
        name: np.array([found.get((text.key, name), np.nan) for text in texts]) for name in MEASURES
    }


def _score(part: Sequence[Text], engine: Engine, journal: Journal) -> None:
    known = journal.scores([text.key for text in part])
    asked = []
    for name, measure in MEASURES.items():
        for text in part:
            rows = measure.rows(text.candidate)
            if rows and (text.key, name) not in known:
                asked.append((text.key, name, rows))
    pairs = [pair for _, _, rows in asked for pair in rows]
    if not pairs:
        return
    prompts, continuations = zip(*pairs, strict=True)
    scores = iter(engine.score(prompts, continuations))
    journal.add_scores(
        (key, name, MEASURES[name].value([next(scores) for _ in rows])) for key, name, rows in asked
    )


# What they are worth


def threshold(name: str, texts: Sequence[Text], values: Matrix) -> Heard:
    """One measure by itself: where it tells right from wrong, a threshold that lets most of the
    right texts pass.
    """
    has_value = ~np.isnan(values)
    right = np.array([text.right for text in texts])[has_value]
    known = values[has_value]
    tells = _area(known, right)
    if tells < _TELLS:
        return Heard(tells, 1.0, 1.0, {})
    bound = round(float(np.quantile(known[right], 1 - _LENIENT, method="lower")), 3)
    passes = known >= bound
    return Heard(tells, passes[right].mean(), passes[~right].mean(), {name: bound})


def weights(texts: Sequence[Text], scores: Mapping[str, Matrix]) -> Heard:
    """All measures and what grammar knows, weighed by logistic regression; what they are worth is
    measured on facts that the weights were not fitted on.
    """
    right = np.array([text.right for text in texts])
    columns = {name: np.nan_to_num(values) for name, values in scores.items()}
    columns[UNSURE] = np.array([float(text.is_unsure) for text in texts])
    if not right.any() or right.all():
        return Heard(0.5, 1.0, 1.0, {})
    table = np.stack(list(columns.values()), axis=1)  # (texts, witnesses)
    folds = _folds(texts)
    balance = np.zeros(len(texts))
    for fold in range(_FOLDS):
        fitted = _fit(table[folds != fold], right[folds != fold])
        balance[folds == fold] = _balance(table[folds == fold], fitted)
    tells = _area(balance, right)
    bound = _bound(balance, right)
    passes = balance >= bound
    share = float(passes[right].mean())
    by_grammar = _area(-columns[UNSURE], right)
    if tells < max(_TELLS, by_grammar + _MORE) or share < _ENOUGH:
        return Heard(tells, 1.0, 1.0, {})
    *slopes, bias = _fit(table, right)
    values = dict(zip(columns, slopes, strict=True)) | {BIAS: bias - bound}
    rounded = {name: round(float(value), 4) for name, value in values.items()}
    return Heard(tells, share, float(passes[~right].mean()), {"weights": rounded})


def _area(values: Matrix, right: npt.NDArray[np.bool_]) -> float:
    """The area under the ROC curve: how often a right text has more than a wrong one."""
    above = values[right][:, None] - values[~right][None, :]
    return float(((above > 0) + (above == 0) / 2).mean()) if above.size else 0.5


def _bound(balance: Matrix, right: npt.NDArray[np.bool_]) -> float:
    """The least value above which enough texts are right; above all where there is none."""
    order = np.argsort(-balance, kind="stable")
    precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    sure = np.flatnonzero(precision >= _SURE)
    return float(balance[order[sure[-1]]]) if sure.size else float("inf")


def _folds(texts: Sequence[Text]) -> npt.NDArray[np.int64]:
    numbers: dict[str, int] = {}
    for text in texts:
        numbers.setdefault(text.group, len(numbers))
    return np.array([numbers[text.group] % _FOLDS for text in texts])


def _fit(table: Matrix, right: npt.NDArray[np.bool_]) -> Matrix:
    """Weights and, last, the bias, by Newton's method on the penalised likelihood (Bishop 2006,
    4.3.3); the columns count in units of their own spread.
    """
    spread = np.maximum(table.std(axis=0), 1e-9)
    design = np.concatenate([table / spread, np.ones((len(table), 1))], axis=1)
    penalty = np.diag([*[_RIDGE] * table.shape[1], 0.0])
    fitted = np.zeros(design.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(design @ fitted, -30, 30)))
        slope = design.T @ (right - chance) - penalty @ fitted
        bend = (design.T * (chance * (1 - chance))) @ design + penalty
        fitted = fitted + np.linalg.solve(bend + 1e-9 * np.eye(len(bend)), slope)
    return np.asarray(fitted / np.append(spread, 1.0))


def _balance(table: Matrix, fitted: Matrix) -> Matrix:
    return np.asarray(table @ fitted[:-1] + fitted[-1])
