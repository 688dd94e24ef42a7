"""Heat maps of x-features: what in a picture makes each of them active (Qi et al. 2018).

A map says where the excitation of an x-feature comes from, not what would become of it without:
:func:`xwidgets.evaluate.masked_classification` and part deletion tell that.

Excitation backprop goes from an x-feature through the encoder and the network to a pooled layer. In
its contrastive form, c-MWP, the encoder's last layer is the one that is passed once with its
weights and once with their negatives.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from xwidgets.images import picture
from xwidgets.networks import Network
from xwidgets.networks._network import a_network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Class, Resolved, through
from xwidgets.results import XFeatures

from ._excitation_backprop import RULES, at_pixels, end_layer, excitations, stop_parameter
from ._parameter import front, parameter
from .data_set import DataSet
from .explanation_module import ExplanationModule
from .method import Method

_RIVALS = 3
_ROUNDING = 64
"""How often the rounding of 1, which is what goes in, may arrive when nothing does."""


@dataclass(frozen=True)
class XFeatureMaps(Method[XFeatures]):
    """The x-features of an explanation module in an image, and their heat maps (Qi et al. 2018).

    Their target is the class that the module explains.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> XFeatureMaps(module).run(net, images[0], 3).maps.shape
        (5, 64, 64)
    """

    module: ExplanationModule | None = parameter(
        None, "from :func:`xwidgets.fit_explanation`, fitted to the classifier", told=False
    )
    layer: str | int | None = stop_parameter(
        'where the maps are taken, a layer by name, a convolution by its number, or ``"pixels"``; '
        "by default the deepest pooled layer with maps of at least 12 x 12 before the module's, "
        "else the pixels"
    )
    contrastive: bool = parameter(
        True,
        "c-MWP, what speaks for an x-feature more than against it; otherwise MWP, which is more "
        "spread out, but leaves out nothing that speaks for it",
        label="Contrast",
    )

    name, unit, signed = "x-features", "share of the excitation", False

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Raise for what is no module of the network, or of another class."""
        module = the_module(subject.net, self.module)
        for target in targets:
            if target != Class(module.facts.target):
                raise ValueError(
                    f"the module explains {module.facts.label!r}, not "
                    f"{target.label(subject.net)!r}; give target={module.facts.target}"
                )

    def explain(self, subject: Subject, target: Resolved) -> XFeatures:
        """The x-features of the subject's image."""
        [found] = self.found(subject.net, subject.image[None])
        return found

    def found(self, net: Network, images: Tensor) -> Iterator[XFeatures]:
        """The x-features of several images ``(N, C, H, W)``, computed together."""
        module = the_module(net, self.module)
        end = end_layer(net, self.layer, module.facts.layer)
        return _found(net, module, images, end, self.contrastive)


@front(XFeatureMaps)
def x_features(
    net: Network,
    module: ExplanationModule,
    image: object,
    layer: str | int | None = None,
    contrastive: bool = True,
) -> XFeatures:
    """The x-features of one image, and their heat maps by c-MWP.

    Args:
        net: the classifier that the module was fitted to.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1].

    Returns:
        Maps, activations E, weights v, and the score that they approximate.

    Raises:
        ValueError: when the module was fitted to a network of another name, or the layer does not
            lead to its layer.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> x_features(net, module, xw.scenes.bird(seed=3, species=3).image).maps.shape
        (5, 64, 64)
    """
    subject = Subject(net, image)
    target = the_module(net, module).facts.target
    [found] = XFeatureMaps(module, layer, contrastive).complete(subject, [target])
    return found


@front(XFeatureMaps)
def x_features_each(
    net: Network,
    module: ExplanationModule,
    images: object,
    layer: str | int | None = None,
    contrastive: bool = True,
) -> Iterator[XFeatures]:
    """The x-features of many images one after another, computed in batches.

    Args:
        net: as for :func:`x_features`.
        images: all that :class:`xwidgets.images.Collection` takes; those that cannot be read are
            left out with a warning.

    Returns:
        An iterator of what :func:`x_features` returns.

    Raises:
        ValueError: as :func:`x_features`.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> [found.maps.shape for found in x_features_each(net, module, images[:2])]
        [(5, 64, 64), (5, 64, 64)]
    """
    data = DataSet(a_network(net), images)
    the_module(net, module)
    end = end_layer(net, layer, module.facts.layer)
    return _each(net, data, XFeatureMaps(module, end, contrastive))


def the_module(net: Network, module: object) -> ExplanationModule:
    """``module``, when it is an explanation module of ``net``.

    Raises:
        ValueError: when it is not, was fitted to a network of another name, or to a layer that it
            lacks.
    """
    if not isinstance(module, ExplanationModule):
        raise ValueError(
            f"module is a {type(module).__name__}, but must be an explanation module; "
            "make one with xw.fit_explanation(net, images, target)"
        )
    facts = module.facts
    if facts.network != net.name:
        raise ValueError(
            f"the module was fitted to network {facts.network!r}, not to {net.name!r}; fit one to "
            "this network"
        )
    net.layer(facts.layer)
    return module


def _each(net: Network, data: DataSet, method: XFeatureMaps) -> Iterator[XFeatures]:
    skipped: list[int] = []
    for batch in data.batches():
        images = [image for image in batch.values() if image is not None]
        skipped += [number for number, image in batch.items() if image is None]
        if images:
            yield from method.found(net, torch.stack(images))
    data.check_skipped(skipped)


def _found(
    net: Network, module: ExplanationModule, images: Tensor, end: str, contrastive: bool
) -> Iterator[XFeatures]:
    facts = module.facts
    layers = [facts.layer] if end == "pixels" else [facts.layer, end]
    watched = net.watched(images, layers, RULES)
    encoder = deepcopy(module.encoder).to(net.device, net.dtype)
    activations = through(encoder, watched.activations[facts.layer], RULES)
    seeds = torch.diag_embed((activations.detach() > 0).to(activations)).transpose(0, 1)
    to = watched.pixels if end == "pixels" else watched.activations[end]
    arrived = excitations(activations, seeds.contiguous(), to, contrastive).sum(2)
    maps = at_pixels(arrived.clamp(min=0).flatten(0, 1), images.shape[2:])
    total = maps.sum((1, 2), keepdim=True)
    maps = torch.where(total > _ROUNDING * torch.finfo(maps.dtype).eps, maps / total, 0)
    maps = maps.view(*arrived.shape[:2], *maps.shape[1:])
    fingerprint = module.fingerprint
    for one, image in enumerate(images):
        scores = watched.logits[one].detach().cpu()
        order = scores.argsort(descending=True).tolist()
        others = [index for index in order if index != facts.target]
        yield XFeatures(
            maps=maps[:, one].float().cpu().numpy(),
            activations=activations[one].detach().float().cpu().numpy(),
            weights=module.weights.float().cpu().numpy(),
            intercept=float(module.intercept),
            score=float(scores[facts.target]),
            rivals=tuple((net.class_name(n), float(scores[n])) for n in others[:_RIVALS]),
            mass=arrived[:, one].sum((1, 2)).float().cpu().numpy(),
            image=picture(image),
            network=facts.network,
            layer=facts.layer,
            target=facts.target,
            label=facts.label,
            top=net.class_name(order[0]),
            method=facts.method,
            module=fingerprint,
            parameters={"layer": end, "contrastive": contrastive},
        )
