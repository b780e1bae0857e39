"""The optimizers of mlx as the settings name them, and the learning rate of each step."""

from __future__ import annotations

import math
from typing import Literal

import mlx.optimizers as optim

from augmlx.core.settings import TrainSettings

OptimizerName = Literal["adam", "adamw", "adafactor", "muon", "sgd"]


def make(name: OptimizerName, peak: float, *, weight_decay: float) -> optim.Optimizer:
    """A fresh optimizer whose learning rate is `peak` until another one is set.

    Adafactor takes that rate as it is: mlx's own default derives one from the step and the size of
    the weights. Muon makes the update of a matrix orthogonal; what has one dimension, as DoRA's
    magnitudes, has momentum alone.
    """
    match name:
        case "adam":
            return optim.Adam(peak, bias_correction=True)
        case "adamw":
            return optim.AdamW(peak, weight_decay=weight_decay, bias_correction=True)
        case "adafactor":
            return optim.Adafactor(
                peak,
                weight_decay=weight_decay,
                relative_step=False,
                scale_parameter=False,
                warmup_init=False,
            )
        case "muon":
            return optim.Muon(peak, momentum=0.95, weight_decay=weight_decay)
        case "sgd":
            return optim.SGD(peak, momentum=0.9, weight_decay=weight_decay)


# How fast the best rate falls with the hidden size, by the beginning of config.json's model_type.
_EXPONENTS = {"llama": 0.781, "qwen": 0.0775}


def learning_rate(settings: TrainSettings, hidden_size: int, model_type: str = "") -> float:
    """The peak learning rate. "auto" is 5e-5 * 10 * (2000 / hidden size) ** exponent, which
    Thinking Machines published for LoRA with alpha 32 ("LoRA Without Regret", and the
    hyper-parameter pages of Tinker, 2025), with an exponent for Llama models and one for Qwen's. Of
    other models the lower of both rates is taken. The 10 is what they found LoRA's best rate to be
    over that of full fine-tuning, so method full goes without it. A training that is held at
    anchors is of fewer layers and takes 1.5 of it: docs/LOG.md.
    """
    if settings.learning_rate != "auto":
        return settings.learning_rate
    factor = 5e-5 if settings.method == "full" else 5e-4
    if settings.anchor:
        factor *= 1.5
    own = [value for family, value in _EXPONENTS.items() if model_type.startswith(family)]
    exponents = own or list(_EXPONENTS.values())
    return float(factor * min((2000 / hidden_size) ** exponent for exponent in exponents))


def rate(step: int, total: int, peak: float, settings: TrainSettings) -> float:
    """The learning rate of step 1..total: a linear rise over the warm-up share, then the schedule
    of the settings.

    One step is at the peak, whatever the numbers: the last of the rise, or the first of all. From
    there a linear or cosine fall ends at a tenth of it.
    """
    wanted = max(1, math.ceil(total * settings.warmup))
    rising = min(wanted, max(1, total - 1))
    if step <= rising:
        return peak * (step / rising)  # so that none is above the peak
    share = (step - rising) / (total - rising)
    match settings.schedule:
        case "linear":
            return peak * (1 - 0.9 * share)
        case "cosine":
            return peak * (0.55 + 0.45 * math.cos(math.pi * share))
        case "constant":
            return peak
