"""The softmax over a vocabulary and the log of what it divides by, in float32.

A GPU has kernels for both. MLX's CPU backend on Linux computes `exp` one number at a time, by a
polynomial whose every term is a call of libm's fma, which takes twice as long as the powf behind
`power`; and it sums a row from end to end, which is off by 1.5e-4 nats a token at a vocabulary of
49,000, always to the same side. So both are made another way there.
"""

from __future__ import annotations

from functools import cache
from math import e, log2

import mlx.core as mx

from augmlx.models import blas

_BLOCK = 1024  # terms that are added from end to end


def softmax(logits: mx.array) -> tuple[mx.array, mx.array]:
    """(n, V) float32 logits -> their softmax (n, V), and the log of their summed exponentials
    (n,).
    """
    if _scalar():
        largest, terms = _terms(logits)
        mass = _sum(terms)
        return terms / mass[:, None], largest + mx.log(mass)
    shares = mx.softmax(logits, axis=-1)
    # The largest share is 1 / sum(exp(logits - largest)): one pass of exponentials for both.
    return shares, logits.max(axis=-1) - mx.log(shares.max(axis=-1))


def log_mass(logits: mx.array) -> mx.array:
    """(n, V) float32 logits -> (n,), the log of their summed exponentials."""
    if _scalar():
        largest, terms = _terms(logits)
        return largest + mx.log(_sum(terms))
    return mx.logsumexp(logits, axis=-1)


@cache
def _scalar() -> bool:
    """Whether MLX computes one number at a time here."""
    return blas.needs_blas()


def _terms(logits: mx.array) -> tuple[mx.array, mx.array]:
    """(n, V) -> the largest of each row (n,), and the exponentials of what the others are below it
    (n, V).
    """
    largest = logits.max(axis=-1)
    return largest, mx.power(2.0, (logits - largest[:, None]) * log2(e))


def _sum(terms: mx.array) -> mx.array:
    """(n, V) -> (n,), block by block."""
    ends = list(range(_BLOCK, terms.shape[-1], _BLOCK))
    blocks = mx.split(terms, ends, axis=-1)
    sums = [block.sum(axis=-1) for block in blocks]
    return mx.stack(sums, axis=-1).sum(axis=-1)
