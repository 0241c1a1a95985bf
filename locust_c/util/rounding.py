"""Rounding as it is taught at school."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

__all__ = ["proper_round"]


def proper_round(val: float, digits: int = 0) -> float:
    """Round to ``digits`` decimals, halves upward: Python's ``round`` rounds them to the even neighbour."""
    rounding = ROUND_HALF_UP if val >= 0 else ROUND_HALF_DOWN
    return float(Decimal(str(val)).quantize(Decimal(1).scaleb(-digits), rounding))
