"""`make bench-score`: runs the evaluator of SHARED_DIR on the checklist and writes its page."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

from bench.score_gold import ROOT, SAMPLES, SHARED, compared
from bench.score_page import Run, page

PAGE = ROOT / "docs/reference/score-quality.md"
BENCH = SHARED / "score_bench"


def evaluated(sample: str, *, typed: bool, quick: bool) -> dict[str, Any]:
    """The evaluator's result: a program of its own, as it would judge anybody's scorer."""
    scorer = Path(sys.executable).with_name("signalbox")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        asked = [
            *(sys.executable, str(BENCH / "evaluate.py"), "--out", str(out)),
            *("--gold", str(BENCH / "gold" / sample / "gold.jsonl")),
            *("--scorer", f"{shlex.quote(str(scorer))} score --jsonl"),
            *(["--kind-as-type"] if typed else []),
            *(["--quick"] if quick else []),
        ]
        # Exit code 1 says that the output broke its contract: that is told on the page.
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        if not out.exists():
            raise SystemExit(f"The evaluator failed:\n{done.stdout}{done.stderr}")
        found: dict[str, Any] = json.loads(out.read_text())
        return found


def main() -> None:
    if not BENCH.is_dir():
        raise SystemExit(f"There is no {BENCH}: SHARED_DIR names the folder that holds it.")
    runs = []
    for position, (sample, typed) in enumerate(product(SAMPLES, (False, True))):
        print(f"{sample}, {'type given' if typed else 'no type'} ...", flush=True)
        result = evaluated(sample, typed=typed, quick=position > 0)
        runs.append(Run(sample, typed, result, compared(sample, typed=typed)))
    PAGE.write_text(page(runs), encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
