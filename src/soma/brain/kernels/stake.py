"""How far learned weights are followed beside the shipped ones: as far as they have paid for it.

They have an account, in questions, which begins with a stake; its balance is their share of what ranks. What
their share wins over the shipped order goes into the account, what it loses comes out of it. So on no
sequence can the share lose more than the stake and what it has won: its regret towards the shipped order is
bounded by a constant (Even-Dar et al. 2008, D-Prod; Sani, Neu and Lazaric 2014, (A,B)-Prod), while what wins
more than its COST soon counts alone, as the balance grows exponentially.

The share of a question's gain stands for the gain of the mean of the weights, which orders a little worse or
better than that.
"""

import math

STAKE = 0.2
"""In questions, what the learned weights of a namespace may lose before they have won anything; thus their
share of its first question, too."""

COST = 0.005
"""What a whole share has to win a question to be worth it: half a point of nDCG. What is no better than the
shipped order still moves memories across the edge of what is shown, for nothing; its account runs dry (the
reference value of Page 1954, CUSUM)."""

SHARPNESS = 3.0
"""How fast one kind of learned weights follows its lead over the other: one whole question won is worth a
factor e³."""

MOST = 1.5
"""A lead is kept within ±MOST questions: where things change it is lost again within as many questions as
made it."""


def stake(times: int) -> float:
    """In questions, what may be lost from here on after weights were given up so many `times`: each time half
    as much, so that all of it together stays under twice STAKE."""
    return STAKE * 0.5**times


def share(balance: float) -> float:
    """How much learned weights count that have this `balance`, in [0, 1]."""
    return min(1.0, max(0.0, balance))


def next_balance(balance: float, gain: float) -> float:
    """The balance, in [0, 1], after a question on which learned weights were better than the shipped ones by
    `gain`, in [−1, 1]; worse by less than 1 − COST, something is left. No more is kept than makes up a whole
    share, so that it can be lost again."""
    counted = share(balance)
    return share(counted + counted * (gain - COST))


def favour(lead: float) -> float:
    """How much, in (0, 1), the one of two kinds of learned weights counts that is ahead of the other by
    `lead` questions: exponential weights (Freund and Schapire 1997, Hedge)."""
    return 1.0 / (1.0 + math.exp(-SHARPNESS * lead))


def next_lead(lead: float, gain: float) -> float:
    """The lead, within ±MOST, after a question on which the one was better than the other by `gain`."""
    return min(MOST, max(-MOST, lead + gain))
