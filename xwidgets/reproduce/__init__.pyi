from . import (
    cases,
    lengerich2017,
    part_pictures,
    qi2018,
    qi2018_findings,
    two_classes,
    zintgraf2016,
    zintgraf2016_claims,
    zintgraf2016_findings,
)
from ._heat_maps import HeatMaps, heat_maps, heat_maps_of_score, measures
from .figure import Figure

__all__ = [
    "Figure",
    "HeatMaps",
    "cases",
    "heat_maps",
    "heat_maps_of_score",
    "lengerich2017",
    "measures",
    "part_pictures",
    "qi2018",
    "qi2018_findings",
    "two_classes",
    "zintgraf2016",
    "zintgraf2016_claims",
    "zintgraf2016_findings",
]
