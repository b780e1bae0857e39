#!/usr/bin/env python3
"""A picture of the top of a run's report, for the README: light, 1280 px wide. Needs Chromium and
the extra [dev].

.venv/bin/python scripts/picture.py runs/demo -o docs/report.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from augmlx.core.run_folder import RunFolder
from augmlx.report import is_study, write_report, write_study
from tests.report.browser import chromium, opened

WIDTH, MARGIN = 1280, 28  # px


def take(report: Path, picture: Path, height: int) -> None:
    """A screenshot down to the legend of the arms, of `height` px at most."""
    with chromium() as browser, opened(browser, report, WIDTH, height) as view:
        legend = view.page.locator(".legend.arms").first.bounding_box()
        bottom = round(legend["y"] + legend["height"]) + MARGIN
        picture.parent.mkdir(parents=True, exist_ok=True)
        view.page.screenshot(
            path=picture,
            full_page=True,
            clip={"x": 0, "y": 0, "width": WIDTH, "height": min(height, bottom)},
            animations="disabled",
        )
        if not view.quiet():
            raise SystemExit(f"{report}: {view.requests or view.told}")


def write_page(folder: Path) -> Path:
    """The report of a run or of a study."""
    if is_study(folder):
        return write_study(folder)
    return write_report(RunFolder(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/report.png"))
    parser.add_argument("--height", type=int, default=1100)
    given = parser.parse_args()
    take(write_page(given.run), given.out, given.height)
    print(given.out)


if __name__ == "__main__":
    main()
