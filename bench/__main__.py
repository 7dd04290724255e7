"""`python -m bench [NAME …]`: makes figures and prints them; --save keeps them in bench/results."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import first_comment, ledger, machine, scan, score, suite
from bench.report import Report, save, show


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ["first_comment", "ledger", "score", "core", "suite", "scan"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; or all")
    parser.add_argument(
        "--runs", type=positive, default=1, metavar="N", help="of score, suite and core"
    )
    parser.add_argument(
        "--tickets", type=positive, default=100, metavar="N", help="of first_comment"
    )
    parser.add_argument(
        "--entries", type=positive, default=1_000_000, metavar="N", help="of ledger, before"
    )
    parser.add_argument("--burst", type=positive, default=50, metavar="N", help="labelled at once")
    parser.add_argument("--mode", default="auto", choices=["watch", "advise", "approve", "auto"])
    parser.add_argument("--save", action="store_true", help="keep every value as JSON")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    given.names = given.names or names
    return given


def main(arguments: list[str]) -> int:
    given, console = parsed(arguments), Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    benchmarks: dict[str, Callable[[Progress], Report]] = {
        "first_comment": lambda shown: first_comment.run(
            shown, given.tickets, given.burst, given.mode
        ),
        "ledger": lambda shown: ledger.run(shown, given.entries),
        "score": lambda shown: score.run(shown, given.runs),
        "core": lambda shown: suite.run_core(shown, given.runs),
        "suite": lambda shown: suite.run_suite(shown, given.runs),
        "scan": scan.run,
    }
    for name in given.names:
        facts = machine.facts()
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as shown:
            try:
                report = benchmarks[name](shown)
            except suite.TestsFailed as fault:
                failed = f"{name}: the tests failed, so there is no figure\n{fault}"
                console.print(failed, markup=False, highlight=False)
                return 1
        show(console, report, facts)
        if given.save:
            console.print(f"kept in {save(report, facts)}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
