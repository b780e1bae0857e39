"""The CSS classes that colour arms and kinds of question; the palettes are in style.css."""

from __future__ import annotations

from augmlx.core.arms import ARMS

_COLOURED_KINDS = 4


def arm_class(arm: str) -> str:
    """The class that colours an arm; an arm of the user's own gets the neutral one."""
    return f"arm-{arm}" if arm in ARMS else "arm-other"


def kind_class(index: int) -> str:
    """The class that colours the kind of question at a place, where kinds are told apart."""
    return f"kind-{index}" if index < _COLOURED_KINDS else "kind-other"
