"""Whether a training has come apart: its numbers are finite, and it no longer learns."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from augmlx.training.metrics import Line

_LEAST = 16  # steps before which nothing is said
_WINDOW = range(5, 11)  # steps that a loss is the mean of: batches are not equally hard
# Times and nats: how far above its beginning a loss has to be, or above its lowest, once it is
# nearly where it began.
_MUCH, _RISEN, _NEARLY = (1.2, 1.0), (1.2, 1.0), 0.9
_STILL = 5  # steps without a gradient
_GONE = 1e-7  # the norm of no gradient
_LEARNT = 0.05  # nats a token: below that there is nothing left to learn


def fault(lines: Sequence[Line]) -> str | None:
    """What is wrong with a training, by the metrics of its steps so far; None where nothing is."""
    if len(lines) < _LEAST:
        return None
    losses = [float(line["loss"]) for line in lines]
    width = min(max(len(losses) // 3, _WINDOW[0]), _WINDOW[-1])
    first, last = fmean(losses[:width]), fmean(losses[-width:])
    times, nats = _MUCH
    if last > first * times + nats:
        return f"the loss is {last:.2f}, above its beginning of {first:.2f}"
    best = min(fmean(losses[at : at + width]) for at in range(len(losses) - width + 1))
    times, nats = _RISEN
    if last > max(best * times + nats, _NEARLY * first):
        return f"the loss is {last:.2f}, risen again from {best:.2f}"
    norms = [float(line["gradient_norm"]) for line in lines[-_STILL:]]
    if last > _LEARNT and max(norms) < _GONE:
        return f"the gradients are gone, with a loss of {last:.2f}"
    return None
