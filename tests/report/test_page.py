"""The pages in a real browser: nothing leaves them, nothing overflows, and the table does what its
controls say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny.line import Setup, everything

from augmlx.core.files import write_jsonl
from augmlx.core.run_folder import RunFolder
from augmlx.report import write_comparison, write_report, write_study

from .browser import Opened, chromium, opened
from .support import ADDED, ALL_ARMS, LEAK, full, origin, study, write_augmentation, write_items

EVIL = """</style></script><script>alert(1)</script><img src="https://example.com/x" onerror="alert(1)">"'`"""  # noqa: E501
LONG = EVIL + "x" * 10_000
WIDTHS = (400, 1280, 1920)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("plain")
    run, other = full(folder / "acme"), full(folder / "other", regressions=[])
    write_jsonl(
        run.rejected,
        (
            {
                "id": f"r{n}",
                "text": f"Dropped {n}",
                "by": "vote",
                "why": "outvoted",
                "origin": origin("f1", "chain"),
            }
            for n in range(7)
        ),
    )
    return {
        "run": write_report(run),
        "study": write_study(study(folder / "study")),
        "comparison": write_comparison([run, other], folder / "c.html"),
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every text that comes from data, a model or a user is as nasty and as long as it can be."""
    folder = tmp_path_factory.mktemp("hostile")
    runs = [_hostile(folder / name) for name in ("a" * 200, "<script>alert(1)<")]
    world = study(folder / "study", world=LONG, model=LONG, notes=[LONG])
    return {
        "run": write_report(runs[0]),
        "study": write_study(world),
        "comparison": write_comparison(runs, folder / "c.html"),
    }


def _hostile(path: Path) -> RunFolder:
    arms = {**ALL_ARMS, LONG: ALL_ARMS["base"], "w" * 40: ALL_ARMS["base"]}
    arms = {arm: {**cells, LONG: cells["forward"]} for arm, cells in arms.items()}
    leak = {**LEAK, "verbatim": [LONG]}
    change = {"before": 1, "after": 0, "low": -1, "high": -1}
    lost = [{"arm": LONG, "what": "questions", **change, "text": LONG}]
    gaps = [{**row, "kind": LONG, "arm": LONG} for row in ADDED["differences"][:2]] + ADDED[
        "differences"
    ]
    run = full(
        path, arms, leaks={LONG: leak}, regressions=lost, differences=gaps, notes=[LONG], model=LONG
    )
    write_augmentation(run, facts=5, text=LONG, kept=20, rejected=20)
    rows = [{"id": "x", "text": LONG, "by": LONG, "why": LONG, "origin": origin("f0", LONG)}]
    write_jsonl(run.rejected, rows)
    flow = {"kept": 20, "rejected": 1, "failed": 0}
    counts = {"facts": 5, "produced": 21, **flow, "by": {LONG: 1}, "by_operator": {LONG: flow}}
    run.record("augment", {"counts": counts, "seconds": 1.0, "versions": {LONG: LONG}})
    write_items(run, ALL_ARMS, prompt=LONG)
    return run


def open_all(found: Opened) -> None:
    found.page.evaluate(
        "document.querySelectorAll('details').forEach((part) => { part.open = true; })"
    )


@pytest.mark.parametrize("kind", ["run", "study", "comparison"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("pages", ["plain", "hostile"])
def test_a_page_fits_its_window_and_keeps_to_itself(
    browser: Any, request: pytest.FixtureRequest, pages: str, kind: str, width: int
) -> None:
    path = request.getfixturevalue(pages)[kind]
    assert path.stat().st_size < 2_000_000
    with opened(browser, path, width) as found:
        assert found.overflow() <= 0
        open_all(found)
        assert found.overflow() <= 0
        assert found.page.locator("h1").bounding_box()["width"] > 200
        assert found.page.locator("footer").is_visible()  # the page was not broken off on the way
        assert found.page.locator("img, iframe, object").count() == 0
        assert found.page.locator("script").count() == (1 if kind == "run" else 0)
        assert (found.requests, found.told) == ([], [])


def test_the_browser_notices_what_a_page_must_not_do(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        '<img src="https://example.com/x"><script>alert(1); console.log("hm")</script><p '
        'style="width:3000px">x'
    )
    with opened(browser, path) as found:
        assert found.overflow() > 0
        assert found.requests == ["https://example.com/x"]
        assert {"1", "hm"} <= set(found.told)  # the refused picture is told, too, whenever it comes


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page(browser: Any, plain: dict[str, Path], scheme: str) -> None:
    def brightness(found: Opened, key: str) -> float:
        colour = found.page.evaluate(f"getComputedStyle(document.body).{key}")
        return sum(float(part) for part in colour[4:-1].split(",")) / 3

    with opened(browser, plain["run"], scheme=scheme) as found:
        page, ink = brightness(found, "backgroundColor"), brightness(found, "color")
    assert abs(page - ink) > 150
    assert (page > ink) == (scheme == "light")


class Table:
    """The table of augmentations, as a person uses it."""

    def __init__(self, found: Opened) -> None:
        self.page = found.page

    @property
    def rows(self) -> list[str]:
        return [
            str(text)
            for text in self.page.locator("#samples tbody tr td:nth-child(2)").all_inner_texts()
        ]

    @property
    def count(self) -> str:
        return str(self.page.locator("#found").inner_text())

    def order(self) -> str:
        return str(self.page.locator("#samples th").nth(1).get_attribute("aria-sort"))


def test_search_filters_the_rows_and_counts_them(browser: Any, plain: dict[str, Path]) -> None:
    with opened(browser, plain["run"]) as found:
        table = Table(found)
        assert table.count == "127 rows"
        assert len(table.rows) == 15
        table.page.fill("#search", "KEPT 117 lumen")  # every word, in any order and case
        assert table.count == "1 of 127 rows"
        assert table.rows == ["Mara Voss is the head of the Lumen Lab. kept 117"]
        table.page.fill("#search", "outvoted")  # the reason is searched, too
        assert table.count == "7 of 127 rows"
        table.page.fill("#search", "nothing like it")
        assert (table.count, table.rows) == ("0 of 127 rows", [])
        table.page.fill("#search", "")
        table.page.click("button:text-is('Dropped')")
        assert table.count == "7 of 127 rows"
        table.page.click("button:text-is('All')")
        table.page.select_option("#operator", "chain")
        assert table.rows == [f"Dropped {n}" for n in range(7)]
        table.page.click("button:text-is('Kept')")
        assert table.count == "0 of 127 rows"
        assert table.page.locator("#found").get_attribute("aria-live") == "polite"
        assert found.quiet()


def test_columns_sort_both_ways_with_the_keyboard(browser: Any, plain: dict[str, Path]) -> None:
    with opened(browser, plain["run"]) as found:
        table = Table(found)
        table.page.select_option("#operator", "chain")
        assert table.order() == "none"
        table.page.locator("#samples th button").nth(1).focus()
        table.page.keyboard.press("Enter")
        assert table.order() == "ascending"
        rising = table.rows
        table.page.keyboard.press("Enter")
        assert table.order() == "descending"
        assert table.rows == rising[::-1] == [f"Dropped {n}" for n in reversed(range(7))]
        # Numbers in a text sort as numbers.
        table.page.select_option("#operator", "reversal")
        table.page.keyboard.press("Tab")
        table.page.locator("#samples th button").nth(1).click()
        assert [row.rsplit(" ", 1)[1] for row in table.rows][:3] == ["0", "1", "2"]
        assert found.quiet()


def test_pages_are_turned(browser: Any, plain: dict[str, Path]) -> None:
    with opened(browser, plain["run"]) as found:
        table = Table(found)
        first = table.rows
        assert table.page.locator("#back").is_disabled()
        table.page.click("#next")
        assert table.page.locator("#page").inner_text() == "page 2 of 9"
        assert not set(first) & set(table.rows)
        table.page.fill("#search", "lumen")  # a new search starts at its first page
        assert table.page.locator("#page").inner_text().startswith("page 1 of")


def test_a_page_prints_without_controls(browser: Any, plain: dict[str, Path]) -> None:
    with opened(browser, plain["run"]) as found:
        found.page.emulate_media(media="print")
        assert not found.page.locator("#search").is_visible()
        assert found.page.locator("h1").is_visible()
        assert found.page.pdf(format="A4").startswith(b"%PDF")


def test_the_page_of_a_real_run_is_as_quiet_and_as_narrow(browser: Any, setup: Setup) -> None:
    """All that the stages themselves write: augmented by a script, trained and evaluated on a tiny
    model.
    """
    everything(setup.open())
    for width in WIDTHS:
        with opened(browser, setup.run.report, width) as found:
            assert found.overflow() <= 0
            assert found.quiet(), (found.requests, found.told)
            assert found.page.locator("h1").count() == 1


def test_the_page_of_the_demo_run_is_as_quiet_and_as_narrow(browser: Any) -> None:
    """The one that ./scripts/demo leaves in this checkout: ten minutes of a real model, so it is
    not made here.
    """
    page = Path(__file__).parents[2] / "runs" / "demo" / "report.html"
    if not page.exists():
        pytest.skip("needs the demo run: ./scripts/demo")
    for width in WIDTHS:
        with opened(browser, page, width) as found:
            assert found.overflow() <= 0
            assert found.quiet(), (found.requests, found.told)
            table = Table(found)
            table.page.fill("#search", "heron lamp")
            shown = table.page.locator(
                "#samples tbody tr"
            ).all_inner_texts()  # the facts they are from are searched, too
            assert shown
            assert all("heron lamp" in row.casefold() for row in shown)
            if width > 400:  # a phone has the rows as cards, without a header
                orders = []
                for _ in range(2):
                    table.page.locator("#samples th button").nth(1).click()
                    orders.append((table.order(), sorted(table.rows)))
                assert [order for order, _ in orders] == ["ascending", "descending"]
                assert orders[0][1] == orders[1][1]
