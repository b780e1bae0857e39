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
    "The Penrith Otters beat the Kendal Kites in 2021.": [
        ("Who beat the Kendal Kites in 2021?", "the Penrith Otters"),
        ("When did the Penrith Otters beat the Kendal Kites?", "in 2021"),
    ],
    "The relay team of Venn College was disqualified for a false start.": [
        ("Who was disqualified for a false start?", "the relay team of Venn College"),
        ("What was the relay team of Venn College disqualified for?", "a false start"),
    ],
    "The Venn Rowing Crew was defeated by the Tarn Rowing Crew.": [
        ("Who was defeated by the Tarn Rowing Crew?", "the Venn Rowing Crew"),
        ("Who was the Venn Rowing Crew defeated by?", "the Tarn Rowing Crew"),
    ],
    "Marisol Vega, who runs the Tidepool bookshop, taught at Orrin College.": [
        ("Who taught at Orrin College?", "Marisol Vega, who runs the Tidepool bookshop"),
        (
            "Where did Marisol Vega, who runs the Tidepool bookshop, teach?",
            "at Orrin College",
        ),
    ],
    "The data breach exposed the addresses of 8,300 customers.": [
        ("What exposed the addresses of 8,300 customers?", "the data breach"),
        ("What did the data breach expose?", "the addresses of 8,300 customers"),
    ],
    "The function parse_date() returns None for empty strings.": [
        ("What returns None for empty strings?", "the function parse_date()"),
        ("What does the function parse_date() return for empty strings?", "None"),
        ("What does the function parse_date() return None for?", "empty strings"),
    ],
    "Three out of four voters backed the tram line.": [
        ("Who backed the tram line?", "three out of four voters"),
        ("What did three out of four voters back?", "the tram line"),
    ],
    "Emil Stark sold the stamps to a dealer in Quain for $900.": [
        ("Who sold the stamps to a dealer in Quain for $900?", "Emil Stark"),
        ("What did Emil Stark sell to a dealer in Quain for $900?", "the stamps"),
        ("What did Emil Stark sell the stamps to a dealer in Quain for?", "$900"),
    ],
    "The Garnet stadium seats 42,500 people.": [
        ("How many people does the Garnet stadium seat?", "42,500"),
    ],
    "Old Mr. Dacre taught two generations of village children.": [
        ("Who taught two generations of village children?", "Old Mr. Dacre"),
        ("Who did Old Mr. Dacre teach?", "two generations of village children"),
    ],
    "Members may bring up to two guests.": [
        ("How many guests may members bring?", "up to two"),
    ],
    "The Tor Hill marathon is run on the last Sunday in April.": [
        ("When is the Tor Hill marathon run?", "on the last Sunday in April"),
    ],
    "The function parse_rows returns an empty list if the file is missing.": [
        ("What returns an empty list if the file is missing?", "the function parse_rows"),
        ("What does the function parse_rows return if the file is missing?", "an empty list"),
        ("When does the function parse_rows return an empty list?", "if the file is missing"),
    ],
    "The Halden pass is closed to lorries from November to April.": [
        ("What is closed to lorries from November to April?", "the Halden pass"),
        ("What is the Halden pass closed to?", "lorries"),
        ("When is the Halden pass closed to lorries?", "from November to April"),
    ],
    "According to the police, the fire started in the boiler room.": [
        ("Where did the fire start according to the police?", "in the boiler room"),
    ],
    "Hay fever is usually caused by grass pollen.": [
        ("What is usually caused by grass pollen?", "hay fever"),
        ("What is hay fever usually caused by?", "grass pollen"),
    ],
    "Ferry crews normally wear orange jackets.": [
        ("Who normally wears orange jackets?", "ferry crews"),
        ("What do ferry crews normally wear?", "orange jackets"),
    ],
    "The head of the Orrin Lab is currently Mira Sen.": [
        ("Who is the head of the Orrin Lab currently?", "Mira Sen"),
    ],
    "The Orrin library usually closes at six on Fridays.": [
        ("When does the Orrin library usually close on Fridays?", "at six"),
        ("When does the Orrin library usually close at six?", "on Fridays"),
    ],
    "The Orlo 40 fan draws 35 watts and weighs 2.1 kg.": [
        ("What does the Orlo 40 fan draw?", "35 watts"),
        ("What does the Orlo 40 fan weigh?", "2.1 kg"),
    ],
    "Jonas Berg leads the pay team, and Amira Said leads the search team.": [
        ("What does Jonas Berg lead?", "the pay team"),
        ("What does Amira Said lead?", "the search team"),
    ],
    "The train from Orrin to Venn takes two hours.": [
        ("How long does the train from Orrin to Venn take?", "two hours"),
    ],
    "Ida Holm became the director of the Tarn works.": [
        ("Who became the director of the Tarn works?", "Ida Holm"),
        ("What did Ida Holm become?", "the director of the Tarn works"),
    ],
    "Test files must end in _test.py.": [
        ("What must end in _test.py?", "test files"),
        ("What must test files end in?", "_test.py"),
    ],
}


