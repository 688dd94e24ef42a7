"""Heat maps of x-features: where in a picture their activation comes from (Qi et al. 2018).

A map attributes the excitation of an x-feature to pixels; it does not tell how the x-feature would
change without them, as :func:`xwidgets.evaluate.masked_classification` and part deletion do.

Excitation backprop goes from an x-feature through the encoder and the network to a pooled layer. In
its contrastive form, c-MWP, the encoder's last layer is passed once with its weights and once with
their negatives, which is the default.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xwidgets.aliases import formerly
from xwidgets.errors import warn
from xwidgets.images import picture
from xwidgets.networks import Network
from xwidgets.networks._network import a_network
from xwidgets.networks.subject import Subject
from xwidgets.networks.target import Class, Resolved, through
from xwidgets.results import XFeatures

from ._excitation_backprop import (
    RULES,
    at_pixels,
    contrast_of,
    excitations,
    share_that_arrived,
    stop_layer,
    stop_parameter,
)
from ._parameter import front, parameter
from .data_set import DataSet
from .explanation_module import ExplanationModule
from .explanation_module.lack import all_silent
from .method import Method

_RIVALS = 3
_ROUNDING = 64
"""Mass below which a map counts as empty, in units of the rounding of its initial mass of 1."""


@formerly(layer="stop_at")
@dataclass(frozen=True)
class XFeatureMaps(Method[XFeatures]):
    """X-features of an explanation module in an image, and their heat maps (Qi et al. 2018).

    The target is the class that the module explains.

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
    stop_at: str | int | None = stop_parameter(
        'where the maps are taken: a layer by name, a convolution by its number, or ``"pixels"``; '
        "by default the deepest pooled layer with maps of at least 12 x 12 before the module's, "
        "else the pixels"
    )
    contrastive: bool | None = parameter(
        None,
        "c-MWP, excitation of an x-feature less that of its opposite; otherwise MWP, which is more "
        "spread out, but complete. ``None`` for c-MWP above an encoder, and MWP where x-features "
        "are channels of a convolution, above which contrast would cancel",
        choices=(None, True, False),
        label="Contrast",
    )

    name, unit, signed = "x-features", "share of the excitation", False

    def check(self, subject: Subject, targets: Sequence[Resolved]) -> None:
        """Check that the module was fitted to this network and these targets."""
        module = the_module(subject.net, self.module)
        for target in targets:
            if target != Class(module.facts.target):
                raise ValueError(
                    f"the module explains {module.facts.label!r}, not "
                    f"{target.label(subject.net)!r}; give target={module.facts.target}"
                )

    def explain(self, subject: Subject, target: Resolved) -> XFeatures:
        """Compute the x-features of the subject's image."""
        [result] = self.of_images(subject.net, subject.image[None])
        return result

    def of_images(self, net: Network, images: Tensor) -> Iterator[XFeatures]:
        """Compute the x-features of several images ``(N, C, H, W)`` in one batch."""
        module = the_module(a_network(net), self.module)
        stop_at = stop_layer(net, self.stop_at, module.facts.layer)
        return _results(net, module, images, stop_at, self.contrastive)


