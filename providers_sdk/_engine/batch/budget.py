"""How fast one service may be asked. Pure: it decides from events and the time that it is given.

Three limits hold at once, and a call may start when all of them allow it:

*The number in flight.* It starts small and grows with each success (slow start), so that a run does not begin with a
burst. A refusal (429 or 503) cuts it, once a burst: of the calls that were sent before the refusal was noticed, only
the first one cuts. Then it grows by one a round, up to the number that broke (additive increase, multiplicative
decrease; Chiu and Jain 1989, RFC 5681). It passes that number only after some successes, after more each time that it
breaks again, and in growing steps where it does not.

*The pace.* A service that answers in 5 ms is limited by calls a second, which no number in flight can express. When a
service refuses, its allowance is used up; so between two refusals it has granted exactly what it grants in that time,
however large its burst. That rate is the pace from then on. It grows with each call, by a thousandth at first and
faster the longer nothing is refused: a pause that was longer than needed makes the rate look too low. ``rpm`` is a pace
that the user gives, and holds from the first call.

*The pause.* After a refusal nothing starts for as long as ``Retry-After`` asks, else for one second, doubled with each
burst without a success in between; a ``Retry-After`` that turns out too short is doubled likewise, from 0.1 s on. A
quota that the headers show as used up pauses, too.

A service that has only failed for ``patience`` seconds, or asks for a longer pause, is given up.
"""

import math
from dataclasses import dataclass

from providers_sdk._protocol.quota import Quota

__all__ = ["PATIENCE", "Budget", "Ticket"]

PATIENCE = 300.0
_FIRST_NUMBER = 4.0
_CUT = 0.75
_FIRST_PROOF, _LONGEST_PROOF = 20, 400  # successes before the number that broke is passed
_GROWTH, _MOST_GROWTH = 0.001, 0.02  # of the pace with each call
_DOUBLING = 25.0  # calls without a refusal after which it grows twice as fast
_STEP_BACK = 0.97
_FIRST_PAUSE, _LONGEST_BACK_OFF = 1.0, 60.0
_LEAST_PAUSE = 0.1  # at the first refusal, where the service asks for less
_CATCH_UP = 0.25  # seconds that the pace may make up for after a late start
_LOW = 0.1
_FEW = 3


@dataclass(frozen=True, slots=True)
class Ticket:
    """One call that was started.

    :param at: when.
    :param order: how many calls were started before it.
    :param in_flight: how many were in flight then, itself included.
    :param paced: whether the pace held it back, not the number in flight.
    """

    at: float
    order: int
    in_flight: int
    paced: bool


