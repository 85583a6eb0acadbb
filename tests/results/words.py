"""Measured values as words."""
import math

NONE = "–"


def number(value, digits=3):
    """As many digits as a reader can use, never an exponent."""
    if value is None:
        return NONE
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}"
    places = max(0, digits - 1)
    size = abs(value)
    while size < 1 and places < 6:
        size, places = size * 10, places + 1
    while size >= 10 and places > 0:
        size, places = size / 10, places - 1
    return f"{value:.{places}f}"


def percent(value, places=1):
    return NONE if value is None else f"{100 * value:.{places}f} %"


def signed(value):
    """A change, in percent."""
    return NONE if value is None else f"{100 * value:+.1f} %"


def seconds(value, sign=""):
    return NONE if value is None else f"{value:{sign}.{1 if abs(value) >= 10 else 2}f} s"


# How the values of a quantity are written.
UNITS = {
    "mse": lambda v: f"{v:.5f}", "percent": lambda v: percent(v, 2), "per_image": lambda v: f"{v:.2f}",
    "ratio": lambda v: f"{v:.3f}", "change": signed, "yes": lambda v: "yes" if v else "no",
    "fcd": lambda v: number(v), "seconds": lambda v: seconds(v),
}


def statistics_of(values):
    values = [v for v in values if v is not None]
    if not values:
        return None
    mean = math.fsum(values) / len(values)
    sd = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else None
    return {"mean": mean, "sd": sd, "n": len(values), "values": values}


def spread(found, form):
    """mean ± sd of n seeds"""
    if not found:
        return NONE
    return form(found["mean"]) + (f" ± {form(found['sd'])}" if found["sd"] is not None else "")


def plural(n, word):
    return f"{n} {word}" + ("" if n == 1 else "s")