@formerly(layer="stop_at")
@front(XFeatureMaps)
def x_features(
    net: Network,
    module: ExplanationModule,
    image: object,
    stop_at: str | int | None = None,
    contrastive: bool | None = None,
) -> XFeatures:
    """X-features of one image, and their heat maps by c-MWP.

    Args:
        net: the classifier that the module was fitted to.
        image: ``(C, H, W)`` or ``(1, C, H, W)`` in [0, 1]; or a picture, as
            :class:`xwidgets.Network` says.

    Returns:
        Maps, activations E, weights v, and the score that they approximate. Where these mean
        nothing, as the module was fitted to too few images, ``lack`` says so, and a warning.

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
    [result] = XFeatureMaps(module, stop_at, contrastive).complete(subject, [target])
    if result.lack:
        warn(result.lack)
    return result


@formerly(layer="stop_at")
@front(XFeatureMaps)
def x_features_each(
    net: Network,
    module: ExplanationModule,
    images: object,
    stop_at: str | int | None = None,
    contrastive: bool | None = None,
) -> Iterator[XFeatures]:
    """X-features of many images one after another, computed in batches.

    Args:
        net: as for :func:`x_features`.
        images: all that :class:`xwidgets.images.Collection` takes; those that cannot be read are
            left out with a warning.

    Returns:
        An iterator over the results of :func:`x_features`.

    Raises:
        ValueError: as :func:`x_features`.

    Example:
        >>> import xwidgets as xw
        >>> net, (images, _) = xw.network("birds"), xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(net, images, target=3, epochs=2, progress=False)
        >>> [result.maps.shape for result in x_features_each(net, module, images[:2])]
        [(5, 64, 64), (5, 64, 64)]
    """
    data = DataSet(a_network(net), images)
    the_module(net, module)
    method = XFeatureMaps(module, stop_layer(net, stop_at, module.facts.layer), contrastive)
    method.check_parameters()
    return _each(net, data, method)


def the_module(net: Network, module: object) -> ExplanationModule:
    """Check that ``module`` is an explanation module of ``net``, and return it.

    Raises:
        ValueError: when it is none, or was fitted to another network or a layer that ``net`` lacks.
    """
    if not isinstance(module, ExplanationModule):
        raise ValueError(
            f"module is a {type(module).__name__}, but must be an explanation module; "
            "make one with xw.fit_explanation(net, images, target)"
        )
    facts = module.facts
    if facts.network_name != net.name:
        raise ValueError(
            f"the module was fitted to network {facts.network_name!r}, not to {net.name!r}; fit "
            "one to this network"
        )
    net.layer(facts.layer)
    return module


def _each(net: Network, data: DataSet, method: XFeatureMaps) -> Iterator[XFeatures]:
    skipped: list[int] = []
    for batch in data.batches():
        images = [image for image in batch.values() if image is not None]
        skipped += [number for number, image in batch.items() if image is None]
        if images:
            yield from method.of_images(net, torch.stack(images))
    data.check_skipped(skipped)


def _results(
    net: Network, module: ExplanationModule, images: Tensor, stop_at: str, wanted: bool | None
) -> Iterator[XFeatures]:
    facts = module.facts
    layers = [facts.layer] if stop_at == "pixels" else [facts.layer, stop_at]
    watched = net.watched(images, layers, RULES)
    features = watched.activations[facts.layer]
    activations = through(deepcopy(module.encoder).to(features), features, RULES)
    active = activations.detach() > 0
    seeds = torch.diag_embed(active.to(activations)).transpose(0, 1).contiguous()
    to = watched.pixels if stop_at == "pixels" else watched.activations[stop_at]
    contrast = contrast_of(activations, to, wanted, x_features=True)
    arrived = plain = excitations(activations, seeds, to, [False] * len(seeds)).sum(2)
    if contrast.wanted:
        arrived = excitations(activations, seeds, to, [True] * len(seeds)).sum(2)
    plain_mass = plain.sum((2, 3)).float().cpu().numpy()
    maps = at_pixels(arrived.clamp(min=0).flatten(0, 1), images.shape[2:])
    total = maps.sum((1, 2), keepdim=True)
    maps = torch.where(total > _ROUNDING * torch.finfo(maps.dtype).eps, maps / total, 0)
    maps = maps.view(*arrived.shape[:2], *maps.shape[1:])
    fingerprint = module.fingerprint
    for number, image in enumerate(images):
        scores = watched.logits[number].detach().cpu()
        order = scores.argsort(descending=True).tolist()
        others = [index for index in order if index != facts.target]
        yield XFeatures(
            maps=maps[:, number].float().cpu().numpy(),
            activations=activations[number].detach().float().cpu().numpy(),
            weights=module.weights.float().cpu().numpy(),
            intercept=float(module.intercept),
            score=float(scores[facts.target]),
            rivals=tuple(
                (net.class_name(other), float(scores[other])) for other in others[:_RIVALS]
            ),
            mass=arrived[:, number].sum((1, 2)).float().cpu().numpy(),
            image=picture(image),
            network_name=facts.network_name,
            layer=facts.layer,
            target=facts.target,
            label=facts.label,
            top=net.class_name(order[0]),
            method=facts.method,
            module=fingerprint,
            parameters={"stop_at": stop_at, "contrastive": contrast.wanted},
            plain_mass=plain_mass[:, number],
            lack=_lack(module, net, order[0], bool(active[number].any())),
            note=_note(contrast.reason, plain_mass[active[number].cpu().numpy(), number]),
            sparsity=facts.sparsity or "",
        )


def _lack(module: ExplanationModule, net: Network, top: int, speaks: bool) -> str:
    """Sentence on why the x-features explain nothing in a picture that is taken for ``top``."""
    facts = module.facts
    if module.lack or speaks or top != facts.target:
        return module.lack
    return all_silent(net.name, facts.label)


def _note(reason: str, masses: NDArray[np.float32]) -> str:
    """Sentences on contrast, and on the masses of the x-features that are active."""
    return f"{reason} {share_that_arrived(masses.tolist())}" if len(masses) else reason
