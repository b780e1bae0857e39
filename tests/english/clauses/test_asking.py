"""The questions that a statement answers."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.asking import asks

ASKED = {
    "Priya Rao leads the field team at Orval Logistics.": [
        ("Who leads the field team at Orval Logistics?", "Priya Rao"),
        ("What does Priya Rao lead?", "the field team at Orval Logistics"),
    ],
    "The Ostrel depot is in Dunmore.": [
        ("What is in Dunmore?", "the Ostrel depot"),
        ("Where is the Ostrel depot?", "in Dunmore"),
    ],
    "The Corvid engine does not support Windows 7.": [
        ("What does not support Windows 7?", "the Corvid engine"),
        ("What does the Corvid engine not support?", "Windows 7"),
    ],
    "The Orlo pump has a rated output of 8.5 kW at 7 °C.": [
        ("What has a rated output of 8.5 kW at 7 °C?", "the Orlo pump"),
        ("What rated output does the Orlo pump have at 7 °C?", "8.5 kW"),
    ],
    "If the pressure exceeds 6 bar, the relief valve opens.": [
        ("What opens if the pressure exceeds 6 bar?", "the relief valve"),
        ("When does the relief valve open?", "if the pressure exceeds 6 bar"),
    ],
    "The Garrow bridge collapsed in 1907 because the steel was too thin.": [
        ("What collapsed in 1907 because the steel was too thin?", "the Garrow bridge"),
        ("When did the Garrow bridge collapse because the steel was too thin?", "in 1907"),
        ("Why did the Garrow bridge collapse in 1907?", "because the steel was too thin"),
    ],
    "Bake the Almer cake at 180 °C for 25 minutes.": [
        ("What should you bake at 180 °C for 25 minutes?", "the Almer cake"),
        ("How long should you bake the Almer cake at 180 °C?", "25 minutes"),
    ],
    "To reset the Orlo pump, hold the side button for eight seconds.": [
        ("What should you hold for eight seconds to reset the Orlo pump?", "the side button"),
        ("How long should you hold the side button to reset the Orlo pump?", "eight seconds"),
    ],
    "The Treaty of Venn was signed in 1742 by envoys of both crowns.": [
        ("What was signed in 1742 by envoys of both crowns?", "the Treaty of Venn"),
        ("When was the Treaty of Venn signed by envoys of both crowns?", "in 1742"),
        ("Who was the Treaty of Venn signed by?", "envoys of both crowns"),
    ],
    "The Orrin prize was awarded to Ada Voss for a study of reeds.": [
        ("What was awarded to Ada Voss for a study of reeds?", "the Orrin prize"),
        ("What was the Orrin prize awarded to Ada Voss for?", "a study of reeds"),
    ],
    "Unlike the Elder Gate, the Younger Gate was rebuilt by Ada Voss.": [
        ("What was rebuilt by Ada Voss?", "the Younger Gate"),
        ("Who was the Younger Gate rebuilt by?", "Ada Voss"),
    ],
    "Dr. Anselm Oke, a weaver from Venn, leads the Tarn survey.": [
        ("Who leads the Tarn survey?", "Dr. Anselm Oke, a weaver from Venn"),
        ("What does Dr. Anselm Oke, a weaver from Venn, lead?", "the Tarn survey"),
    ],
    "The Glass Ferry: A History was written by Hollis Aigner.": [
        ("What was written by Hollis Aigner?", "The Glass Ferry: A History"),
        ("Who was The Glass Ferry: A History written by?", "Hollis Aigner"),
    ],
    "Staff are entitled to 27 days of leave a year.": [
        ("Who is entitled to 27 days of leave a year?", "staff"),
    ],
    "The Torven bridge is 240 metres long.": [
        ("How long is the Torven bridge?", "240 metres"),
    ],
    "There are 17 lighthouses along the Cape Orrel coast.": [
        ("How many lighthouses are there along the Cape Orrel coast?", "17"),
    ],
    "This warranty covers parts for two years.": [
        ("How long does this warranty cover parts?", "two years"),
    ],
    "It was designed by Petra Novak in Brno.": [],  # what was?
    "The default password policy requires at least 14 characters.": [
        ("What does the default password policy require?", "at least 14 characters"),
    ],
    "The annals of Venn remember Ada Voss.": [
        ("What remembers Ada Voss?", "the annals of Venn"),
    ],
    "Ada Voss is the glassblower responsible for the Orrin Chandelier.": [
        ("Who is the glassblower responsible for the Orrin Chandelier?", "Ada Voss"),
        ("Who is Ada Voss?", "the glassblower responsible for the Orrin Chandelier"),
    ],
    "Maia Lind is the cartographer who mapped the Torrin coast.": [
        ("Who is the cartographer who mapped the Torrin coast?", "Maia Lind"),
        ("Who is Maia Lind?", "the cartographer who mapped the Torrin coast"),
    ],
    "Casa Verde is the oldest hotel in Brell.": [
        ("What is the oldest hotel in Brell?", "Casa Verde"),
        ("What is Casa Verde?", "the oldest hotel in Brell"),
    ],
}


@pytest.mark.parametrize("text", ASKED)
def test_the_questions_of_a_statement(text: str) -> None:
    assert [(ask.question, ask.answer) for ask in asks(text)] == ASKED[text]


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("The Ostrel depot is in Dunmore.", "What is the Ostrel depot?"),
        ("Refunds are paid within 10 working days.", "When are refunds paid?"),
        ("It was designed by Petra Novak in Brno.", "What was designed by Petra Novak in Brno?"),
        ("No employee may accept gifts.", "Who may accept gifts?"),
        ("Bees are insects.", "What is insects?"),
        ("The warranty lasts three years.", "What lasts three years?"),
        ("The delay was due to a fault.", "Why was the delay?"),
        ("Exports are compressed by default.", "What are exports compressed by?"),
        ("The plan was rejected by 31 votes to 12.", "What was the plan rejected by?"),
        ("Bills must be approved by the finance lead.", "What must bills be approved by?"),
        ("Rhona Pike coached the Venn Rovers in 1999.", "What did Rhona Pike coach?"),
    ],
)
def test_what_does_not_fit_is_not_asked(text: str, never: str) -> None:
    assert never not in [ask.question for ask in asks(text)]
