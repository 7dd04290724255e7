"""Everything that Signalbox says in a ticket, as pure functions from a view to blocks."""

from app.core.comments.notices import storm_notice
from app.core.comments.readiness import NoStart, ReadinessView, Starts, readiness_comment
from app.core.comments.replies import (
    StatusView,
    done_reply,
    help_reply,
    refused_reply,
    status_reply,
    wrong_reply,
)
from app.core.comments.result import Costs, ResultView, result_comment
from app.core.comments.run import Origin, RunMoney, RunView, Tick, run_comment, ticks

__all__ = [
    "Costs",
    "NoStart",
    "Origin",
    "ReadinessView",
    "ResultView",
    "RunMoney",
    "RunView",
    "Starts",
    "StatusView",
    "Tick",
    "done_reply",
    "help_reply",
    "readiness_comment",
    "refused_reply",
    "result_comment",
    "run_comment",
    "status_reply",
    "storm_notice",
    "ticks",
    "wrong_reply",
]
