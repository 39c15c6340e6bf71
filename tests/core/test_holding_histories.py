"""Whatever happens, connections that are held keep their promises."""

from collections import Counter

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from autoscaler.core.activation import Speech
from autoscaler.core.holding import (
    Confirm,
    Hold,
    Holding,
    Join,
    Refuse,
    Scene,
    arrive,
    end,
    judge,
    leave,
    miss,
    take,
)
from tests.core.holdings import ONE, SETTINGS, THREE, TWO


class Histories(RuleBasedStateMachine):
    """Clients come and go, members come, refuse and go, in any order."""

    @initialize(held=st.integers(1, 3), mode=st.sampled_from(Speech))
    def begin(self, held, mode):
        self.now = 0.0
        self.holding = Holding(evolve(SETTINGS, max_held=held, mode=mode))
        self.waiting, self.connecting, self.sessions = [], [], []
        self.ready, self.is_waking = (), False
        self.wakes, self.woken, self.ended = [], 0, 0

    def look(self, caller):
        scene = Scene(self.now, self.ready, self.is_waking)
        self.holding, caller, verdict = judge(self.holding, caller, scene)
        match verdict:
            case Join(target):
                assert target.server not in caller.refused_by
                self.connecting.append((caller, target.server))
            case Hold(until, wakes):
                assert self.now < until <= caller.arrived + 10
                self.waiting.append(caller)
                if wakes:
                    assert not self.ready
                    assert not self.is_waking
                    self.wakes.append(self.now)
                    self.woken += 1
            case Refuse() | Confirm():
                self.ended += 1

    @rule(has_spoken=st.booleans(), is_check=st.booleans())
    def one_comes(self, has_spoken, is_check):
        self.holding, caller = arrive(self.holding, self.now)
        self.look(evolve(caller, has_spoken=has_spoken, is_check=is_check))

    @rule(seconds=st.floats(0, 4))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(ready=st.sets(st.sampled_from((ONE, TWO, THREE))), is_waking=st.booleans())
    def members_change(self, ready, is_waking):
        self.ready, self.is_waking = tuple(ready), is_waking

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def one_that_waits_is_looked_at(self, data):
        which = data.draw(st.integers(0, len(self.waiting) - 1))
        self.look(self.waiting.pop(which))

    @precondition(lambda self: self.waiting)
    @rule()
    def one_that_waits_goes_away(self):
        self.holding = leave(self.holding, self.waiting.pop())

    @precondition(lambda self: self.connecting)
    @rule(works=st.booleans())
    def a_member_answers(self, works):
        caller, server = self.connecting.pop()
        if works:
            self.holding = take(self.holding, caller)
            self.sessions.append(server)
            self.wakes = []
            return
        self.holding, caller = miss(self.holding, caller, server, self.now)
        self.look(caller)

    @precondition(lambda self: self.sessions)
    @rule()
    def a_session_ends(self):
        self.holding = end(self.holding, self.sessions.pop())

    @invariant()
    def the_held_are_counted_and_within_the_limit(self):
        connecting = sum(caller.is_held for caller, _ in self.connecting)

        assert self.holding.held == len(self.waiting) + connecting
        assert self.holding.held <= self.holding.settings.max_held

    @invariant()
    def sessions_are_counted(self):
        servers = Counter(self.sessions) + Counter(
            server for _, server in self.connecting
        )

        assert self.holding.sessions == servers

    @invariant()
    def wakes_that_lead_to_nobody_have_their_pauses(self):
        assert self.woken == self.holding.woken
        assert all(
            later - earlier >= SETTINGS.wake_pause
            for earlier, later in zip(self.wakes, self.wakes[1:], strict=False)
        )


TestHistories = Histories.TestCase
