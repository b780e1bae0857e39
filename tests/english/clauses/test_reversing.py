"""A statement from its other end, and in another order."""

from __future__ import annotations

import pytest

from augmlx.english.clauses.phrase import closed
from augmlx.english.clauses.reordering import fronted, singled_out
from augmlx.english.clauses.reversing import reversals

TURNED = {
    "Ana Ruiz defeated Ben Holt at the Battle of Garrow in 1643.": [
        "Ben Holt was defeated by Ana Ruiz at the Battle of Garrow in 1643.",
    ],
    "Either party may terminate this agreement with 60 days' notice.": [
        "This agreement may be terminated with 60 days' notice by either party.",
    ],
    "The Corvid engine does not support Windows 7.": [
        "Windows 7 is not supported by the Corvid engine.",
    ],
    "Invoices above 5,000 euros are signed by Lena Hauk.": [
        "Lena Hauk signs invoices above 5,000 euros.",
    ],
    "The tapestry is being restored by students.": ["Students are restoring the tapestry."],
    "Orla Brandt is the finance director of Pellwood.": [
        "The finance director of Pellwood is Orla Brandt.",
    ],
    "Hendrik Berg is married to Sofie Lind.": ["Sofie Lind is married to Hendrik Berg."],
    "The Ostrel depot is in Dunmore.": ["Dunmore is where the Ostrel depot is."],
    "The Corran library opens at 9:30 a.m. on Saturdays.": [
        "On Saturdays, the Corran library opens at 9:30 a.m.",
    ],
    "The Larch system was written in COBOL.": ["COBOL was what the Larch system was written in."],
    "If the pressure exceeds 6 bar, the relief valve opens.": [
        "The relief valve opens if the pressure exceeds 6 bar.",
    ],
    "To reset the router, hold the power button for 15 seconds.": [
        "Hold the power button for 15 seconds to reset the router.",
    ],
    "The drone has a rotor with four blades.": [
        "A rotor with four blades is what the drone has.",
    ],
    "The committee consists of Ada Bright and Colin Marsh.": [
        "Ada Bright and Colin Marsh make up the committee.",
    ],
    "The warranty of the filter lasts three years.": [
        "Three years is how long the warranty of the filter lasts.",
    ],
    "Greyhounds run faster than whippets.": ["Whippets run slower than greyhounds."],
    "Greyhounds can run faster than whippets.": [],  # anything can run slower
    "The crew thinks Captain Rourke is too cautious.": [
        "Captain Rourke is too cautious, the crew thinks.",
    ],
    "It was designed by Petra Novak in Brno.": ["Petra Novak designed it in Brno."],
    "Never store the gel above 25 °C.": ["Above 25 °C, never store the gel."],
    "The Garnet stadium seats 42,500 people.": [
        "42,500 people are what the Garnet stadium seats.",
    ],
    "Zinc is added to the alloy to prevent rust.": ["To prevent rust, zinc is added to the alloy."],
    "Fold the egg whites into the batter.": [],
    "The plan was rejected by 31 votes to 12.": ["By 31 votes to 12, the plan was rejected."],
    "Ada Voss is regarded by many as the finest cook in Brell.": [
        "The one who is regarded by many as the finest cook in Brell is Ada Voss.",
    ],
    "Ada Voss is regarded by many critics as the finest cook.": [
        "The one who is regarded by many critics as the finest cook is Ada Voss.",
    ],
    "Lucinda Farrow was hailed as the mother of modern felt-making.": [
        "The one who was hailed as the mother of modern felt-making was Lucinda Farrow.",
    ],
    "Despite heavy losses, the Kern brothers kept the mine open.": [
        "The mine was kept open by the Kern brothers despite heavy losses.",
    ],
    "Pelican 4 requires Python 3.9 or newer.": [
        "Python 3.9 or newer is required by Pelican 4.",
    ],
    "The night train stops at Greyhaven only on Fridays.": [
        "At Greyhaven, the night train stops only on Fridays.",
    ],
    "Norvik exports timber to Estmark.": ["Timber is exported to Estmark by Norvik."],
    "The vineyard at Monte Roso belongs to the Fabbri family.": [
        "The Fabbri family is who the vineyard at Monte Roso belongs to.",
    ],
    "Every Cassel rucksack comes with a lifetime guarantee.": [
        "A lifetime guarantee is what every Cassel rucksack comes with.",
    ],
    "Tunde Balogun joined the Orrin Observatory as a night assistant in 2009.": [
        "In 2009, Tunde Balogun joined the Orrin Observatory as a night assistant.",
    ],
    "Fenna Oke replaced Lars Wieland as head of the Orrin Observatory.": [
        "Lars Wieland was replaced as head of the Orrin Observatory by Fenna Oke.",
    ],
    "The Penrith Otters beat the Kendal Kites in 2021.": [
        "In 2021, the Penrith Otters beat the Kendal Kites.",
    ],
    "The pottery course runs from 6 September to 12 December.": [
        "From 6 September to 12 December, the pottery course runs.",
    ],
    "The payment service was down for 47 minutes on Monday night.": [
        "On Monday night, the payment service was down for 47 minutes.",
        "47 minutes was how long the payment service was down on Monday night.",
    ],
    "Guests feed the cat at seven in the evening.": [
        "The cat is fed by guests at seven in the evening.",
    ],
    "The Halden pass is closed to lorries from November to April.": [
        "From November to April, the Halden pass is closed to lorries.",
    ],
    "Ferry crews normally wear orange jackets.": [
        "Orange jackets are what ferry crews normally wear.",
    ],
    "Orla Vance currently leads the Tarn survey.": [
        "The Tarn survey is currently led by Orla Vance.",
    ],
    "The Tarn survey is currently led by Orla Vance.": [
        "Orla Vance currently leads the Tarn survey.",
    ],
    "The head of the Orrin Lab is currently Mira Sen.": [
        "Mira Sen is currently the head of the Orrin Lab.",
    ],
    "The train from Orrin to Venn takes two hours.": [
        "Two hours is how long the train from Orrin to Venn takes.",
    ],
    "A ticket costs 12 euros for adults and 5 euros for children.": [
        "12 euros for adults and 5 euros for children is what a ticket costs.",
    ],
}


