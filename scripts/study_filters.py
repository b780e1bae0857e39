"""What each filter is worth: on the exam's labelled texts, by itself, and where it is taken away.

    scripts/study_filters.py [--language en]

Of every operator's texts, labelled right and wrong by hand: how many of each a filter drops by
itself, and how many are kept by all filters, with it and without it. No model is asked; what a
model says of texts is measured by `augmlx calibrate`.
"""

from __future__ import annotations

from collections.abc import Sequence

import benchmark

from augmlx.augment.calibration.trials import EXAMINED
from augmlx.augment.exam.gold import Labelled, golds, labelled_texts
from augmlx.augment.filters import Candidate, judge
from augmlx.augment.generate import load_operators
from augmlx.core.settings import AugmentSettings

SETTINGS = AugmentSettings(operators=EXAMINED)


def main() -> None:
    parser = benchmark.options(__doc__)
    parser.add_argument("--language", default="en")
    given = parser.parse_args()
    facts = {gold.id: gold.fact for gold in golds() if gold.lang == given.language}
    figures: dict[str, object] = {}
    for operator in load_operators(SETTINGS):
        texts = [
            text
            for text in labelled_texts()
            if text.operator == operator.name and text.fact_id in facts
        ]
        right, wrong = counts(texts, kept(texts, facts, operator.filters))
        total_right, total_wrong = counts(texts, [True] * len(texts))
        head = f"keeps {right} of {total_right} right texts, {wrong} of {total_wrong} wrong"
        print(f"\n{operator.name}: {head}")
        print(f"{'':<12}{'drops right':>12}{'drops wrong':>12}{'without: right':>16}{'wrong':>7}")
        for name in operator.filters:
            alone = counts(texts, kept(texts, facts, [name]))
            rest = [other for other in operator.filters if other != name]
            without = counts(texts, kept(texts, facts, rest))
            dropped = total_right - alone[0], total_wrong - alone[1]
            print(f"{name:<12}{dropped[0]:>12}{dropped[1]:>12}{without[0]:>16}{without[1]:>7}")
            figures[f"{operator.name}.{name}"] = {"drops": dropped, "without": without}
        figures[operator.name] = {"kept": (right, wrong), "of": (total_right, total_wrong)}
    benchmark.finish(figures, {}, given.json)


def kept(texts: Sequence[Labelled], facts: dict[str, str], filters: Sequence[str]) -> list[bool]:
    """Whether each text, as the only sample, passes some filters."""
    found = []
    for text in texts:
        candidate = Candidate(0, text.text, facts[text.fact_id], "stop", answer=text.answer)
        (verdict,) = judge([candidate], filters, SETTINGS)
        found.append(verdict.kept)
    return found


def counts(texts: Sequence[Labelled], passing: Sequence[bool]) -> tuple[int, int]:
    """How many right and how many wrong texts pass."""
    pairs = list(zip(texts, passing, strict=True))
    right = sum(passes for text, passes in pairs if text.right)
    return right, sum(passes for _, passes in pairs) - right


if __name__ == "__main__":
    main()
