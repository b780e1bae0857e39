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

WIDTH = 1280


def take(report: Path, picture: Path, height: int) -> None:
    """A screenshot down to the legend of the arms, of `height` px at most."""
    with chromium() as browser, opened(browser, report, WIDTH, height) as found:
        box = found.page.locator(".legend.arms").first.bounding_box()
        low = min(height, round(box["y"] + box["height"]) + 28)
        picture.parent.mkdir(parents=True, exist_ok=True)
        found.page.screenshot(
            path=picture,
            full_page=True,
            clip={"x": 0, "y": 0, "width": WIDTH, "height": low},
            animations="disabled",
        )
        if not found.quiet():
            raise SystemExit(f"{report}: {found.requests or found.told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/report.png"))
    parser.add_argument("--height", type=int, default=1100)
    asked = parser.parse_args()
    report = write_study(asked.run) if is_study(asked.run) else write_report(RunFolder(asked.run))
    take(report, asked.out, asked.height)
    print(asked.out)


if __name__ == "__main__":
    main()
