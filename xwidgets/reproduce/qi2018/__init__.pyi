from . import cases, part_pictures, shift
from ._findings import (
    PUBLISHED,
    PUBLISHED_LASSO,
    PUBLISHED_MASKED,
    best_and_worst,
    findings,
    marked,
)
from ._heat_maps import HeatMaps, heat_maps, heat_maps_of_score, localities, measures
from .experiments import EXPERIMENTS, Reproduction, reproduce, steps, steps_of
from .laboratory import (
    COLUMNS,
    EXCITATION,
    RANDOM,
    SETTINGS,
    TUNED,
    VARIANTS,
    Laboratory,
    Setting,
    Trial,
    Z,
)
from .shift import figure10
from .tables import GAMMAS, figure7, figure8, table1, table2, table3, variants
from .tuning import cross_validated, folds, tuned

__all__ = [
    "COLUMNS",
    "EXCITATION",
    "EXPERIMENTS",
    "GAMMAS",
    "PUBLISHED",
    "PUBLISHED_LASSO",
    "PUBLISHED_MASKED",
    "RANDOM",
    "SETTINGS",
    "TUNED",
    "VARIANTS",
    "HeatMaps",
    "Laboratory",
    "Reproduction",
    "Setting",
    "Trial",
    "Z",
    "best_and_worst",
    "cases",
    "cross_validated",
    "figure7",
    "figure8",
    "figure10",
    "findings",
    "folds",
    "heat_maps",
    "heat_maps_of_score",
    "localities",
    "marked",
    "measures",
    "part_pictures",
    "reproduce",
    "shift",
    "steps",
    "steps_of",
    "table1",
    "table2",
    "table3",
    "tuned",
    "variants",
]
