"""Scores for other programs: one JSON object in, one out, no state between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.readiness import Readiness, assess
from app.core.wiki import from_wiki


def score_line(obj: Mapping[str, Any]) -> dict[str, Any]:
    """{"id", "summary", "description", "issue_type"} to {"id", "score", "criteria", "evidence"}.

    A text that cannot be judged scores 0 here and says so in "note".
    """
    return told_line(obj, read_line(obj))


def read_line(obj: Mapping[str, Any]) -> Readiness:
    summary, description = str(obj.get("summary") or ""), str(obj.get("description") or "")
    return assess(summary, from_wiki(description), obj.get("issue_type") or None)


def told_line(obj: Mapping[str, Any], result: Readiness) -> dict[str, Any]:
    """The same for a result that something was added to."""
    summary, description = str(obj.get("summary") or ""), str(obj.get("description") or "")
    raw = " ".join(f"{summary}\n{description}".split())
    return {
        "id": obj.get("id"),
        "score": result.score or 0,
        "verdict": result.verdict,
        "criteria": {f.criterion: f.status for f in result.findings if f.status != "silent"},
        "evidence": _evidence(result, raw),
        "note": result.note,
    }


def _evidence(result: Readiness, raw: str) -> dict[str, list[str]]:
    """Quotes that stand verbatim in what was sent; markup inside one would break it."""
    evidence = {
        f.criterion: [
            q for q in (result.text[s:e] for s, e in f.quotes) if " ".join(q.split()) in raw
        ]
        for f in result.findings
    }
    return {name: quotes for name, quotes in evidence.items() if quotes}
