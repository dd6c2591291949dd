"""Gradio's queue, narrowed to the one event that the page uses and kept from growing with every visitor.

As it comes it runs any event that is named, keeps an entry for each session for good (gradio#13154), sums up its
statistics with pandas after every answer, and looks for work a thousand times a second.
"""

from __future__ import annotations

import re
from typing import Any

# Gradio's own are eleven letters; a name with its separator in it would keep others from cancelling.
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_REMEMBERED_SESSIONS = 500
# Fifty kilobytes each, of which the page uses nothing.
_KEPT_STATES = 100
_LOOK_SECONDS = 0.01


def narrow_queue(blocks: Any, fn_index: int) -> None:
    """Let the queue of a Gradio application run one event only.

    Args:
        blocks: The application's `gr.Blocks`, its queue configured.
        fn_index: The number of the event.
    """
    queue = blocks._queue
    push = queue.push

    async def push_question(body: Any, request: Any, username: str | None) -> Any:
        if body.fn_index != fn_index or not _SESSION.fullmatch(body.session_hash or ""):
            return False, "There is no such event.", "error"
        if len(queue.pending_event_ids_session) > _REMEMBERED_SESSIONS:
            _forget_sessions(queue)
        return await push(body=body, request=request, username=username)

    queue.push = push_question
    queue.compute_analytics_summary = lambda _records: {}
    queue.ANALYTICS_MAX_EVENTS = 1
    queue.pending_messages_per_session.max_size = _REMEMBERED_SESSIONS
    queue.sleep_when_free = queue.progress_update_sleep_when_free = _LOOK_SECONDS
    blocks.state_session_capacity = _KEPT_STATES


def _forget_sessions(queue: Any) -> None:
    """Drop the sessions none of whose events runs or waits to be told of."""
    sessions = queue.pending_event_ids_session
    for session, events in list(sessions.items()):
        is_heard = session in queue.pending_messages_per_session and events
        if not is_heard and events.isdisjoint(queue.event_ids_to_events):
            del sessions[session]
            queue.pending_messages_per_session.pop(session, None)
