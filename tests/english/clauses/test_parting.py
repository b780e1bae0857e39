"""A sentence that says several things, taken apart; and one that must not be."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.parting import parted

APART = [
    "Ada Voss founded Orrin Mills in 1990 and sold it in 2004. | Ada Voss founded Orrin Mills in "
    "1990. | Ada Voss sold Orrin Mills in 2004.",
    "Employees must wear a badge and return it to the desk. | Employees must wear a badge. | "
    "Employees must return the badge to the desk.",
    "The pump weighs 12 kg and runs on 230 V. | The pump weighs 12 kg. | The pump runs on 230 V.",
    "The lamp uses 8 W, weighs 2 kg and costs 40 euros. | The lamp uses 8 W. | The lamp weighs 2 "
    "kg. | The lamp costs 40 euros.",
    "The office opens at nine, and the canteen closes at three. | The office opens at nine. | The "
    "canteen closes at three.",
    "Employees receive 25 days of leave, and they may carry over five days. | Employees receive 25 "
    "days of leave. | Employees may carry over five days.",
    "Orrin Mills, which was founded in 1990, employs 40 people. | Orrin Mills employs 40 people. | "
    "Orrin Mills was founded in 1990.",
    "The museum, which was opened by the mayor, closes on Mondays and is free for children. | The "
    "museum closes on Mondays. | The museum is free for children. | The museum was opened by the "
    "mayor.",
    "Returns do not include batteries and are free of charge. | Returns do not include batteries. "
    "| Returns are free of charge.",
    "Visitors must sign in, wear a badge and be accompanied. | Visitors must sign in. | Visitors "
    "must wear a badge. | Visitors must be accompanied.",
    "Preheat the oven and grease the tin. | Preheat the oven. | Grease the tin.",
]
WHOLE = [
    "The shop opens at 9 and closes at 5 on Mondays.",  # both on Mondays?
    "On Mondays, the shop opens at 9 and the cafe opens at 10.",
    "Visitors must sign in and wear a badge if they enter the lab.",
    "No visitor may enter the lab and touch the samples.",
    "Staff eat and smoke in the canteen.",
    "Guests may sleep in the hall or pitch a tent.",
    "A customer called the shop and complained about the price.",  # the same customer
    "Pets may not enter the hall and touch the food.",
    "Ada Voss wants to sell the mill and move to Bor.",
    "Ada Voss founded the mill in 1990 and sold it two years later.",  # later than what?
    "Ada Voss founded the abbey and is buried there.",
    "Paper belongs in the blue bin, and glass belongs in the green one.",
    "The monks brewed for the abbey and sold the rest at the market.",
    "The jacket is waterproof, but the zip is not.",
    "Ada Voss owns the mill.",
    "The mill and the bridge were built in 1890.",
]


@pytest.mark.parametrize("line", APART)
def test_what_is_said_of_one_subject_is_said_of_it_in_each_statement(line: str) -> None:
    sentence, *statements = line.split(" | ")
    assert list(parted(sentence)) == statements


@pytest.mark.parametrize("sentence", WHOLE)
def test_what_is_bound_together_stays_together(sentence: str) -> None:
    assert parted(sentence) == ()
