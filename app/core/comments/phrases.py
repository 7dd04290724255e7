"""What all comments share: lozenges, lists of words, money, times, the last small line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from app.core import money
from app.core.text import Block, Span, Tone, numbers, paragraph
from app.core.text import item as list_item

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def lozenge(text: str, tone: Tone) -> Span:
    return Span(text, status=tone)


def headline(mark: Span, *parts: str | Span) -> Block:
    """The first line: mail and phones show nothing else."""
    return paragraph(mark, " ", *parts)


def footer(*parts: str) -> Block:
    """Who wrote it, in one small line at the end."""
    line = " · ".join(["Signalbox, automated", *(part for part in parts if part)])
    return paragraph(Span(line, small=True))


def count(number: int, one: str, many: str) -> str:
    """ "three answers": a small number is a word."""
    word = _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)
    return f"{word} {one if number == 1 else many}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def short(text: str, limit: int) -> str:
    """One line of outside text, cut at a blank where there is one."""
    line = " ".join(text[: 4 * limit].split())
    if len(line) <= limit:
        return line
    cut = line.rfind(" ", limit // 2, limit)
    return line[: cut if cut > 0 else limit - 1].rstrip(" ,;:.") + "…"


def sentence(text: str, limit: int = 400) -> str:
    """Outside text as one sentence of ours: one line, a capital first, a full stop last."""
    line = clause(text, limit)
    return line[:1].upper() + line[1:]


def clause(text: str, limit: int = 400) -> str:
    """Outside text as the end of a sentence of ours: one line, a full stop last."""
    line = short(text, limit)
    return line if not line or line[-1] in ".!?…" else f"{line}."


def amount(micro: int | None, currency: str) -> str:
    return money.show(micro, currency)


def spent(micro: int | None, currency: str, *, simulated: bool) -> str:
    """ "$0.42 spent": money that nobody really spent is never shown without that word."""
    if micro is None:
        return "cost not known"
    return f"{amount(micro, currency)} spent" + (" (simulated)" if simulated else "")


def named(title: str, *, simulated: bool) -> str:
    """An agent's title; one that spends no real money says so, once."""
    return f"{title} (simulated)" if simulated and "simulated" not in title else title


def clock(moment: datetime, zone: tzinfo, day_of: datetime | None = None) -> str:
    """ "14:32 CET"; with its date where it is another day than `day_of`."""
    local = moment.astimezone(zone)
    same_day = day_of is not None and day_of.astimezone(zone).date() == local.date()
    date = "" if same_day else f"{local.day} {local:%b} "
    return f"{date}{local:%H:%M} {local.tzname()}"


def person(account_id: str, name: str = "") -> Span:
    """Names a person by account, so that Jira shows the name of today."""
    return Span(f"@{short(name, 60) or account_id}", mention=account_id)


def steps(lines: Iterable[str | Block]) -> Block:
    """A numbered list."""
    return numbers(
        *(list_item(line if isinstance(line, Block) else paragraph(line)) for line in lines)
    )
