"""Worked examples of the user's own: read strictly, chosen by relation wording, in few different
prompts.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augmlx.augment import operators
from augmlx.augment.filters import FILTERS
from augmlx.augment.operators import Exemplar, Operator
from augmlx.augment.operators.exemplars import FILE, Exemplars, read
from augmlx.augment.operators.nearest_exemplars import nearest
from augmlx.core.errors import BadInput

BY_NAME = {item.operator.name: item.operator for item in operators.available(FILTERS)}
SECRET = "Xyzzyqua"


def given_file(folder: Path, content: str, *names: str) -> Exemplars:
    (folder / FILE).write_text(content, "utf-8")
    return read(folder, [BY_NAME[name] for name in names])


def test_rows_go_to_their_operators_in_their_order(tmp_path: Path) -> None:
    content = (
        "fact,operator,result,fact2,answer\n"
        "Ana owns Zorb.,reversal,Zorb is owned by Ana.,,\n"
        "Ben runs Ulm.,qa-forward,What does Ben run?,,Ulm\n"
        "Orr is inside Ulm.,chain,Orr is inside Venn.,Ulm is inside Venn.,\n"
        "Cy  paints\tOrr.,reversal,Orr is painted by Cy.,,\n"
    )
    found = given_file(tmp_path, content, "reversal", "qa-forward", "chain")
    assert list(found) == ["reversal", "qa-forward", "chain"]
    assert [e.premises for e in found["reversal"]] == [("Ana owns Zorb.",), ("Cy paints Orr.",)]
    assert found["qa-forward"][0].answer == "Ulm"
    assert found["chain"][0].premises == ("Orr is inside Ulm.", "Ulm is inside Venn.")


def test_no_file_and_no_folder_bring_none(tmp_path: Path) -> None:
    assert read(tmp_path, list(BY_NAME.values())) == {}
    assert read(None, list(BY_NAME.values())) == {}


def test_rows_of_operators_that_are_not_in_force_are_left_alone(tmp_path: Path) -> None:
    content = "fact,operator,result\nAna owns Zorb.,rephrase,Zorb is what Ana owns.\n"
    assert given_file(tmp_path, content, "reversal") == {}


# row: (what the message says)
BAD = {
    f"{SECRET} owns Zorb.,reversal,,,": "no text in 'result'",
    f",reversal,{SECRET} is it.,,": "reversal takes fact alone",
    f"{SECRET} owns Zorb.,reversal,Zorb is owned.,Another.,": "reversal takes fact alone",
    f"{SECRET} owns Zorb.,chain,Zorb is owned.,,": "chain takes fact and fact2",
    f"{SECRET} owns Zorb.,reversal,Zorb is owned.,,Ana": (
        "reversal asks no question, so it takes no 'answer'"
    ),
    f"{SECRET} owns Zorb.,qa-forward,Who owns it?,,": (
        "no text in 'answer', which qa-forward asks for"
    ),
    f"{SECRET} owns Zorb.,global,Zorb is owned.,,": "global takes no exemplars of this form",
    f"{SECRET} owns Zorb.,identity-bridge,Zorb is owned.,,": (
        "identity-bridge takes no exemplars of this form"
    ),
    f"{SECRET} owns Zorb.,{SECRET},Zorb is owned.,,": "no such operator in 'operator'",
    f"{SECRET} owns Zorb.,,Zorb is owned.,,": "no such operator in 'operator'",
    f"{SECRET} owns Zorb.,reversal,Zorb": "cells in the row: 3, columns in the header: 5",
}


@pytest.mark.parametrize("row", BAD)
def test_a_bad_row_is_named_by_its_line_without_a_word_of_it(row: str, tmp_path: Path) -> None:
    content = (
        f"fact,operator,result,fact2,answer\nAna owns Orr.,reversal,Orr is owned by Ana.,,\n{row}\n"
    )
    with pytest.raises(BadInput) as caught:
        given_file(tmp_path, content, *BY_NAME)
    assert caught.value.message.startswith(f"{tmp_path / FILE}:3: {BAD[row]}")
    assert caught.value.hint
    assert SECRET not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("missing", ["fact", "operator", "result"])
def test_a_missing_column_is_named(missing: str, tmp_path: Path) -> None:
    columns = [name for name in ("fact", "operator", "result") if name != missing]
    with pytest.raises(BadInput, match=f"no column '{missing}'"):
        given_file(tmp_path, f"{','.join(columns)}\na,b\n", "reversal")


def test_an_operator_of_the_users_own_may_have_rows(tmp_path: Path) -> None:
    (tmp_path / "echo.toml").write_text(
        'name = "echo"\narity = "one"\ninstruction = "Say it."\nfilters = []\n'
        '[[exemplars]]\nfact = "A is B."\nresult = "B is A."\n'
    )
    content = "fact,operator,result\nAna owns Zorb.,echo,Zorb\n"
    assert given_file(tmp_path, content, "reversal") == {}
    [echo] = operators.load(["echo"], FILTERS, tmp_path)
    assert len(read(tmp_path, [echo])["echo"]) == 1


# Choosing


def worked(*facts: str) -> tuple[Exemplar, ...]:
    return tuple(Exemplar(fact=fact, result=f"{fact} Said again.") for fact in facts)


RELATIONS = (
    "owns",
    "painted",
    "designed",
    "lives in",
    "founded",
    "is older than",
    "is the mother of",
    "teaches",
)
OWN = worked(*(f"Ben{n} {relation} Ulm{n}." for relation in RELATIONS for n in range(3)))


@pytest.mark.parametrize("relation", RELATIONS)
def test_the_nearest_by_relation_wording_are_chosen_whatever_the_names_are(relation: str) -> None:
    found = nearest(BY_NAME["reversal"], OWN, [f"Ada Brandt {relation} Ben0 Ulm."], 3)
    assert [e.premises[0].partition(" ")[2].rpartition(" ")[0] for e in found] == [relation] * 3


def test_inflections_of_a_relation_count_as_one() -> None:
    found = nearest(BY_NAME["reversal"], OWN, ["The gate was painted by Ada."], 3)
    assert {e.premises[0].split()[1] for e in found} == {"painted"}


def test_shipped_exemplars_fill_what_the_users_leave_free() -> None:
    operator = BY_NAME["reversal"]
    found = nearest(operator, OWN[:2], ["Ada owns Orr."], 5)
    assert found == (*operator.exemplars[:3], *OWN[:2])
    assert nearest(operator, OWN[:5], ["Ada owns Orr."], 5) == OWN[:5]
    assert len(nearest(operator, OWN[:2], ["Ada owns Orr."], 99)) == len(operator.exemplars) + 2


@given(st.lists(st.sampled_from(RELATIONS), min_size=1, max_size=40), st.integers(1, 8))
@settings(max_examples=50, deadline=None)
def test_there_are_no_more_prompts_than_relations(relations: list[str], most: int) -> None:
    operator: Operator = BY_NAME["reversal"]
    prompts = {
        nearest(operator, OWN, [f"Ada{n} {relation} Orr{n}."], most)
        for n, relation in enumerate(relations)
    }
    assert len(prompts) <= len(set(relations))
    for prompt in prompts:
        places = [OWN.index(exemplar) for exemplar in prompt]
        assert places == sorted(places)  # in one order, so that prompts share their beginnings
        assert len(places) == min(most, len(OWN))


@given(st.text(max_size=40), st.integers(1, 30))
@settings(deadline=None)
def test_any_fact_gets_its_exemplars(text: str, most: int) -> None:
    assert 1 <= len(nearest(BY_NAME["reversal"], OWN, [text], most)) <= most
