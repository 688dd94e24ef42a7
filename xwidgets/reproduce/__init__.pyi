from . import lengerich2017, qi2018, zintgraf2016
from .figure import Figure
from .spread import spread_table

__all__ = ["Figure", "lengerich2017", "qi2018", "spread_table", "zintgraf2016"]