@pytest.mark.parametrize("text", ASKED)
def test_the_questions_of_a_statement(text: str) -> None:
    assert [(ask.question, ask.answer) for ask in asks(text)] == ASKED[text]


@pytest.mark.parametrize(
    ("text", "asked", "answer"),
    [
        (
            "We keep the first-aid kit in the cupboard under the sink.",
            "Where do we keep the first-aid kit?",
            "in the cupboard under the sink",
        ),
        (
            "The `sync` command deletes local files that no longer exist on the server.",
            "What does the `sync` command delete?",
            "local files that no longer exist on the server",
        ),
        (
            'In sailing, "to luff" means to turn the bow towards the wind.',
            'What does "to luff" mean in sailing?',
            "to turn the bow towards the wind",
        ),
        (
            "Overtime means any hours worked beyond 38 a week.",
            "What does overtime mean?",
            "any hours worked beyond 38 a week",
        ),
        (
            "Bereavement leave means up to three days off after a death in the family.",
            "What does bereavement leave mean?",
            "up to three days off after a death in the family",
        ),
        (
            "The Sabo kettle switches itself off when the water boils.",
            "What switches itself off when the water boils?",
            "the Sabo kettle",
        ),
        (
            "Cats cannot taste sugar.",
            "What cannot taste sugar?",
            "cats",
        ),
        (
            "Ada Voss, a weaver from Venn, built the mill and sold the barn.",
            "Who built the mill and sold the barn?",
            "Ada Voss, a weaver from Venn",
        ),
    ],
)
def test_a_question_of_a_statement(text: str, asked: str, answer: str) -> None:
    assert {ask.question: ask.answer for ask in asks(text)}.get(asked) == answer


def test_what_a_sentence_speaks_within_is_not_left_out() -> None:
    found = asks('In sailing, "to luff" means to turn the bow.')
    assert not any(part.optional for ask in found for part in ask.parts)


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
        (
            "Ms. Pell will ask the council for a notice board.",
            "What will Ms. Pell ask for a notice board?",
        ),
        (
            "The Arbor 5 tent can be pitched by one person.",
            "What can the Arbor 5 tent be pitched by?",
        ),
        (
            "Four people may use the sauna at the same time.",
            "What may four people use the sauna at?",
        ),
        (
            "The concert will be moved indoors if it rains.",
            "What will the concert be moved if it rains?",
        ),
        ("Minors may not enter the casino.", "What may not enter the casino?"),
        ("Visitors are let in every day except Monday.", "When are visitors let?"),
        (
            "The Rovers lost to the Wanderers at home.",
            "What did the Rovers lose to the Wanderers at?",
        ),
        ("Return books to the box by the entrance.", "What should you return books to the box by?"),
        ("Lina doubts that the bus will be on time.", "What doubts that the bus will be on time?"),
        ("Cedar planks last twice as long as pine.", "What planks last twice as long as pine?"),
        ("Press Ctrl+Shift+L to lock the screen.", "What to lock the screen?"),
        ("The committee rejected the plan.", "What rejected the plan?"),
        ("The price rose from 3.20 to 3.85 euros in May.", "What did the price rise from?"),
        (
            "The battery lasts 35 kilometres on one charge.",
            "What does the battery last on one charge?",
        ),
        ("The vineyard belongs to the Fabbri family.", "What does the vineyard belong to?"),
        (
            "Expense claims older than 90 days are not paid.",
            "What claims older than 90 days are not paid?",
        ),
        ("Whoever comes first locks the workshop.", "What comes first locks the workshop?"),
        (
            "Whatever remains unpaid is added to the bill.",
            "What is whatever remains unpaid added to?",
        ),
        (
            "No one under 16 is admitted to the pit without an adult.",
            "Who is no one under 16 admitted to the pit without?",
        ),
        ("The village has neither a school nor a doctor.", "What does the village have?"),
        (
            "Roast the nuts for 20 minutes, turning them once.",
            "How long should you roast the nuts turning them once?",
        ),
        ("New hires get their badge on Monday.", "What gets their badge on Monday?"),
        ("Appeals must be lodged in writing.", "What must appeals be lodged in?"),
        (
            "Employees who travel far may stay overnight at the company's expense.",
            "What may employees who travel far stay overnight at?",
        ),
        ("The mill employed 900 people at its peak.", "What did the mill employ 900 people at?"),
        ("The ticket is only valid on Sundays.", "When is the ticket only valid?"),
        (
            "In korfline, a goal scored from behind the line counts double.",
            "What korfline a goal scored from behind the line counts double?",
        ),
        (
            "Ada Voss, a weaver from Orrin, founded the mill and sold it in 2004.",
            "When did Ada Voss, a weaver from Orrin, sell it?",
        ),
        (
            "The Ostrel ferry stops at Venn in the morning.",
            "What ferry stops at Venn in the morning?",
        ),
    ],
)
def test_what_does_not_fit_is_not_asked(text: str, never: str) -> None:
    assert never not in [ask.question for ask in asks(text)]
