"""A fact's language: found where it is plain, English where it is not."""

from __future__ import annotations

import pytest

from augmlx.augment.exam.gold import golds
from augmlx.augment.languages.detection import language_of, languages_of

# Short, English, and full of foreign names, part numbers and code.
AWKWARD = """\
El Niño causes floods in Guayaquil.
Hans Zimmer composed the Das Boot Suite.
Le Monde employs Pierre Dubois.
Maria del Carmen owns Casa Verde.
Der Spiegel covers Angela Merkel.
Ana Ruiz leads La Paloma.
Dr. Müller visits Mme. Lefèvre in Nîmes.
Los Angeles Galaxy defeated Real Salt Lake.
Karl-Heinz Rummenigge played for Bayern München.
Jürgen Müller manages Café São Paulo.
Rosa von Praunheim directed Die Bettwurst.
Der Ring des Nibelungen premiered in Bayreuth.
Part BX-7741 fits pump KR-220.
git rebase --onto main
SELECT name FROM users;
Zorb: 12 kg.
A glon is a femp.
Rain.
1923""".splitlines()
NEITHER = """\
O João dirige o armazém de Braga.
Il negozio di Marta chiude alle otto.
De winkel van Piet sluit om acht uur.
Magazynem w Łodzi kieruje Jan Nowak.
倉庫の責任者は田中さんです。
창고는 여덟 시에 닫는다.""".splitlines()


@pytest.mark.parametrize("gold", golds(), ids=lambda gold: gold.id)
def test_the_language_of_every_fact_of_the_exam_is_found(gold) -> None:  # type: ignore[no-untyped-def]
    assert language_of(gold.fact) == gold.lang


@pytest.mark.parametrize("text", [*AWKWARD, *NEITHER, ""])
def test_what_is_not_surely_another_language_is_taken_for_english(text: str) -> None:
    assert language_of(text) == "en"


def test_a_doubtful_fact_is_of_the_language_of_most_others() -> None:
    doubtful = "Marta arbeitet in Wien."
    german = ["Das Büro öffnet um 9 Uhr.", "Die Garantie gilt für 2 Jahre."]
    assert languages_of([doubtful]) == ["en"]
    assert languages_of([doubtful, *german]) == ["de", "de", "de"]
    assert languages_of([doubtful, "Ada owns Bor.", *german]) == ["en", "en", "de", "de"]


def test_english_among_facts_in_another_language_stays_english() -> None:
    german = ["Das Büro öffnet um 9 Uhr.", "Die Garantie gilt für 2 Jahre."]
    assert languages_of(["The office opens at 9.", *german])[0] == "en"


def test_no_facts_have_no_language() -> None:
    assert languages_of([]) == []
