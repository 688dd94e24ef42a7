"""Grad-CAM (Selvaraju et al. 2017), as somebody new would add it."""

from dataclasses import dataclass

from xwidgets.explain import MapMethod, layer_parameter, parameter


@dataclass(frozen=True)
class GradCAM(MapMethod):
    """Maps of a layer, weighted by how the score answers to each on average."""

    layer: str | int = layer_parameter(13, "the layer whose maps are weighted")
    rectified: bool = parameter(True, "whether what speaks against is left out", label="Rectified")

    name, unit, signed = "Grad-CAM", "logits", False

    def explain(self, subject, target):
        """The map of one target: the sum over k of mean(d score / d A_k) A_k."""
        watched = subject.watched([self.layer], target)
        maps = watched.activations[self.layer]
        slopes = watched.gradient(target.score(watched), maps)
        values = (slopes.mean((2, 3), keepdim=True) * maps).sum(1)[0]
        return self.relevance(subject, target, values.relu() if self.rectified else values)
