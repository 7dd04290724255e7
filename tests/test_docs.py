"""The pages are held to the code: what they quote, name, link and promise is compared with it.

Parts of pages between `<!-- from the code: NAME -->` and `<!-- end -->` are written by
`python -m tests.test_docs`; everything else is written by people.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

from app.admin.guide import Place, steps
from app.cli import app
from app.config import Settings
from app.core.commands import COMMANDS
from app.core.comments.readiness import NoStart, ReadinessView, readiness_comment
from app.core.comments.run import ENDINGS
from app.core.criteria import CRITERIA
from app.core.eligibility import MODES, Defer, Reason
from app.core.plain import render
from app.core.readiness import assess
from app.core.rights import IMPLIES
from app.core.run import RETRYABLE
from app.core.text import Block
from app.core.wiki import from_wiki
from app.sandbox.story import LABEL, STORY
from app.store import ledger

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LARGEST_IMAGE = 150_000
ROOT_COMMAND: Any = typer.main.get_command(app)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


# What is written from the code


def vague() -> str:
    """The readiness comment of the demo's vague ticket, folds closed, as a quotation."""
    act = STORY["vague"]
    readiness = assess(act.summary, from_wiki(act.description), act.issue_type)
    decision = Defer((Reason("not_ready", "", ""),))
    blocks = readiness_comment(ReadinessView(readiness, decision, LABEL))
    shown = "\n\n".join(render([_closed(block)]) for block in blocks)
    safe = re.sub(r"([*_<`])", r"\\\1", shown)
    return "\n".join(f"> {line}".rstrip() for line in safe.split("\n"))


def _closed(block: Block) -> Block:
    return replace(block, children=()) if block.kind == "expand" else block


def better() -> str:
    return f"```text\n{str(STORY['vague'].better).strip()}\n```"


def commands() -> str:
    return _table(
        ("command", "who", "does"),
        ((f"`agent {row.typed}`", _holders(row.right), row.help) for row in COMMANDS.values()),
    )


def _holders(right: str) -> str:
    if right == "edit":
        return "whoever may edit the ticket in Jira"
    able = [name for name, implied in IMPLIES.items() if right in implied]
    return "everybody" if right == "read" else " or ".join(able)


def criteria() -> str:
    def kind(name: str) -> str:
        found = next(criterion for criterion in CRITERIA if criterion.name == name)
        marks = (("must-have", found.must_have), ("defects", found.defects_only))
        return ", ".join(word for word, true in (*marks, ("flaw", found.flaw)) if true)

    return _table(
        ("criterion", "holds when", "points", ""),
        ((f"`{c.name}`", c.asks, str(c.weight), kind(c.name)) for c in CRITERIA),
    )


def endings() -> str:
    return _table(
        ("ending", "word in the ticket", "the agent …", "another attempt?"),
        (
            (f"`{ending}`", f"`{told.mark.upper()}`", told.text, "yes" * (ending in RETRYABLE))
            for ending, told in ENDINGS.items()
        ),
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | Any) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def guided(kind: str) -> str:
    """Where to click, as `signalbox connect --guide` says it."""
    place = Place("https://signalbox.acme.example", "https://acme.atlassian.net", "acme")
    lines: list[str] = []
    for number, step in enumerate(steps(kind, place), 1):
        lines.append(f"{number}. {step.do.replace('<', '&lt;')}")
        lines += [f"   - {name}: {_quoted(value)}" for name, value in step.fields]
    return "\n".join(lines)


def _quoted(value: str) -> str:
    if "\n" not in value:
        return f"`{value}`"
    head, *body = value.split("\n")
    return "\n".join([head, "     ```json", *(f"     {line}" for line in body), "     ```"])


GUIDES = {
    "token": DOCS / "how-to/connect-your-jira.md",
    "automation": DOCS / "how-to/connect-by-automation-rule.md",
    "connect": DOCS / "how-to/connect-as-connect-app.md",
    "forge": DOCS / "how-to/forge-app.md",
    "server": DOCS / "how-to/connect-data-center.md",
    "poll": DOCS / "how-to/connect-by-polling.md",
}
WRITTEN: dict[str, tuple[Path, Callable[[], str]]] = {
    "vague": (README, vague),
    "better": (DOCS / "tutorial/first-ticket.md", better),
    "commands": (DOCS / "reference/comments-and-commands.md", commands),
    "criteria": (DOCS / "explanation/score.md", criteria),
    **{f"guide {kind}": (GUIDES[kind], partial(guided, kind)) for kind in GUIDES},
    "endings": (DOCS / "explanation/journey.md", endings),
}