@pytest.mark.parametrize("text", TURNED)
def test_a_statement_from_its_other_end(text: str) -> None:
    assert [way.text for way in reversals(text)] == TURNED[text]


@pytest.mark.parametrize(
    "text",
    [
        "Employees must not share their passwords.",  # "Their passwords must not be shared by ..."
        "The museum has no cloakroom.",
        "Never mix Clarasol with bleach.",
        "Practice has been moved from Tuesday to Thursday.",
        "Do not give Pyrolax to children under three.",
        "Let the dough rest overnight before you roll it out.",
        "Return library books to the box by the entrance.",
        "Press Ctrl+Shift+L to lock the screen.",
        "The Ostara grant covers between $2,000 and $5,000 of the costs.",
        "Visitors are let in every day except Monday.",
        "Unlike its predecessor, the Arbor 5 tent can be pitched by one person.",
        "Return library books to the box.",
        "Staff are required to wear badges.",
        "The sculptor Ilse Brandt is said to have carved the Weeping Hare.",
        "The Ulva flows through Brennick and empties into the sea.",
        "The Belvar trail is twice as long as the Oren trail.",
        "Hay fever is usually caused by grass pollen.",  # pollen may seldom cause it
        "The cause of Orrel fever is usually a tick.",
        "Expense claims older than 90 days are not paid.",
        "The Plover is smaller than the Heron but faster.",
        "The village has neither a school nor a doctor.",
        "Roast the nuts for 20 minutes, turning them once.",
        "Whatever remains unpaid is added to the bill.",
        "A badge is only valid if it has been signed.",
        "The ticket is only valid on Sundays.",
        "No house in Sarnica may be taller than the church.",
        "The archive stores the letters of the founder in a safe.",
        "Complaints must be made in person.",
        "Bereavement leave means up to three days off after a death in the family.",
        "这座桥是1907年建成的。",
    ],
)
def test_what_cannot_be_turned_is_left(text: str) -> None:
    assert reversals(text) == ()


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("Ana Ruiz met Ben Holt in 1998.", "In 1998, Ana Ruiz met Ben Holt."),
        ("In 1998, Ana Ruiz met Ben Holt.", "Ana Ruiz met Ben Holt in 1998."),
    ],
)
def test_a_time_is_put_first_or_last(text: str, moved: str) -> None:
    assert moved in [way.text for way in fronted(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The next meeting of the chess club is on 9 February.",
        "The office hours are from 2 to 4 p.m. on Wednesdays.",
        "The spare keys are in the drawer under the printer.",
        "Practice has been moved from Tuesday to Thursday.",
        "The minutes count as approved.",
    ],
)
def test_what_its_clause_needs_stays_where_it_is(text: str) -> None:
    assert fronted(text) == ()


