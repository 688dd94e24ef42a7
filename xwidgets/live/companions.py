"""What stands beside a study, by the name that it has there: ``study.neurons`` and others.

A study knows none of them; each is made when it is first asked for.
"""

from collections.abc import Mapping

COMPANIONS: Mapping[str, str] = {
    "neurons": "xwidgets.live.neurons:Neurons.of",
    "regions": "xwidgets.live.regions:Regions.of",
    "concepts": "xwidgets.live.concepts:Concepts.maker",
}
"""By name, the function that takes the study."""
