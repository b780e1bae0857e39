"""The shipped fake keeps the promises of the Engine protocol."""

from __future__ import annotations

from augmlx.engines.protocol import Completion, Engine, Request, Score
from augmlx.engines.scripted import ScriptedEngine


def request(key: str, suffix: str = "x") -> Request:
    return Request.greedy(key, suffix, prefix="prefix ", max_tokens=8)


def test_it_is_an_engine() -> None:
    engine: Engine = ScriptedEngine(lambda r: r.suffix)
    assert (engine.name, engine.model) == ("scripted", "script")


def test_completions_come_in_the_order_of_the_requests_and_are_counted() -> None:
    engine = ScriptedEngine(lambda r: f"{r.key} {r.prompt}")
    found = list(engine.generate([request("b"), request("a")]))
    assert found == [
        Completion("b", "b prefix x", "stop", 3),
        Completion("a", "a prefix x", "stop", 3),
    ]
    assert engine.generated == 2


def test_what_it_writes_ends_at_the_stop() -> None:
    engine = ScriptedEngine(lambda _: "one line\nanother")
    assert next(engine.generate([request("a")])).text == "one line"


def test_without_a_stop_all_of_it_is_kept() -> None:
    engine = ScriptedEngine(lambda _: "one line\nanother")
    (completion,) = engine.generate([Request.greedy("a", "x", max_tokens=8, stop="")])
    assert completion.text == "one line\nanother"


def test_a_script_may_fail_or_be_cut_off() -> None:
    engine = ScriptedEngine(lambda r: Completion(r.key, "too long", "error", 0))
    assert list(engine.generate([request("a")])) == [Completion("a", "too long", "error", 0)]


def test_scores_are_in_the_order_of_the_pairs() -> None:
    engine = ScriptedEngine(lambda _: "", weigh=lambda prompt, text: len(prompt) - len(text))
    assert engine.score(["ab", ""], ["c", "d e"]) == [Score(1, 1), Score(-3, 2)]
    assert engine.score([], []) == []


def test_another_script_has_another_fingerprint() -> None:
    one, two = ScriptedEngine(lambda _: "", model="one"), ScriptedEngine(lambda _: "", model="two")
    assert one.fingerprint != two.fingerprint
    assert one.fingerprint == ScriptedEngine(lambda _: "", model="one").fingerprint
