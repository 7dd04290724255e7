"""What the scripted model says and does, step by step, for each scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """A text, or a text and a tool call. cut: the stream ends in the middle."""

    text: str
    tool: str = ""
    arguments: dict[str, Any] | None = None
    cut: bool = False
    pause: float = 0.0

    def content(self, tool_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{"type": "text", "text": self.text}]
        if self.tool:
            call = {"type": "tool_use", "id": tool_id, "name": self.tool, "input": self.arguments}
            found.append(call)
        return found


def bash(command: str) -> Step:
    arguments = {"command": command, "description": "scripted"}
    return Step("I will run a command.", "Bash", arguments)


def _steps(*steps: Step | Callable[[str], Step]) -> Callable[[int, str], Step]:
    def at(number: int, place: str) -> Step:
        step = steps[min(number, len(steps) - 1)]
        return step if isinstance(step, Step) else step(place)

    return at


def _read(name: str) -> Callable[[str], Step]:
    return lambda place: Step("I will look.", "Read", {"file_path": f"{place}/{name}"})


def _edit(name: str, old: str, new: str) -> Callable[[str], Step]:
    return lambda place: Step(
        "I will change it.",
        "Edit",
        {"file_path": f"{place}/{name}", "old_string": old, "new_string": new},
    )


def _write(path: str) -> Step:
    return Step("I will write.", "Write", {"file_path": path, "content": "planted"})


ASK_BESIDE = """python3 - <<'END'
import json, os, urllib.request
for stream in (True, False):
    body = {"model": "claude-haiku-5-5", "max_tokens": 500, "stream": stream,
            "messages": [{"role": "user", "content": "a title please"}]}
    request = urllib.request.Request(
        os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(),
        {"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"]})
    print(urllib.request.urlopen(request).status)
END"""

DONE = Step("Done: add adds now, and the tests pass.")

SCRIPTS: dict[str, Callable[[int, str], Step]] = {
    "hello": _steps(Step("Hello, there is nothing to do.")),
    "fix": _steps(
        _read("calc.py"),
        _edit("calc.py", "return a - b", "return a + b"),
        bash("python3 -m unittest -q"),
        DONE,
    ),
    "commit": _steps(
        _read("calc.py"),
        _edit("calc.py", "return a - b", "return a + b"),
        bash("git add -A && git -c user.name=x -c user.email=x@x commit -qm theirs"),
        bash("git push origin HEAD:main"),
        DONE,
    ),
    "deny": _steps(
        _write("/etc/signalbox-planted"),
        _write("/home/agent/.claude/settings.json"),
        Step("I have written it all."),
    ),
    "side": _steps(bash(ASK_BESIDE), Step("I have asked beside.")),
    "slow": lambda number, _place: bash(f"sleep 0.2; echo step {number}"),
    "loop": _steps(bash("false")),
    "longbash": _steps(bash("setsid sleep 7654 & sleep 7654")),
    "slowstream": _steps(Step("Thinking slowly.", pause=1.0)),
    "cut": _steps(Step("This will be cut off.", cut=True)),
    "probe": _steps(
        bash("env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; ls -a ~ /"),
        Step("I have looked around."),
    ),
    "search": _steps(
        Step("I will search.", "WebSearch", {"query": "anything"}),
        Step("I will fetch.", "WebFetch", {"url": "http://192.0.2.1/", "prompt": "x"}),
        Step("Nothing found."),
    ),
}

FAULTS = {"auth": 401, "billing": 402, "limited": 429, "overload": 529, "broken": 500}
