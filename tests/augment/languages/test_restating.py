"""A statement from its other end is known where who does what to whom is sure."""

from __future__ import annotations

import pytest

from augmlx.augment.languages.lexicon import OTHERS, lexicon
from augmlx.augment.languages.restating import is_rephrasing, is_reversal

REVERSALS = [
    ("de", "Nele Ott leitet das Archiv.", "Das Archiv wird von Nele Ott geleitet."),
    ("de", "Das Bad wurde 1911 von Max Ort eröffnet.", "Max Ort eröffnete 1911 das Bad."),
    ("de", "Die Leiterin des Vereins ist Ute Thom.", "Ute Thom ist die Leiterin des Vereins."),
    ("de", "Wenn es schneit, fällt der Zug aus.", "Der Zug fällt aus, wenn es schneit."),
    ("fr", "Anne Morel dirige le port de Brest.", "Le port de Brest est dirigé par Anne Morel."),
    ("fr", "Le dépôt a été bâti en 1934 par Luc.", "En 1934, le dépôt a été bâti par Luc."),
    ("es", "Los socios deben correr en la sala.", "En la sala deben los socios correr."),
    ("es", "Eva Sanz dirige el taller de Lugo.", "El taller de Lugo es dirigido por Eva Sanz."),
    ("zh", "王小明是财务部的主任。", "财务部的主任是王小明。"),
    ("zh", "王小明管理北区仓库。", "北区仓库由王小明管理。"),
]  # fmt: skip
NOT_REVERSALS = [
    ("de", "Nele Ott leitet das Archiv.", "Nele Ott wird vom Archiv geleitet."),
    ("de", "Nele Ott leitet das Archiv.", "Das Archiv leitet Nele Ott."),
    ("de", "Nele Ott leitet das Archiv.", "Das Archiv wird von Nele Ott leitet."),
    ("de", "Lohe besiegte Ulm mit 4:1.", "Mit 4:1 besiegte Ulm Lohe."),
    ("de", "Das Bad wurde 1911 von Max Ort eröffnet.", "Max Ort wurde 1911 vom Bad eröffnet."),
    ("de", "Ein Wal ist ein Tier.", "Ein Tier ist ein Wal."),
    ("de", "Wenn es schneit, fällt der Zug aus.", "Es schneit, wenn der Zug ausfällt."),
    ("fr", "Anne Morel dirige le port de Brest.", "Anne Morel est dirigée par le port de Brest."),
    ("fr", "Anne Morel dirige le port de Brest.", "Le port de Brest dirige Anne Morel."),
    ("es", "El pico Azul tapa el pico Gris.", "El pico Gris tapa el pico Azul."),
    ("zh", "王小明管理北区仓库。", "王小明由北区仓库管理。"),
    ("zh", "白湖比银湖深。", "银湖比白湖深。"),
    ("zh", "鲸鱼是动物。", "动物是鲸鱼。"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "source", "text"), REVERSALS)
def test_a_reversal_is_known(code: str, source: str, text: str) -> None:
    assert is_reversal(code, source, text)


@pytest.mark.parametrize(("code", "source", "text"), NOT_REVERSALS)
def test_exchanged_roles_are_not_known_to_be_right(code: str, source: str, text: str) -> None:
    assert not is_reversal(code, source, text)
    assert not is_rephrasing(code, source, text)


@pytest.mark.parametrize("code", OTHERS)
def test_a_copy_is_no_restatement(code: str) -> None:
    for exemplar in lexicon(code).operators["rephrase"]["exemplars"]:
        assert not is_reversal(code, exemplar["fact"], exemplar["fact"])
        assert not is_rephrasing(code, exemplar["fact"], exemplar["fact"])
