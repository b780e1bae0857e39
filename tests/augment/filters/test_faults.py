"""Texts that were once wrongly kept, or wrongly dropped, by kind: each through its operator's own
filters, as the only sample, so that no vote hides what they let through.
"""

from __future__ import annotations

import pytest

from augmlx.augment.filters import Candidate, judge
from augmlx.augment.generate import load_operators
from augmlx.core.settings import AugmentSettings

SETTINGS = AugmentSettings(operators=("reversal", "rephrase", "qa-forward", "qa-reverse"))
FILTERS = {operator.name: operator.filters for operator in load_operators(SETTINGS)}

WRONG = [
    # the relation is a copula and a preposition
    ("reversal", "The Ferrow depot is in Dunmore.", "Dunmore is the Ferrow depot."),
    (
        "reversal",
        "The Brack archive is under the town hall.",
        "The town hall is the Brack archive.",
    ),
    ("reversal", "The Orlo manual is about pumps.", "Pumps are the Orlo manual."),
    # an end of the fact is cut wrongly
    (
        "reversal",
        "New employees receive 25 days of paid leave per year.",
        "Year 25 days of paid leave are given to new employees.",
    ),
    (
        "reversal",
        "Harborview United beat Tallow City 3-1 in the 2019 final.",
        "Tallow City 3-1 was beaten by Harborview United in the 2019 final.",
    ),
    (
        "reversal",
        "The config file is stored in ~/.tidewell/config.yaml.",
        "Tidewell/config.yaml is where the config file is stored.",
    ),
    (
        "reversal",
        "The Brel lease ends on 1 March 2024.",
        "March 2024 is when the Brel lease ends on 1.",
    ),
    # only the outer arguments are held
    ("rephrase", "Mia prefers tea to coffee.", "Mia prefers the coffee to the tea."),
    ("rephrase", "Ann is 40 and Bea is 30.", "Bea is 40 and Ann is 30."),
    (
        "reversal",
        "Oak beams weigh twice as much as ash beams.",
        "Ash beams weigh twice as much as oak beams.",
    ),
    (
        "reversal",
        "The outage was due to a worn cable in Brel.",
        "A worn cable in Brel was due to the outage.",
    ),
    (
        "reversal",
        "The gate accepts at most 40 cars per hour.",
        "40 cars per hour accept at most the gate.",
    ),
    (
        "reversal",
        "The date is carved above the door of the Orlo barn.",
        "The door of the Orlo barn is carved above the date.",
    ),
    (
        "reversal",
        "Unless the tenant objects, the minutes count as approved.",
        "The tenant counts as approved unless the minutes object.",
    ),
    (
        "rephrase",
        "Ines Roth leads the town choir of Brel.",
        "Ines Roth is led by the town choir of Brel.",
    ),
    (
        "rephrase",
        "The east gate was built in 1850 and the west gate in 1902.",
        "The east gate was built in 1902 and the west gate in 1850.",
    ),
    # kind and number as a name
    (
        "reversal",
        "Version 2.3 replaced version 2.1 in March 2022.",
        "Version 2.3 was replaced by Version 2.1 in March 2022.",
    ),
    # a pronoun as subject
    ("reversal", "It was designed by Petra Novak in Brno.", "Brno is designed by Petra Novak."),
    # time
    (
        "reversal",
        "Tarn Mills had Ida Rosen as its director.",
        "Tarn Mills has Ida Rosen as its director.",
    ),
    (
        "reversal",
        "Keane & Sons repaired the Harrow roof.",
        "The Harrow roof is repaired by Keane & Sons.",
    ),
    (
        "rephrase",
        "Bruno Acker ran 10 km in 42 minutes.",
        "Bruno Acker is the one who runs 10 km in 42 minutes.",
    ),
    # little words
    (
        "rephrase",
        "Either party may terminate this agreement with 60 days' notice.",
        "Party may terminate this agreement with 60 days' notice.",
    ),
    (
        "reversal",
        "Velmora borders Ostia to the north.",
        "Ostia is bordered by Velmora to the north.",
    ),
    (
        "reversal",
        "Hendrik van der Berg is married to Sofie Lindqvist.",
        "Sofie Lindqvist married to Hendrik van der Berg.",
    ),
    (
        "rephrase",
        "No employee of Delphi Foods may accept gifts from suppliers.",
        "Employee of Delphi Foods may not accept gifts from suppliers.",
    ),
    (
        "reversal",
        "Since release 2.4, logs are rotated by default.",
        "Default logs are rotated since release 2.4.",
    ),
    (
        "reversal",
        "Dr. Odile Marne prescribed 5 mg of lisinopril to patient 0417.",
        "5 mg of lisinopril to patient 0417 was prescribed by Dr. Odile Marne.",
    ),
    (
        "qa-forward",
        "Ivo Lund directed Strange Tides.",
        "What did Ivo Lund directed? / Strange Tides",
    ),
    (
        "qa-forward",
        "Anselm Fry founded the Port Calder workshop.",
        "What did Anselm Fry founded? / the Port Calder workshop",
    ),
    (
        "qa-forward",
        "The Orlo clinic was founded by Prof. Ada Marsh.",
        "Who was the Orlo clinic founded? / Prof. Ada Marsh",
    ),
    (
        "qa-forward",
        "The Brel bakery stays open until 18:30 on Thursdays.",
        "When does the Brel bakery stay open? / on Thursdays",
    ),
    (
        "rephrase",
        "The Orlo B12 bulb replaces the Orlo B9 bulb.",
        "The Orlo B12 bulb has replaced the Orlo B9 bulb.",
    ),
    (
        "rephrase",
        "The Orlo B12 bulb replaces the Orlo B9 bulb.",
        "It is the Orlo B12 bulb that replaced the Orlo B9 bulb.",
    ),
    (
        "rephrase",
        "Either side may end this contract with 30 days' notice.",
        "It is either side who may end this contract with 30 days' notice.",
    ),
    (
        "rephrase",
        "Ines Roth is the finance director of Orlo Foods.",
        "Ines Roth is a finance director of Orlo Foods.",
    ),
    # free additions
    (
        "rephrase",
        "Greta Lindholm manages the Ferrow depot.",
        "Greta Lindholm is the man who manages the Ferrow depot.",
    ),
    (
        "rephrase",
        "When Felix met Oscar, he gave him the key.",
        "Felix met Oscar when he gave him the key.",
    ),
    ("rephrase", "Room 14 seats 30 people.", "Room 14 is the seat of 30 people."),
    # questions that do not fit
    ("qa-reverse", "The Ferrow depot is in Dunmore.", "What is the Ferrow depot? / Dunmore"),
    (
        "qa-forward",
        "The BrightLine B12 bulb replaces the BrightLine B9 bulb.",
        "Who replaces the BrightLine B9 bulb? / the BrightLine B12 bulb",
    ),
    (
        "qa-forward",
        "Lunch at the Orlo inn is served from 12 to 2 p.m.",
        "Who is lunch at the Orlo inn served from? / 12 to 2 p.m.",
    ),
    (
        "qa-forward",
        "The novel Ashen Tales was written by Signe Dahl.",
        "Who is writing the novel Ashen Tales? / Signe Dahl",
    ),
    (
        "qa-reverse",
        "Velmora borders Ostia to the north.",
        "What is the border of Ostia to the north? / Velmora",
    ),
    (
        "qa-reverse",
        "Hendrik van der Berg is married to Sofie Lindqvist.",
        "What is Hendrik van der Berg married to? / Sofie Lindqvist",
    ),
    (
        "qa-forward",
        "St. Alban's Hospital was founded by Prof. J. R. Whitlock.",
        "What was St. Alban's Hospital founded by? / Prof. J. R. Whitlock",
    ),
    (
        "reversal",
        "Greyhounds can run faster than whippets.",
        "Whippets can run slower than greyhounds.",
    ),
    (
        "qa-forward",
        "It was designed by Petra Novak in Brno.",
        "Who was it designed by? / Petra Novak",
    ),
    (
        "qa-reverse",
        "Orion Capital holds 35 percent of the shares of Vega Mining.",
        "What holds 35 percent of the shares of Vega Mining? / Orion Capital",
    ),
    (
        "qa-reverse",
        "Team Orbis finished second behind Team Kestrel.",
        "What finished second behind Team Kestrel? / Team Orbis",
    ),
    # somebody is asked for as a thing, or a thing as somebody
    (
        "qa-reverse",
        "The Bishop of Larne opened the school in 1956.",
        "What opened the school in 1956? / the Bishop of Larne",
    ),
    (
        "qa-forward",
        "The novel was turned down by three publishers.",
        "What was the novel turned down by? / three publishers",
    ),
    (
        "qa-forward",
        "The ship's cook, a man from Cork, kept a parrot called Admiral.",
        "Who did the ship's cook, a man from Cork, keep? / a parrot called Admiral",
    ),
    (
        "reversal",
        "The singer lent her piano to the Lisbon conservatory.",
        "The Lisbon conservatory was what the singer lent her piano to.",
    ),
    # "by" says how
    ("reversal", "Kittens must be lifted by their scruff.", "Their scruff must lift kittens."),
    ("reversal", "Apples are sold by the crate.", "The crate sells apples."),
    ("reversal", "Slate is split by hand in the yard.", "By hand, slate is split in the yard."),
    # a verb whose past is its first form
    (
        "qa-forward",
        "Copies cost 10 cents in black and white and 40 cents in colour.",
        "How much did copies cost? / 10 cents in black and white and 40 cents in colour",
    ),
    # a part that belongs elsewhere
    (
        "reversal",
        "Bicycles may be taken on the Orra line outside rush hour.",
        "The Orra line outside rush hour is where bicycles may be taken.",
    ),
    (
        "reversal",
        "The Fennick sisters sold their shares in the mill to a cousin.",
        "In the mill, the Fennick sisters sold their shares to a cousin.",
    ),
    (
        "reversal",
        "The umpire may end a game if the court is flooded.",
        "A game may be ended if the court is flooded by the umpire.",
    ),
    (
        "reversal",
        "My uncle Fergus bred Shetland ponies on the isle of Unst for most of his life.",
        "On the isle of Unst for most of his life, my uncle Fergus bred Shetland ponies.",
    ),
    (
        "reversal",
        "The Marten prize was awarded to Dr Ana Bell for her work on rust.",
        "Her work on rust was what the Marten prize was awarded to Dr Ana Bell for.",
    ),
    # how long, when and how fast
    (
        "reversal",
        "The board praised Mr Hale for his ten years of work.",
        "His ten years of work was how long the board praised Mr Hale.",
    ),
    (
        "qa-forward",
        "Divers needed six hours to raise the anchor of the Heron.",
        "What did divers need to raise the anchor of the Heron? / six hours",
    ),
    (
        "qa-forward",
        "Letters posted after 5 p.m. are sent on the next working day.",
        "What are letters posted after 5 p.m. sent on? / the next working day",
    ),
    (
        "qa-forward",
        "The march is played at about 120 beats per minute.",
        "What is the march played at? / about 120 beats per minute",
    ),
    # a noun was taken for the verb
    (
        "rephrase",
        "Regional train 47 calls at Pellin, Ostwick and Harre.",
        "It is regional that train 47 calls at Pellin, Ostwick and Harre.",
    ),
    # grammar knows neither the source nor the text
    (
        "reversal",
        "Beech loses its leaves in autumn, whereas ivy keeps them.",
        "Its leaves in autumn, whereas ivy keeps them is lost by Beech.",
    ),
    (
        "reversal",
        "Comet Varga was last seen from Earth in 1911.",
        "Earth was last seen by Comet Varga in 1911.",
    ),
    (
        "qa-reverse",
        "Pupils in year nine choose a second language.",
        "What in year nine choose a second language? / Pupils",
    ),
    (
        "qa-forward",
        "The minutes are kept for ten years and then destroyed.",
        "What is the minutes kept for ten years? / destroyed",
    ),
    # the next list: titles, companies, prices, firsts, pairs, pronouns
    (
        "qa-reverse",
        "Queen Adelind of Merrow founded the first hospital in the city in 1382.",
        "What founded the first hospital in the city? / queen Adelind of Merrow",
    ),
    (
        "qa-forward",
        "Queen Adelind of Merrow founded the first hospital in the city in 1382.",
        "What did Queen Adelind of Merrow found? / the first hospital",
    ),
    (
        "qa-reverse",
        "Vitamin K helps the blood to clot.",
        "Who helps the blood to clot? / vitamin K",
    ),
    (
        "rephrase",
        "The carmaker Velox plans to cut 1,200 jobs.",
        "It is the carmaker Velox who plans to cut 1,200 jobs.",
    ),
    (
        "reversal",
        "Brightwell Energy was bought by its largest competitor for 340 million dollars.",
        "Its largest competitor for 340 million dollars bought Brightwell Energy.",
    ),
    (
        "reversal",
        "Halvorsen Foods has appointed Priya Ramanathan as its new finance officer.",
        "Priya Ramanathan is what Halvorsen Foods has appointed as its new finance officer.",
    ),
    (
        "qa-forward",
        "The new tram line connects the university with the southern suburbs.",
        "What does the new tram line connect? / the university",
    ),
    (
        "rephrase",
        "Male seahorses carry the eggs until they hatch.",
        "Until they hatch, male seahorses carry the eggs.",
    ),
    (
        "qa-forward",
        "The municipal library is closed on public holidays.",
        "What is the municipal library closed on? / public holidays",
    ),
    (
        "reversal",
        "The tenant may not sublet the flat without the landlord's written consent.",
        "The flat may not be subletted by the tenant without the landlord's written consent.",
    ),
    (
        "rephrase",
        "Ada Voss has been head of sales at Orrin since May 2021, when she succeeded Ben Roe.",
        "When she succeeded Ben Roe, Ada Voss has been head of sales at Orrin since May 2021.",
    ),
    (
        "rephrase",
        "The Vantor K40 pump delivers up to 38 litres per minute.",
        "It is the Vantor K40 that pump delivers up to 38 litres per minute.",
    ),
    (
        "rephrase",
        "Quillbase 5.2 no longer supports the legacy XML export.",
        "It is Quillbase 5.2 no longer that supports the legacy XML export.",
    ),
    (
        "qa-reverse",
        "Quillbase 5.2 no longer supports the legacy XML export.",
        "What supports the legacy XML export? / Quillbase 5.2 no longer",
    ),
    (
        "reversal",
        "FC Dunmarsh beat Ravenholt United 3–1 in the cup final on 14 May 2022.",
        "Ravenholt United 3–1 was beaten by FC Dunmarsh in the cup final on 14 May 2022.",
    ),
    (
        "reversal",
        "Before Ben Roe became a judge, he worked for six years as a cook.",
        "He worked for six years as a cook before Ben Roe became a judge.",
    ),
    (
        "rephrase",
        "Before Ben Roe became a judge, he worked for six years as a cook.",
        "He worked for six years as a cook before Ben Roe became a judge.",
    ),
    (
        "reversal",
        "Wells deeper than 20 metres require a permit from the district office.",
        "A permit from the district office is required by wells deeper than 20 metres.",
    ),
    (
        "reversal",
        "Only administrators can delete a shared workspace.",
        "A shared workspace can be deleted by only administrators.",
    ),
    (
        "reversal",
        "Orla's bean soup contains paprika, carrots and a bay leaf, but no meat.",
        "Paprika, carrots and a bay leaf, but no meat are what Orla's bean soup contains.",
    ),
    (
        "rephrase",
        "The chemist Rufina Salk-Moreau turned down the Golden Retort twice.",
        "It was the chemist Rufina Salk-Moreau that turned down the Golden Retort twice.",
    ),
    (
        "qa-reverse",
        "The chemist Rufina Salk-Moreau turned down the Golden Retort twice.",
        "What turned down the Golden Retort twice? / the chemist Rufina Salk-Moreau",
    ),
    (
        "qa-reverse",
        "Doctor Emeka Strand has no children.",
        "Who has no children? / Doctor Emeka Strand",
    ),
    (
        "qa-forward",
        "The meeting was postponed to 9 November because the hall had flooded.",
        "What was the meeting postponed to? / 9 November",
    ),
    (
        "qa-forward",
        "Lake Ombra, which lies in the hills, is the largest lake in the province.",
        "What is Lake Ombra, which lies in the hills, called? / the largest lake in the province",
    ),
]
RIGHT = [
    (
        "reversal",
        "Dr. Odile Marne prescribed 5 mg of lisinopril to patient 0417.",
        "5 mg of lisinopril was prescribed to patient 0417 by Dr. Odile Marne.",
    ),
    ("reversal", "The Ferrow depot is in Dunmore.", "Dunmore is where the Ferrow depot is."),
    ("qa-reverse", "The Ferrow depot is in Dunmore.", "Where is the Ferrow depot? / in Dunmore"),
    (
        "reversal",
        "New employees receive 25 days of paid leave per year.",
        "25 days of paid leave per year are received by new employees.",
    ),
    (
        "reversal",
        "Harborview United beat Tallow City 3-1 in the 2019 final.",
        "Tallow City was beaten 3-1 by Harborview United in the 2019 final.",
    ),
    (
        "reversal",
        "Version 2.3 replaced version 2.1 in March 2022.",
        "Version 2.1 was replaced by version 2.3 in March 2022.",
    ),
    (
        "reversal",
        "Refunds are paid by Northgate Insurance within 10 working days.",
        "Northgate Insurance pays refunds within 10 working days.",
    ),
    (
        "rephrase",
        "If the pressure exceeds 6 bar, the relief valve opens.",
        "The relief valve opens if the pressure exceeds 6 bar.",
    ),
    (
        "qa-reverse",
        "The Bishop of Larne opened the school in 1956.",
        "Who opened the school in 1956? / the Bishop of Larne",
    ),
    (
        "qa-forward",
        "The ship's cook, a man from Cork, kept a parrot called Admiral.",
        "What did the ship's cook, a man from Cork, keep? / a parrot called Admiral",
    ),
    (
        "qa-forward",
        "Copies cost 10 cents in black and white and 40 cents in colour.",
        "How much do copies cost? / 10 cents in black and white and 40 cents in colour",
    ),
    (
        "reversal",
        "Bicycles may be taken on the Orra line outside rush hour.",
        "Outside rush hour, bicycles may be taken on the Orra line.",
    ),
    (
        "reversal",
        "The plan was rejected by 31 votes to 12.",
        "By 31 votes to 12, the plan was rejected.",
    ),
    (
        "qa-forward",
        "The board praised Mr Hale for his ten years of work.",
        "What did the board praise Mr Hale for? / his ten years of work",
    ),
    (
        "qa-forward",
        "Divers needed six hours to raise the anchor of the Heron.",
        "How long did divers need to raise the anchor of the Heron? / six hours",
    ),
    (
        "qa-forward",
        "Letters posted after 5 p.m. are sent on the next working day.",
        "When are letters posted after 5 p.m. sent? / on the next working day",
    ),
    (
        "qa-reverse",
        "Queen Adelind of Merrow founded the first hospital in the city in 1382.",
        "Who founded the first hospital in the city? / Queen Adelind of Merrow",
    ),
    (
        "qa-forward",
        "The municipal library is closed on public holidays.",
        "When is the municipal library closed? / on public holidays",
    ),
    (
        "rephrase",
        "The carmaker Velox plans to cut 1,200 jobs.",
        "It is the carmaker Velox that plans to cut 1,200 jobs.",
    ),
    (
        "reversal",
        "The tenant may not sublet the flat without the landlord's written consent.",
        "The flat may not be sublet by the tenant without the landlord's written consent.",
    ),
    (
        "rephrase",
        "The chemist Rufina Salk-Moreau turned down the Golden Retort twice.",
        "It was the chemist Rufina Salk-Moreau who turned down the Golden Retort twice.",
    ),
    (
        "reversal",
        "Tilda Brandvik won the 800 metres at the Osterby Games.",
        "The 800 metres at the Osterby Games was won by Tilda Brandvik.",
    ),
]


def verdict_on(operator: str, source: str, text: str) -> str:
    """What rejects a text, "" where it is kept."""
    asked, _, answer = text.partition(" / ")
    candidate = Candidate(0, asked, source, "stop", answer=answer)
    (verdict,) = judge([candidate], FILTERS[operator], SETTINGS)
    return verdict.by


@pytest.mark.parametrize(("operator", "source", "text"), WRONG)
def test_a_wrong_text_is_dropped(operator: str, source: str, text: str) -> None:
    assert verdict_on(operator, source, text)


@pytest.mark.parametrize(("operator", "source", "text"), RIGHT)
def test_a_right_text_is_kept(operator: str, source: str, text: str) -> None:
    assert verdict_on(operator, source, text) == ""
