"""How many units a demand takes.

Source: Hixson and Guliani, "Capacity Planning" (;login: February 2015): demand through the capacity of one unit, and k
units more, so that the service stands while one is being upgraded and another fails (N+2).
"""

import math

DAYS_IN_A_YEAR = 365.25
MOST_UNITS = 10**15  # more than there are; beyond it no number is written
INEXACT = 1e-12  # of binary fractions: 700 / (100 * 0.7) is 10 units, not 10.000000000000002 and so 11


def units_needed(peak: float, unit_capacity: float, utilisation: float, spare: int) -> int:
    """`ceil(peak / (unit_capacity * utilisation)) + k`: what serves *peak* with no unit used beyond *utilisation*."""
    return math.ceil(min(peak / (unit_capacity * utilisation) * (1 - INEXACT), MOST_UNITS)) + spare


def grown(peak: float, growth_a_year: float, days: int) -> float:
    """*peak* after so many days when it grows by a share of itself every year."""
    return peak * (1 + growth_a_year) ** (days / DAYS_IN_A_YEAR)
