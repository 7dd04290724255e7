"""The judge's scorer: made-up answers are recorded, used again for nothing, and called made-up."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from app.sandbox.story import STORY
from bench.judge import main


def lines() -> str:
    told = [
        {"id": name, "summary": act.summary, "description": act.description, "issue_type": "Bug"}
        for name, act in STORY.items()
    ]
    return "\n".join(map(json.dumps, told))


def test_recorded_answers_are_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "answers.jsonl"
    outputs = []
    for more in (["--simulate"], []):
        monkeypatch.setattr("sys.stdin", io.StringIO(lines()))
        main(["--answers", str(file), *more])
        outputs.append(capsys.readouterr())
    assert outputs[0] == outputs[1]
    assert "3 answers, 3 of them simulated: $0.09" in outputs[0].err
    assert len(file.read_text().splitlines()) == 3
    monkeypatch.setattr("sys.stdin", io.StringIO(lines()))
    main(["--answers", str(tmp_path / "none.jsonl")])
    plain = capsys.readouterr().out.splitlines()
    for judged, checklist in zip(outputs[0].out.splitlines(), plain, strict=True):
        assert json.loads(judged)["score"] <= json.loads(checklist)["score"]


def test_without_a_key_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNALBOX_ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(SystemExit, match="SIGNALBOX_ANTHROPIC_API_KEY"):
        main(["--answers", str(tmp_path / "none.jsonl"), "--ask"])
