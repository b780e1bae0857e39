"""The control for everything else: is the model still as good at what has nothing to do with the
facts?

Each arm reads a text and answers everyday questions, both written for augmlx (ability_texts) and
the same in every run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from importlib import resources

from augmlx.core.errors import ModelError
from augmlx.core.progress import Progress, Silent
from augmlx.core.records import EvalItem, fingerprint, to_json
from augmlx.core.settings import EvalSettings
from augmlx.data.questions import read_questions
from augmlx.engines.protocol import Engine, Score
from augmlx.evaluation import answer as answer_module
from augmlx.evaluation.items import from_questions
from augmlx.evaluation.statistics import bootstrap, mcnemar, percent
from augmlx.evaluation.summary import Ability, Regression

# How much higher (as a share) a perplexity may be without being called a loss. Any training moves
# it: that of a text is the mean over a thousand tokens and more, so an interval excludes "no
# change" for one percent as well, which no reader could tell. 5 % is 0.05 nats a token.
TOLERANCE = 0.05

FELL = "General ability fell"
REMEDY = (
    f'{FELL}: split.replay = "self" mixes ordinary text into the training set, which keeps '
    f"more of it."
)
_CODE = 1  # raised when the same model would be measured otherwise than before
_GIVEN = (
    8  # words at the start of a text that are not scored: nothing stands before to tell them from
)
_TOGETHER = 16  # passages or questions in one call: between calls the measuring shows progress
_RULE = EvalSettings(score="token")
_DATA = resources.files("augmlx.evaluation") / "ability_texts"


def passages() -> list[str]:
    """The ordinary text, each passage on one line."""
    return [
        " ".join(block.split())
        for block in _DATA.joinpath("passages.txt").read_text("utf-8").split("\n\n")
    ]


def items() -> list[EvalItem]:
    """The everyday questions."""
    with resources.as_file(_DATA / "questions.csv") as path:
        return from_questions(read_questions(path), 4, seed=0)


def mark() -> str:
    """The fingerprint of what is measured: with another one, what was measured earlier cannot be
    compared.
    """
    return fingerprint([_CODE, _GIVEN, passages(), [to_json(item) for item in items()]])


def measure(engine: Engine, progress: Progress | None = None) -> Ability:
    """How well a model reads the shipped text and answers the everyday questions.

    A chunk is a passage behind its first eight words; a passage that does not fit the model's
    window is cut into chunks that do. A question is answered right where its answer is the choice
    that is likeliest per token.

    Raises ModelError where the window is too small for a question, or where the model's scores are
    no numbers.
    """
    asked = items()
    longest = max(
        engine.count(f"{answer_module.asked(item.prompt)} {choice}")
        for item in asked
        for choice in item.choices
    )
    if longest > engine.window:
        raise _too_small(engine)
    chunks = [chunk for passage in passages() for chunk in _chunks(passage.split(), engine)]
    scores: list[Score] = []
    correct: list[bool] = []
    with (progress or Silent()).task("Measuring general ability", len(chunks) + len(asked)) as task:
        for start in range(0, len(chunks), _TOGETHER):
            part = chunks[start : start + _TOGETHER]
            scores += engine.score([given for given, _ in part], [rest for _, rest in part])
            task.advance(len(part))
        for start in range(0, len(asked), _TOGETHER):
            members = asked[start : start + _TOGETHER]
            correct += answer_module.right(members, engine, _RULE)
            task.advance(len(members))
    tokens = sum(score.tokens for score in scores)
    loss = -sum(score.logprob for score in scores) / tokens
    if not math.isfinite(loss):
        raise ModelError(
            f"{engine.model}: its log-probabilities are no numbers",
            hint="train again with a lower train.learning_rate",
        )
    return Ability(
        perplexity=_exp(loss),
        tokens=tokens,
        accuracy=sum(correct) / len(correct),
        n=len(correct),
        correct=tuple(correct),
        chunks=tuple((score.logprob, score.tokens) for score in scores),
    )


def _chunks(words: Sequence[str], engine: Engine) -> list[tuple[str, str]]:
    """What is given and what is scored: the words in halves, and halves of these, until they fit
    the window.
    """
    if engine.count(" ".join(words)) <= engine.window:
        given = min(_GIVEN, len(words) // 2)
        return [(" ".join(words[:given]), f" {' '.join(words[given:])}")]
    if len(words) < 4:
        raise _too_small(engine)
    middle = len(words) // 2
    return _chunks(words[:middle], engine) + _chunks(words[middle:], engine)


def _too_small(engine: Engine) -> ModelError:
    fault = f"a window of {engine.window} tokens is too small to measure general ability in"
    return ModelError(f"{engine.model}: {fault}", hint="leave it out: eval.ability = false")


def _exp(loss: float) -> float:
    return math.exp(min(loss, 700.0))  # a broken model's may be greater than a float holds


def regressions(before: Ability, after: Ability, arm: str, *, seed: int) -> list[Regression]:
    """What of general ability an arm has lost; none where nothing is lost.

    Both abilities are measured under one tokenizer; the intervals are 95 % bootstraps of their
    difference, paired.

    perplexity: low and high bound the ratio after / before, drawn over chunks. A loss where low is
        above 1 + TOLERANCE.
    questions: low and high bound the accuracy's change, drawn over questions. A loss where high is
        below 0 and McNemar's exact test agrees: four lost and none won are enough for the interval,
        and yet 1 in 16 by chance.
    """
    return [*_of_perplexity(before, after, arm, seed), *_of_questions(before, after, arm, seed)]


def loss_notes(losses: Iterable[Regression]) -> list[str]:
    """What a reader must know, a sentence for each sort of loss; an arm may have several losses of
    one sort, one for each seed.
    """
    found: dict[str, dict[str, list[float]]] = {}
    was: dict[str, float] = {}
    for loss in losses:
        found.setdefault(loss.what, {}).setdefault(loss.arm, []).append(loss.after)
        was[loss.what] = loss.before
    sentences = []
    if arms_of := found.get("perplexity"):
        shown = ", ".join(
            f"{_span(values, '{:.0f}'.format)} ({arm})" for arm, values in arms_of.items()
        )
        sentences.append(
            f"ordinary text has a perplexity of {shown}, where it had {was['perplexity']:.0f}"
        )
    if arms_of := found.get("questions"):
        shown = ", ".join(f"{_span(values, _whole)} % ({arm})" for arm, values in arms_of.items())
        sentences.append(
            f"of everyday questions {shown} are answered right, where {_whole(was['questions'])} "
            f"% were"
        )
    return [f"{FELL}: {sentence}." for sentence in sentences]


def _span(values: Sequence[float], shown: Callable[[float], str]) -> str:
    low, high = shown(min(values)), shown(max(values))
    return low if low == high else f"{low} to {high}"


def _whole(share: float) -> str:
    return str(percent(share))


def _of_perplexity(before: Ability, after: Ability, arm: str, seed: int) -> list[Regression]:
    # A chunk counts as often as it has tokens, so that the mean is the logarithm of the
    # perplexities' ratio.
    rises = [
        [(was - now) / tokens] * tokens
        for (was, tokens), (now, _) in zip(before.chunks, after.chunks, strict=True)
    ]
    low, high = map(_exp, bootstrap(rises, seed=seed))
    if low <= 1 + TOLERANCE:
        return []
    was, now = before.perplexity, after.perplexity
    text = (
        f"The {arm} arm reads ordinary text worse than the base model: its perplexity is "
        f"{now:.3g} where it was "
        f"{was:.3g}, {now / was:.3g} times as high (95 % interval {low:.3g} to {high:.3g})."
    )
    return [Regression(arm, "perplexity", was, now, low, high, text)]


def _of_questions(before: Ability, after: Ability, arm: str, seed: int) -> list[Regression]:
    pairs = list(zip(before.correct, after.correct, strict=True))
    low, high = bootstrap([[float(now) - float(was)] for was, now in pairs], seed=seed)
    lost, won = (
        sum(was and not now for was, now in pairs),
        sum(now and not was for was, now in pairs),
    )
    if high >= 0 or mcnemar(lost, won) >= 0.05:
        return []
    was, now = before.accuracy, after.accuracy
    text = (
        f"The {arm} arm answers fewer everyday questions than the base model: {percent(now)} % of "
        f"{len(pairs)} where "
        f"it was {percent(was)} % ({lost} lost, {won} won; 95 % interval of the change "
        f"{100 * low:+.0f} to "
        f"{100 * high:+.0f} points)."
    )
    return [Regression(arm, "questions", was, now, low, high, text)]
