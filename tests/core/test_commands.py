"""Which comments are commands, which are nearly ones, and which are none of our business."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from app.core.commands import COMMANDS, Command, WrongCommand, parse
from app.core.text import Block, Document, Span, bullets, from_plain, item, paragraph
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
    ],
)
def test_prose_is_left_alone(text: str) -> None:
    assert parse(from_wiki(text), OURS) is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("agent halt", "is no command. There are: score, status,"),
        ("agent run this", "is no command."),
        ("/agent can you look at it again", "is no command."),
        ("[~557058:0a-1] thanks for that", "is no command."),
        ("agent stop the run", 'has words that I do not know. It is just: "agent stop".'),
        ("agent stop. It edits the wrong file.", "has words that I do not know."),
        ("agent approve 3", 'It is just: "agent approve".'),
        ("agent 1", "is no command."),
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
        "status": "read",
        "approve": "approve",
        "stop": "stop",
        "retry": "dispatch",
        "help": "read",
    }
    for name, row in COMMANDS.items():
        assert parse(from_plain(f"agent {name}"), None) == Command(name, row.right)


@given(documents)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_comment_is_read(blocks: tuple[Block, ...]) -> None:
    parse(Document(blocks), OURS)


@given(hostile_text)
def test_any_line_is_read(text: str) -> None:
    parse(from_wiki(f"agent {text}"), OURS)
