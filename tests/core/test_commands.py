"""Which comments are commands, which are nearly ones, and which are none of our business."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.adf import from_adf, to_adf
from app.core.commands import COMMANDS, LONGEST_SAID, Command, WrongCommand, parse, pressed
from app.core.comments import help_reply
from app.core.text import Block, Document, Kind, Span, bullets, from_plain, item, paragraph, words
from app.core.wiki import from_wiki
from tests.core.generated import documents, hostile_text

OURS = "557058:0a-1"
STOP = Command("stop", "stop")


@pytest.mark.parametrize(
    "text",
    [
        "agent stop",
        "Agent STOP",
        "/agent stop",
        "  agent   stop  ",
        "agent stop.",
        "agent stop!!",
        "agent: stop",
        "agent, stop",
        "agent stop please",
        "agent stop, thanks!",
        "\n\nagent stop\nIt edits the wrong file.",
        "[~accountid:557058:0a-1] stop",
        "[~557058:0a-1], stop!",
        "{quote}agent retry{quote}\nagent stop",
        "{code}agent retry{code}\nagent stop",
        "*agent stop*",
    ],
)
def test_a_stop_is_a_stop(text: str) -> None:
    assert parse(from_wiki(text), OURS) == STOP


@pytest.mark.parametrize(
    "text",
    [
        "",
        "agent",
        "the agent failed",
        "agents stop",
        "agentstop",
        "Agent orange is a colour",
        "agent stop is what I would have said if I had seen it",
        "Please agent stop",
        "I would say\nagent stop",
        "{code}agent stop{code}",
        "{{agent stop}}",
        "bq. agent stop",
        "{quote}agent stop{quote}",
        "* agent stop",
        "h1. agent stop",
        "[~somebody] stop",
        "agent [~557058:0a-1] stop",
        "agent stop" + " " * 150 + "is what I would never do",
        "agent stop words are a list that search leaves out",
        "agent wrong direction was taken in the last sprint",
    ],
)
def test_prose_is_left_alone(text: str) -> None:
    assert parse(from_wiki(text), OURS) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("agent halt", "is no command. There are: score, run, approve,"),
        ("agent run this", 'It is just: "agent run".'),
        ("/agent can you look at it again", "is no command."),
        ("[~557058:0a-1] thanks for that", "is no command."),
        ("agent stop the run", 'has words that I do not know. It is just: "agent stop".'),
        ("agent stop. It edits the wrong file.", "has words that I do not know."),
        ("agent approve 3", 'It is just: "agent approve".'),
        ("agent 1", "is no command."),
        ("agent wrong", 'does not say about what. For example "agent wrong 2"'),
        ("agent wrong please", "does not say about what."),
        ("agent wrong 0", "does not say about what."),
        ("agent wrong again", "does not say about what."),
        ("/agent wrong about the second of all these", "does not say about what."),
        ("agent apply 2", 'It is just: "agent apply".'),
    ],
)
def test_what_was_meant_as_a_command_gets_a_hint(text: str, hint: str) -> None:
    wrong = parse(from_wiki(text), OURS)
    assert isinstance(wrong, WrongCommand)
    assert hint in wrong.hint


def test_a_mention_counts_only_when_it_is_ours() -> None:
    mention = Document((paragraph(Span("@Signalbox", mention=OURS), " status"),))
    assert parse(mention, OURS) == Command("status", "read")
    assert parse(mention, None) is None
    assert parse(mention, "somebody-else") is None


def test_a_list_first_means_that_nobody_is_addressed() -> None:
    document = Document((bullets(item(paragraph("one"))), paragraph("agent stop")))
    assert parse(document, OURS) is None


def test_each_command_has_its_right() -> None:
    assert {name: row.right for name, row in COMMANDS.items()} == {
        "score": "read",
        "run": "dispatch",
        "approve": "approve",
        "stop": "stop",
        "retry": "dispatch",
        "topup": "budget",
        "wrong": "read",
        "apply": "edit",
        "split": "dispatch",
        "status": "read",
        "pause": "admin",
        "resume": "admin",
        "help": "read",
    }
    for name, row in COMMANDS.items():
        assert parse(from_plain(f"agent {row.typed}"), None) == COMMANDS_GIVEN[name]


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("agent topup 3", "3"),
        ("agent topup $3.50.", "3.50"),
        ("/agent topup 0.5, please", "0.5"),
        ("Agent TOPUP 12!", "12"),
    ],
)
def test_an_amount_is_read_as_it_stands(text: str, argument: str) -> None:
    assert parse(from_plain(text), None) == Command("topup", "budget", argument)


@pytest.mark.parametrize("amount", ["", "three", "1,000", "3,50", "-3", "3 5", "3.505", "1e3", "$"])
def test_what_could_be_another_amount_sets_nothing_aside(amount: str) -> None:
    read = parse(from_plain(f"/agent topup {amount}"), None)
    assert isinstance(read, WrongCommand)
    assert read.hint.startswith("does not say just how much")


@pytest.mark.parametrize(
    ("text", "argument", "said"),
    [
        ("agent wrong 2", "2", ""),
        ("agent wrong 2.", "2", ""),
        ("Agent WRONG 2 please", "2", ""),
        ("/agent wrong 12, it stands in the table", "12", "it stands in the table"),
        ("agent wrong vague: there is a number", "vague", "there is a number"),
        ("agent wrong Open Decision", "open_decision", ""),
        ("agent wrong open_decision", "open_decision", ""),
        ("agent wrong end", "bounded", ""),
        ("agent wrong observed and expected, both are there", "observed_expected",
         "both are there"),
    ],
)  # fmt: skip
def test_an_objection_names_a_number_or_a_check(text: str, argument: str, said: str) -> None:
    assert parse(from_wiki(text), OURS) == Command("wrong", "read", argument, said)


@given(st.text(max_size=2000))
def test_a_reason_is_bounded_and_never_anything_else(reason: str) -> None:
    read = parse(from_plain(f"agent wrong 2 because {reason}"), None)
    assert isinstance(read, Command | WrongCommand)
    if isinstance(read, Command):
        assert (read.name, read.argument) == ("wrong", "2")
        assert len(read.said) <= LONGEST_SAID


@given(documents)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_comment_is_read(blocks: tuple[Block, ...]) -> None:
    parse(Document(blocks), OURS)


@given(hostile_text)
def test_any_line_is_read(text: str) -> None:
    parse(from_wiki(f"agent {text}"), OURS)


names = st.sampled_from(sorted(COMMANDS))
POLITE = ("", ".", "!", " please", ", please!", " thanks.", ", thank you", " please, thanks!")
ADDRESSES = ("agent ", "/agent ", "agent: ", "agent, ", "  agent   ", "AGENT ", "/Agent ")


@given(names, st.sampled_from(ADDRESSES), st.sampled_from(POLITE), st.data())
def test_case_and_good_manners_change_nothing(
    name: str, address: str, polite: str, data: st.DataObject
) -> None:
    upper = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    said = "".join(c.upper() if up else c for c, up in zip(name, upper, strict=True))
    assert (
        parse(from_plain(f"{address}{said} {EXAMPLES[name]}".rstrip() + polite), None)
        == (COMMANDS_GIVEN[name])
    )


EXAMPLES = {name: row.example for name, row in COMMANDS.items()}
COMMANDS_GIVEN = {name: Command(name, row.right, row.example) for name, row in COMMANDS.items()}
WRAPS: tuple[Kind, ...] = ("quote", "panel", "expand", "bullets", "table")


def wrapped(kind: Kind, line: Block) -> Block:
    if kind == "bullets":
        return bullets(item(line))
    if kind == "table":
        return Block("table", children=(Block("row", children=(Block("cell", children=(line,)),)),))
    return Block(kind, children=(line,), title="agent stop")


@given(names, st.sampled_from(WRAPS), st.sampled_from(["", OURS]), st.booleans())
def test_what_is_wrapped_is_never_a_command(
    name: str, kind: Kind, mention: str, twice: bool
) -> None:
    start = Span("@Signalbox", mention=mention) if mention else Span("agent")
    inside = wrapped(kind, paragraph(start, Span(f" {name}")))
    block = wrapped("quote", inside) if twice else inside
    assert parse(Document((block,)), OURS) is None
    assert parse(from_adf(to_adf((block,))), OURS) is None


@given(names, st.booleans())
def test_code_is_never_a_command(name: str, whole: bool) -> None:
    text = f"agent {name}"
    in_line = (Span(text, code=True),) if whole else (Span("agent "), Span(name, code=True))
    assert parse(Document((Block("code", spans=(Span(text),)),)), None) is None
    assert parse(Document((paragraph(*in_line),)), None) is None
    assert parse(from_wiki(f"{{code}}{text}{{code}}"), None) is None
    assert parse(from_wiki(f"{{noformat}}{text}{{noformat}}"), None) is None


@given(names, st.text(alphabet="abcdefg hij", min_size=1).filter(str.strip), st.booleans())
def test_in_the_middle_of_prose_a_command_is_prose(name: str, before: str, line: bool) -> None:
    assert parse(from_plain(f"x{before}{chr(10) if line else ' '}agent {name}"), None) is None


def test_each_row_reads_back_from_its_line_of_the_help() -> None:
    lines = next(block for block in help_reply() if block.kind == "bullets").children
    told = [words(line.children[0].spans) for line in lines]
    assert [line.partition(": ")[2] for line in told] == [row.help for row in COMMANDS.values()]
    typed = [parse(from_plain(line.partition(": ")[0]), None) for line in told]
    assert typed == list(COMMANDS_GIVEN.values())


@pytest.mark.parametrize("unseen", ["\u200b", "\u202e", "\U000e0061", "\x07"])
def test_hidden_characters_start_nothing(unseen: str) -> None:
    whole = "".join(chr(0xE0000 + ord(c)) for c in "agent run")
    assert parse(from_plain(whole), None) is None
    for text in (f"agent{unseen} run", f"{unseen}agent run", f"agent run\n\nnice {unseen}"):
        wrong = parse(from_plain(text), None)
        assert isinstance(wrong, WrongCommand)
        assert "nobody can see" in wrong.hint
    assert parse(from_plain(f"agent stop{unseen}"), None) == STOP


@given(names, hostile_text)
def test_a_button_obeys_the_same_table(name: str, argument: str) -> None:
    assert pressed(name, EXAMPLES[name]) == COMMANDS_GIVEN[name]
    read = pressed(name, argument)
    assert isinstance(read, WrongCommand) or (read.name, read.right) == (name, COMMANDS[name].right)
    assert isinstance(pressed(argument, ""), Command | WrongCommand)
    assert isinstance(pressed("no such", name), WrongCommand)