class Budget:
    """What one service allows.

    :param most: calls in flight at the most.
    :param rpm: calls a minute at the most; ``None`` for no such limit.
    :param patience: seconds without any success after which the service is given up.
    """

    def __init__(self, most: int, *, rpm: float | None = None, patience: float = PATIENCE) -> None:
        self._most, self._patience = most, patience
        self._own_pace = math.inf if rpm is None else rpm / 60.0
        self._next_start = -math.inf
        self._number, self._threshold, self._broke = min(_FIRST_NUMBER, most), float(most), math.inf
        self._proof, self._needed_proof, self._step = 0, _FIRST_PROOF, 1.0
        self._pace = math.inf
        self._quota_pace, self._quota_until = math.inf, -math.inf
        self._started = self._refused_since = 0
        self._full_at = -1  # the order of the last call that filled the number
        self._cut: Ticket | None = None
        self._cut_at = self._pause_until = -math.inf
        self._bursts = self._failures = self._keys_refused = 0  # since the last success
        self._first_at: float | None = None
        self._success_at: float | None = None
        self.cuts = 0
        """How many bursts of refusals there were."""
        self.successes = 0
        self.in_flight = 0

    @property
    def number(self) -> int:
        """How many calls may be in flight."""
        return min(self._most, max(1, int(self._number)))

    @property
    def pace(self) -> float:
        """Calls a second that may start; infinite where nothing limits them."""
        return min(self._own_pace, self._pace)

    def has_refused_lately(self, now: float) -> bool:
        """Return whether it has refused a call within ``patience``: then it takes less than it could be given."""
        return now - self._cut_at <= self._patience

    def compute_pause(self, now: float) -> float:
        """Return the seconds that the service must still be left alone; 0 for none."""
        return max(0.0, self._pause_until - now)

    def compute_wait(self, now: float) -> float:
        """Return the seconds until a call may start: 0 for at once, infinite until another one has ended."""
        if self.in_flight >= self.number:
            return math.inf
        return max(0.0, self._pause_until - now, self._next_start - now)

    def start(self, now: float) -> Ticket:
        """Note that a call starts."""
        pace = min(self.pace, self._quota_pace if now < self._quota_until else math.inf)
        paced = now - self._next_start < min(1.0 / pace, _CATCH_UP)  # it starts as soon as the pace allows
        ticket = Ticket(now, self._started, self.in_flight + 1, paced)
        if math.isfinite(pace):
            self._next_start = max(self._next_start, now - _CATCH_UP) + 1.0 / pace
        if paced:
            self._pace *= self._choose_growth(ticket)
        self._started += 1
        self.in_flight += 1
        if self.in_flight >= self.number:
            self._full_at = ticket.order
        self._first_at = now if self._first_at is None else self._first_at
        return ticket

    def succeed(self, ticket: Ticket, now: float, quota: Quota | None = None) -> None:
        """Note that a call was answered."""
        self.in_flight -= 1
        self.successes += 1
        self._bursts = self._failures = self._keys_refused = 0
        self._success_at = now
        # one that was sent before the cut says nothing about what is left, nor does one where the number did not bind
        if ticket.at > self._cut_at and ticket.order <= self._full_at:
            self._grow_number()
        self._heed_quota(quota, now)

    def refuse(
        self,
        ticket: Ticket,
        now: float,
        retry_after: float | None = None,
        quota: Quota | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """Note that the service refused a call for now.

        :param alone: whether it has refused the same prompt before and answered others since: then it may be about
            the prompt, as where that is too long for a quota of tokens, and says little about the rate.
        """
        in_flight = max(ticket.in_flight, self.in_flight)
        self.in_flight -= 1
        self._failures += 1
        first_of_burst = ticket.at > self._cut_at and not alone
        if first_of_burst:
            self._bursts += 1
            self._cut_number(ticket, in_flight)
            self._learn_pace(ticket)
            self._cut, self._cut_at, self._refused_since = ticket, now, 0
            self.cuts += 1
        elif self._cut is not None and ticket.order > self._cut.order:
            self._refused_since += 1
        if first_of_burst or alone or retry_after is not None:
            self._pause_until = max(self._pause_until, now + self._choose_pause(retry_after))
        self._heed_quota(quota, now)

    def fail(self, now: float, quota: Quota | None = None, *, key_refused: bool = False) -> None:
        """Note that a call failed in another way.

        :param key_refused: whether the service refused the key.
        """
        self.in_flight -= 1
        self._failures += 1
        self._keys_refused += key_refused
        self._heed_quota(quota, now)

    def cancel(self) -> None:
        """Note that a call came to no end."""
        self.in_flight -= 1

    def explain_loss(self, now: float) -> str:
        """Return why the service is given up; empty where it is not."""
        pause = self.compute_pause(now)
        if pause > self._patience:
            return f"asks to wait {pause:.0f} s"
        if self._keys_refused >= _FEW and not self.successes:
            return f"has refused the key {self._keys_refused} times and has not answered once"
        since = self._success_at if self._success_at is not None else self._first_at
        if since is None or self._failures < _FEW or now - since <= self._patience:
            return ""
        return f"has not answered for {now - since:.0f} s"

    def _grow_number(self) -> None:
        if self._number + 1 > self._broke:
            self._proof += 1
            if self._proof < self._needed_proof:
                return
            self._proof, self._broke, self._step = 0, self._broke + self._step, 2 * self._step
        slow = self._number >= self._threshold
        self._number = min(float(self._most), self._number + (1.0 / self._number if slow else 1.0))

    def _cut_number(self, ticket: Ticket, in_flight: int) -> None:
        if ticket.paced and math.isfinite(self._pace):
            return  # it was the rate that broke, not the number
        if in_flight <= self._broke + 1:
            self._needed_proof = min(_LONGEST_PROOF, 2 * self._needed_proof)
        self._broke = float(max(in_flight, 2))
        self._threshold = max(1.0, min(self._number, in_flight) * _CUT)
        self._number = self._threshold if self._bursts == 1 else 1.0
        self._proof, self._step = 0, 1.0

    def _learn_pace(self, ticket: Ticket) -> None:
        """Set the pace to what was granted since the last burst of refusals began."""
        if self._cut is None:
            return
        granted = ticket.order - self._cut.order - 1 - self._refused_since
        seconds = ticket.at - self._cut.at
        if seconds <= 0 or granted < 1:
            return  # it is down, which says nothing about its rate
        found = granted / seconds
        if math.isfinite(self._pace):  # the run may have been idle meanwhile
            found = min(self._pace, max(found, _CUT * self._pace))
        self._pace = _STEP_BACK * found

    def _choose_growth(self, ticket: Ticket) -> float:
        """Return by how much the pace grows: slowly after a refusal, faster the longer there was none."""
        since = ticket.order - self._cut.order if self._cut is not None else 0
        return 1.0 + min(_MOST_GROWTH, _GROWTH * (1.0 + since / _DOUBLING))

    def _choose_pause(self, retry_after: float | None) -> float:
        doublings = min(max(self._bursts - 1, 0), 10)
        if retry_after is not None and retry_after >= 0:
            return max(retry_after, min(_LONGEST_BACK_OFF, _LEAST_PAUSE * 2.0**doublings))
        return min(_LONGEST_BACK_OFF, _FIRST_PAUSE * 2.0**doublings)

    def _heed_quota(self, quota: Quota | None, now: float) -> None:
        if quota is None or quota.reset is None:
            return
        if quota.remaining < 1:
            self._pause_until = max(self._pause_until, now + min(quota.reset, _LONGEST_BACK_OFF))
        elif quota.counts_calls and quota.limit and quota.remaining < _LOW * quota.limit and quota.reset > 0:
            self._quota_pace, self._quota_until = quota.remaining / quota.reset, now + quota.reset