def _part(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- from the code: {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize("name", WRITTEN)
def test_part_is_what_the_code_says(name: str) -> None:
    page, made = WRITTEN[name]
    found = _part(name).findall(page.read_text())
    assert found == [made() + "\n"], "run: python -m tests.test_docs"


def test_every_part_is_written() -> None:
    marks = [mark for page in PAGES for mark in re.findall("from the code: (.*) -->", _text(page))]
    assert sorted(marks) == sorted(WRITTEN)


# Tables that people write and the code decides


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _rows(page: Path, head: str) -> list[str]:
    """First cells, without marks, of every table of the page that begins with `head`."""
    found = []
    inside = False
    for line in _text(page).splitlines():
        if line.startswith(head):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            found.append(line.split("|")[1].strip().replace("`", ""))
    return found


def _tree(path: str) -> ast.Module:
    return ast.parse(_text(ROOT / path))


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
            yield node


def _constant(node: ast.expr) -> str:
    assert isinstance(node, ast.Constant), ast.unparse(node)
    return str(node.value)


def test_every_reason_has_its_row() -> None:
    rules = _tree("app/core/eligibility.py")
    gate = [_tree(f"app/{name}.py") for name in ("dispatch/admit", "core/shortage")]
    codes = {_constant(call.args[1]) for call in _calls(rules, "_when")}
    made = [call for tree in (rules, *gate) for call in _calls(tree, "Reason") if call.args]
    codes |= {str(c.args[0].value) for c in made if isinstance(c.args[0], ast.Constant)}
    page = DOCS / "reference/reasons.md"
    told = _rows(page, "| code |")
    assert sorted(told) == sorted(codes)
    assert sorted(_rows(page, "| ledger |")) == sorted(get_args(ledger.Reason))
    assert sorted(_rows(page, "| why |")) == sorted(get_args(get_type_hints(NoStart)["why"]))


def test_steps_stand_in_the_order_of_the_journey() -> None:
    durable = {
        node.name
        for path in (ROOT / "app/engine").glob("*.py")
        for node in ast.walk(ast.parse(_text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any("DBOS.step" in ast.unparse(decorator) for decorator in node.decorator_list)
    }
    text = _text(ROOT / "app/engine/journey.py") + _text(ROOT / "app/engine/sweeps.py")
    named = [name for name in re.findall(r"\b\w*steps\.(\w+)", text) if name in durable]
    assert _rows(DOCS / "explanation/journey.md", "| step |") == list(dict.fromkeys(named))


def test_modes_are_told() -> None:
    assert _rows(DOCS / "explanation/journey.md", "| mode ") == list(MODES)


def test_outcomes_of_deliveries_are_told() -> None:
    engine = [ast.parse(_text(path)) for path in (ROOT / "app/engine").glob("*.py")]
    settled = [call.args[1:] for tree in engine for call in _calls(tree, "settle")]
    settled += [call.args[1:2] for call in _calls(_tree("app/core/events.py"), "Event")]
    settled += [_outcomes("app/assessment/assess.py"), _outcomes("app/reporting/answer.py")]
    found = {str(arg.value) for args in settled for arg in args if isinstance(arg, ast.Constant)}
    told = _rows(DOCS / "reference/deliveries.md", "| outcome |")
    assert sorted(told) == sorted({*found, "waiting"} - {""})


def _outcomes(path: str) -> list[ast.expr]:
    made = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Dict)]
    pairs = [pair for each in made for pair in zip(each.keys, each.values, strict=True)]
    return [
        value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "outcome"
    ]


def test_reasons_of_ignored_deliveries_are_as_written() -> None:
    files = ("core/events.py", "assessment/assess.py", "reporting/answer.py")
    source = "".join(_text(ROOT / "app" / file) for file in files)
    for reason in _rows(DOCS / "reference/deliveries.md", "| reason |"):
        for part in re.split(r'"…"| ?…,? ?|, ', reason):
            assert part in source, reason


def test_json_of_the_demo_has_these_names() -> None:
    source = _tree("app/cli/demo_outcome.py")
    made = {node.name: node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)}

    def names(function: str) -> list[list[str]]:
        found = [node for node in ast.walk(made[function]) if isinstance(node, ast.Dict)]
        return [[_constant(key) for key in each.keys if key is not None] for each in found]

    page = _text(DOCS / "reference/demo-json.md")
    example = json.loads(page.split("```json\n")[1].split("```")[0])
    assert [list(example), list(example["ledger"]), list(example["deliveries"])] == names("outcome")
    ticket = example["tickets"][0]
    assert list(ticket) in names("_ticket")
    assert [list(ticket["runs"][0])] == names("_run")


# Command lines, settings


def _shell_lines(page: Path) -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", _text(page), re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def _words(line: str) -> list[str] | None:
    """What follows the program's name in a line of a shell, None where it is not called."""
    inner = re.search(r"\$\((signalbox [^)]*)\)", line)
    words = shlex.split(inner[1] if inner else line, comments=True)
    program = re.compile(r"(\.venv/bin/)?signalbox|signalbox:local")
    called = [at for at, word in enumerate(words) if program.fullmatch(word)]
    if not called or words[:2] == ["docker", "build"]:
        return None
    rest = words[called[-1] + 1 :]
    ends = [at for at, word in enumerate(rest) if word in ("<", ">", "|", "&&")]
    return rest[: ends[0]] if ends else rest


def _command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words lead to, and what is left of them."""
    command, rest = ROOT_COMMAND, list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"there is no command {' '.join(words)}"
        command = command.commands[rest.pop(0)]
    return command, rest


def _options(command: Any) -> set[str]:
    named = (name for param in command.params for name in (*param.opts, *param.secondary_opts))
    return {*named, "--help"}


@each_page
def test_command_lines_can_be_typed(page: Path) -> None:
    for line in _shell_lines(page):
        words = _words(line)
        if words is None:
            continue
        command, rest = _command(words)
        assert not hasattr(command, "commands"), f"{line}: a command is missing"
        try:
            command.make_context(command.name, rest)
        except Exception as fault:  # noqa: BLE001 - whichever way the parser refuses
            pytest.fail(f"{line}: {getattr(fault, 'message', fault)}")


@each_page
def test_commands_in_sentences_exist(page: Path) -> None:
    for span in re.findall(r"`signalbox ([a-z][^`]*)`", _text(page)):
        words = shlex.split(span)
        command, rest = _command(words)
        for option in (word for word in rest if word.startswith("--")):
            assert option in _options(command), f"signalbox {span}: no option {option}"


@pytest.mark.parametrize("page", [README, *sorted(DOCS.rglob("*.md"))], ids=lambda p: p.stem)
def test_settings_exist(page: Path) -> None:
    known = {f"SIGNALBOX_{name.upper()}" for name in Settings.model_fields}
    named = {name for name in re.findall(r"SIGNALBOX_[A-Z_]+", _text(page)) if name[-1] != "_"}
    assert named <= known


# Links, images, length


def _links(page: Path) -> Iterator[str]:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", _text(page), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not target.startswith(("http://", "https://", "mailto:")):
            yield target


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_page_is_in_the_index() -> None:
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in _links(DOCS / "index.md")}
    notes = set((DOCS / "decisions").glob("0*.md"))
    assert set(DOCS.rglob("*.md")) - notes - {DOCS / "index.md"} <= listed


def test_images_are_used_and_small() -> None:
    used = {(page.parent / link).resolve() for page in PAGES for link in _links(page)}
    for image in (DOCS / "images").iterdir():
        assert image in used, f"{image.name} is on no page"
        assert image.stat().st_size < LARGEST_IMAGE, image.name


def test_pages_that_the_program_names_are_there() -> None:
    for source in [*(ROOT / "app/cli").glob("*.py"), ROOT / "Makefile", ROOT / "Dockerfile"]:
        for named in re.findall(r"\bdocs/[\w./-]+\.md", _text(source)):
            assert (ROOT / named).is_file(), f"{source.relative_to(ROOT)} names {named}"


def test_readme_has_one_screen_and_a_little_more() -> None:
    assert 60 <= len(_text(README).splitlines()) <= 110


def write() -> None:
    for name, (page, made) in WRITTEN.items():
        text = made() + "\n"
        page.write_text(_part(name).sub(lambda _: text, _text(page)), encoding="utf-8")  # noqa: B023


if __name__ == "__main__":
    write()
