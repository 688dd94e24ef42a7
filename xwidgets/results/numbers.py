"""One way to write measured numbers and shares; shared/numbers.mjs of the views writes the same."""

from decimal import ROUND_HALF_UP, Context, Decimal
from math import isinf, isnan


def number(value: float | None, digits: int = 3) -> str:
    """A number to three significant digits; ``"–"`` for none.

    Example:
        >>> [number(value) for value in (0.5, 12345, -0.00012, 0, None)]
        ['0.500', '12300', '−1.20e−4', '0', '–']
    """
    if value is None or isnan(value):
        return "–"
    sign, size = "−" if value < 0 else "", abs(float(value))
    if isinf(size) or size == 0:
        return f"{sign}∞" if size else "0"
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).create_decimal_from_float(size)
    mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
    if size < 1e-3 or size >= 1e6:
        return f"{sign}{mantissa}e{exponent.removeprefix('+').replace('-', '−')}"
    return f"{sign}{rounded:.{max(0, digits - 1 - int(exponent))}f}"


def brief(value: float) -> str:
    """A round number that was chosen, without digits that say nothing.

    Example:
        >>> [brief(value) for value in (0.05, 2.0, 0.00001, 25.0)]
        ['0.05', '2', '1.0e−5', '25']
    """
    return number(value, 2) if 0 < value < 1e-3 else f"{float(f'{value:.2g}'):.15g}"


def signed(value: float | None, digits: int = 3) -> str:
    """The same with a sign in any case, but for zero.

    Example:
        >>> [signed(value) for value in (1.2549, -2, 0)]
        ['+1.25', '−2.00', '0']
    """
    return ("+" if value is not None and value > 0 else "") + number(value, digits)


def percent(share: float | None) -> str:
    """A share in percent, to one decimal; ``"–"`` for none.

    Example:
        >>> [percent(share) for share in (0.417, 0.042, 0.9932, 0.0004, 0.99999, 0, 1)]
        ['41.7 %', '4.2 %', '99.3 %', '< 0.1 %', '> 99.9 %', '0 %', '100 %']
    """
    if share is None or isnan(share):
        return "–"
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    step = Decimal("1" if share in (0, 1) else "0.1")
    return f"{Decimal(100 * float(share)).quantize(step, ROUND_HALF_UP)} %"
