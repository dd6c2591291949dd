"""The queue is fair: who floods it waits, and the others hardly notice."""

from __future__ import annotations

import asyncio

import pytest

from bot.web.answer_service import CallerQueueFullError, FairQueue, QueueFullError, Ticket


def test_line_of_equals_is_first_come_first_served_and_bounded() -> None:
    async def queue_up() -> None:
        queue = FairQueue(slots=1, longest=2)
        first, second, third = queue.join("a"), queue.join("b"), queue.join("c")
        assert [queue.position(ticket) for ticket in (first, second, third)] == [0, 1, 2]
        with pytest.raises(QueueFullError):
            queue.join("d")
        queue.leave(second)
        assert queue.position(third) == 1
        queue.leave(first)
        assert third.turn.done()
        queue.leave(third)
        assert queue.join("d").turn.done()

    asyncio.run(queue_up())


def test_one_visitor_has_half_of_the_places_and_a_line_of_their_own() -> None:
    async def flood() -> None:
        queue = FairQueue(slots=4, longest=40, longest_of_one=3)
        flood = [queue.join("flooder") for _ in range(5)]
        assert [ticket.turn.done() for ticket in flood] == [True, True, False, False, False]
        with pytest.raises(CallerQueueFullError):
            queue.join("flooder")
        assert queue.join("reader").turn.done()
        assert queue.join("other").turn.done()
        late = queue.join("late")
        assert queue.position(late) == 1  # before all that wait already: they had their turn
        queue.leave(flood[0])
        assert late.turn.done()
        queue.leave(flood[1])
        assert flood[2].turn.done()

    asyncio.run(flood())


@pytest.mark.parametrize("places", [1, 4])
@pytest.mark.parametrize("readers", [1, 3, 8])
def test_a_flood_doubles_a_wait_at_most(places: int, readers: int) -> None:
    """Counted in turns: each answer takes one tick, the flooder always fills their queue."""

    async def waits(*, flooded: bool) -> list[int]:
        queue, served, working, asked = FairQueue(places, 40, 8), [], list[Ticket](), dict[Ticket, int]()
        flood: list[Ticket] = []
        for tick in range(60):
            for ticket in working:
                queue.leave(ticket)
            while flooded:
                try:
                    flood.append(queue.join("flooder"))
                except CallerQueueFullError:
                    break
            if tick % 10 == 0:  # readers come together, the worst for those behind
                asked |= {queue.join(f"reader {number}"): tick for number in range(readers)}
            working = [ticket for ticket in (*flood, *asked) if ticket.turn.done()]
            flood = [ticket for ticket in flood if not ticket.turn.done()]
            served += [tick + 1 - asked.pop(ticket) for ticket in working if ticket in asked]
        return sorted(served)

    async def compare() -> None:
        alone, beside = await waits(flooded=False), await waits(flooded=True)
        assert len(beside) == len(alone)
        assert all(flooded <= 2 * usual for usual, flooded in zip(alone, beside, strict=True)), (alone, beside)

    asyncio.run(compare())
