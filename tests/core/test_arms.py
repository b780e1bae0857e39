"""The table of arms."""

from __future__ import annotations

from typing import get_args

from augmlx.core.arms import ARMS, CONTROLS, PAIRS, ArmName, in_table_order, pairs_among, shown_to


def test_the_table_and_the_type_name_the_same_arms() -> None:
    assert tuple(ARMS) == get_args(ArmName)
    assert all(name == arm.name for name, arm in ARMS.items())


def test_each_control_has_a_stage_and_so_a_folder_of_its_own() -> None:
    stages = [arm.stage for arm in CONTROLS]
    assert len({*stages, "train", ""}) == len(stages) + 2


def test_pairs_are_told_of_arms_that_are_there_and_of_the_users_own_adapters() -> None:
    assert pairs_among(["base", "augmented"]) == [("augmented", "base")]
    assert pairs_among(["mine", "augmented", "base", "mine"]) == [
        ("augmented", "base"),
        ("mine", "base"),
        ("augmented", "mine"),
    ]
    assert pairs_among(ARMS) == list(PAIRS)


def test_arms_come_in_the_order_of_the_table_and_the_users_own_behind_them() -> None:
    assert list(in_table_order(dict.fromkeys(["zoo", "oracle", "ant", "base"]))) == [
        "base",
        "oracle",
        "ant",
        "zoo",
    ]


def test_an_adapter_of_the_users_own_is_shown_nothing() -> None:
    assert [shown_to(name) for name in ("icl", "icl-augmented", "augmented", "mine")] == [
        "facts",
        "facts and augmentations",
        "nothing",
        "nothing",
    ]