def test_what_stands_first_is_not_put_behind_a_clause_that_would_take_it() -> None:
    ways = fronted("During the fire, nobody was hurt because the shift had left.")
    assert [way.text for way in ways] == [
        "Because the shift had left, nobody was hurt during the fire."
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "Marisol Vega, who runs the bookshop, used to be a diver.",
            "It was Marisol Vega, who runs the bookshop, who used to be a diver.",
        ),
        ("Ana Ruiz leads the lab.", "It is Ana Ruiz who leads the lab."),
        (
            "Dr. Anselm Oke, a weaver from Venn, leads the Tarn survey.",
            "It is Dr. Anselm Oke, a weaver from Venn, who leads the Tarn survey.",
        ),
        ("The Dorrin is the longest river.", "It is the Dorrin that is the longest river."),
        (
            "The Orlo drill weighs 1.3 kg (without battery) and has a torque of 45 Nm.",
            "It is the Orlo drill that weighs 1.3 kg (without battery) and has a torque of 45 Nm.",
        ),
        ("Cats cannot taste sugar.", "It is cats that cannot taste sugar."),
        (
            "Silas Hartford is the charismatic leader of the charity.",
            "It is Silas Hartford who is the charismatic leader of the charity.",
        ),
        (
            "The Sabo kettle switches itself off when the water boils.",
            "It is the Sabo kettle that switches itself off when the water boils.",
        ),
        (
            "The bottles, but not the jars, may be put in the green container.",
            "It is the bottles, but not the jars, that may be put in the green container.",
        ),
    ],
)
def test_the_subject_is_singled_out(text: str, wanted: str) -> None:
    assert wanted in [way.text for way in singled_out(text)]


@pytest.mark.parametrize(
    "text",
    [
        "The default port of the database is 7155.",
        "A gimmer is a young ewe.",
        "Amber is fossilised resin.",
        "Overtime means hours beyond 38 a week.",
        "The capital of the old duchy was Haverstadt.",
        "Ada Voss runs the mill, and Ben Holt runs the barn.",
        "Ada Voss is the painter who designed the Heron lamp.",
        "The Heron is the lamp that won the prize.",
    ],
)
def test_what_is_defined_is_not_singled_out(text: str) -> None:
    assert singled_out(text) == ()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("The Orrin depot closed in May.", True),
        ("Ana Ruiz closed the depot.", True),
        ("A family ticket costs less than two adult tickets.", False),
        ("Recycling is collected every second Friday.", False),
        ("Marrow fever is spread by the sand fly.", False),
    ],
)
def test_only_what_is_known_as_one_is_the_one(text: str, is_one: bool) -> None:
    assert any(" the one " in way.text for way in singled_out(text)) is is_one


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("Ada Voss, a weaver from Venn", "Ada Voss, a weaver from Venn,"),
        ('the chain, "The Bor"', 'the chain, "The Bor",'),
        ("Tolliver, Beck & Pike LLP", "Tolliver, Beck & Pike LLP"),
        ("a big, red barn", "a big, red barn"),
        ("Ada Voss", "Ada Voss"),
    ],
)
def test_only_what_is_inserted_is_closed(phrase: str, wanted: str) -> None:
    assert closed(phrase) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "I keep the spare key to the boathouse in the blue tin above the stove.",
            "The blue tin above the stove is where I keep the spare key to the boathouse.",
        ),
        ("Cats cannot taste sugar.", "Sugar cannot be tasted by cats."),
        (
            "The Sabo kettle switches itself off when the water boils.",
            "When the water boils, the Sabo kettle switches itself off.",
        ),
        (
            "Our clerk, Mr Pell, has three spare keys.",
            "Three spare keys are what our clerk, Mr Pell, has.",
        ),
    ],
)
def test_all_of_a_statement_from_its_other_end(text: str, wanted: str) -> None:
    assert wanted in [way.text for way in reversals(text)]


def test_what_stands_apart_is_not_put_last() -> None:
    assert fronted("Unlike the Elder Gate, the Younger Gate was rebuilt by Ada Voss.") == ()


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        (
            "Ariana Lockwood founded the travel company, StarPath.",
            "The travel company, StarPath, was founded by Ariana Lockwood.",
        ),
        (
            "Connor Gravestone was the founder of the colony, known as Haven.",
            "The founder of the colony, known as Haven, was Connor Gravestone.",
        ),
        ("Ada Brandt painted a big, red barn.", "A big, red barn was painted by Ada Brandt."),
        (
            "Ada Brandt keeps the hall, the barn and the mill.",
            "The hall, the barn and the mill are kept by Ada Brandt.",
        ),
    ],
)
def test_what_was_inserted_is_closed_by_a_comma_where_it_ends_the_sentence_no_more(
    statement: str, wanted: str
) -> None:
    assert [way.text for way in reversals(statement)] == [wanted]
