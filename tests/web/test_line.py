"""The line is fair: who floods it waits, and the others hardly notice."""

from __future__ import annotations

import asyncio

import pytest

from bot.web.answer_service import LineFullError, OwnLineFullError, Place, WaitingLine


def test_line_of_equals_is_first_come_first_served_and_bounded() -> None:
    async def queue_up() -> None:
        line = WaitingLine(places=1, longest=2)
        first, second, third = line.join("a"), line.join("b"), line.join("c")
        assert [line.position(place) for place in (first, second, third)] == [0, 1, 2]
        with pytest.raises(LineFullError):
            line.join("d")
        line.leave(second)
        assert line.position(third) == 1
        line.leave(first)
        assert third.done()
        line.leave(third)
        assert line.join("d").done()

    asyncio.run(queue_up())


def test_one_visitor_has_half_of_the_places_and_a_line_of_their_own() -> None:
    async def flood() -> None:
        line = WaitingLine(places=4, longest=40, longest_of_one=3)
        flood = [line.join("flooder") for _ in range(5)]
        assert [place.done() for place in flood] == [True, True, False, False, False]
        with pytest.raises(OwnLineFullError):
            line.join("flooder")
        assert line.join("reader").done()
        assert line.join("other").done()
        late = line.join("late")
        assert line.position(late) == 1  # before all that wait already: they had their turn
        line.leave(flood[0])
        assert late.done()
        line.leave(flood[1])
        assert flood[2].done()

    asyncio.run(flood())


@pytest.mark.parametrize("places", [1, 4])
@pytest.mark.parametrize("readers", [1, 3, 8])
def test_a_flood_doubles_a_wait_at_most(places: int, readers: int) -> None:
    """Counted in turns: each answer takes one tick, the flooder always fills their line."""

    async def waits(*, flooded: bool) -> list[int]:
        line, served, working, asked = WaitingLine(places, 40, 8), [], list[Place](), dict[Place, int]()
        flood: list[Place] = []
        for tick in range(60):
            for place in working:
                line.leave(place)
            while flooded:
                try:
                    flood.append(line.join("flooder"))
                except OwnLineFullError:
                    break
            if tick % 10 == 0:  # readers come together, the worst for those behind
                asked |= {line.join(f"reader {number}"): tick for number in range(readers)}
            working = [place for place in (*flood, *asked) if place.done()]
            flood = [place for place in flood if not place.done()]
            served += [tick + 1 - asked.pop(place) for place in working if place in asked]
        return sorted(served)

    async def compare() -> None:
        alone, beside = await waits(flooded=False), await waits(flooded=True)
        assert len(beside) == len(alone)
        assert all(flooded <= 2 * usual for usual, flooded in zip(alone, beside, strict=True)), (alone, beside)

    asyncio.run(compare())
