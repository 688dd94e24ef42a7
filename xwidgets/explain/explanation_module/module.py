"""Explanation modules: a few x-features of a layer that give one class's score (Qi et al. 2018).

An encoder E maps the features Z of a layer to n non-negative numbers, the x-features, and the score
of a class before softmax is approximated by y^ = v^T E(Z).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from operator import methodcaller
from pathlib import Path
from typing import Any, ClassVar, Self

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor, nn

from xwidgets.aliases import formerly
from xwidgets.errors import one_line
from xwidgets.files import whole
from xwidgets.results.facts import parsed, typed

from .features import as_features
from .lack import none_active, too_few_images

METHODS = ("srae", "nn", "sae", "cae", "lasso")
"""Methods to fit x-features: the sparse reconstruction autoencoder, and the paper's baselines."""


@formerly(network="network_name")
@dataclass(frozen=True)
class Facts:
    """Facts about an explanation module: its network, layer, class, method and fit.

    Attributes:
        network_name: name of the network.
        layer: name of the layer whose outputs are the features Z.
        target: the class index, and ``label`` its name.
        method: one of :data:`METHODS`.
        parameters: of the fit, the seed among them.
        curves: values after each epoch: ``"error"``, mean \\|y^ - y\\| on the held-out
            images, and ``"loss"``, the training loss.
        versions: of the packages that computed it.
    """

    network_name: str
    layer: str
    target: int
    label: str
    method: str
    parameters: Mapping[str, Any]
    curves: Mapping[str, list[float]]
    versions: Mapping[str, str]

    former_names: ClassVar[Mapping[str, str]]

    @property
    def sparsity(self) -> str | None:
        """Penalty of the reconstruction errors; ``None`` for methods other than SRAE.

        Files of builds that knew the logarithm alone do not name it.
        """
        return self.parameters.get("sparsity", "log") if self.method == "srae" else None

    def __post_init__(self) -> None:
        for name in ("parameters", "curves", "versions"):  # as they come back from a file
            text = json.dumps(getattr(self, name), default=methodcaller("item"))
            object.__setattr__(self, name, json.loads(text))


class ExplanationModule(nn.Module):
    """X-features of a layer, and the weights by which they approximate a class's score.

    Attributes:
        encoder: from a layer's outputs ``(N, C, H, W)`` or ``(N, K)``, or features ``(N, S)``, to
            x-features ``(N, n)``.
        weights: v, ``(n,)``.
        intercept: added to v^T E; 0 but for the Lasso.
        decoder: from x-features to reconstructed features ``(N, S)``; ``None`` for methods that
            reconstruct nothing.
        facts: :class:`Facts` about it.

    Example:
        >>> import xwidgets as xw
        >>> images, _ = xw.scenes.draw("birds", range(300))
        >>> module = xw.fit_explanation(
        ...     xw.network("birds"), images, target=3, epochs=2, progress=False
        ... )
        >>> module.facts.label, module.encoder(torch.rand(4, 128)).shape
        ('Briar finch (hooked beak)', torch.Size([4, 5]))
    """

    def __init__(
        self,
        facts: Facts,
        encoder: nn.Module,
        weights: Tensor,
        intercept: Tensor,
        decoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.facts = facts
        self.encoder = encoder
        self.decoder = decoder
        self.register_buffer("weights", weights)
        self.register_buffer("intercept", intercept)
        self.requires_grad_(False)
        self.eval()

    weights: Tensor
    intercept: Tensor

    def forward(self, activations: Tensor) -> Tensor:
        """Approximated scores ``(N,)`` for a layer's outputs, or for features ``(N, S)``."""
        approximation: Tensor = self.encoder(activations) @ self.weights + self.intercept
        return approximation

    @property
    def fingerprint(self) -> str:
        """Digest of network, layer, class and weights, which identifies the module."""
        digest = sha256(
            json.dumps([self.facts.network_name, self.facts.layer, self.facts.target]).encode()
        )
        for name, value in sorted(self.state_dict().items()):
            digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    @property
    def lack(self) -> str:
        """Sentence on why its x-features mean nothing, with the fix.

        ``""`` where they mean something, and where a file of an earlier build does not tell.
        """
        facts, known = self.facts, self.facts.parameters
        if "positive" not in known:
            return ""
        positive, count = known["positive"], known["features"]
        few = too_few_images(facts.network_name, facts.label, positive, known["images"], count)
        return few or ("" if known["active"] else none_active(facts.label, positive))

    def save(self, path: str | Path) -> None:
        """Write to a ``.safetensors`` file that :meth:`load` reads.

        Raises:
            OSError: when that is not possible, such as in a folder that there is not.
        """
        tensors = {name: value.cpu().contiguous() for name, value in self.state_dict().items()}
        told = {"explanation_module": json.dumps(asdict(self.facts))}
        with whole(path) as part:
            part.write_bytes(serialized(tensors, told))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ValueError: when the file is missing, damaged or of another kind.
        """
        try:
            with safe_open(path, "pt") as file:
                told = parsed(file.metadata()["explanation_module"])
                names = Facts.former_names
                facts = Facts(**typed(Facts, {names.get(name, name): told[name] for name in told}))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            chosen, decoder = tensors.get("encoder.1.chosen"), layers_of("decoder", tensors)
            module = cls(
                facts,
                encoder_of(chosen, layers_of("encoder", tensors)),
                tensors["weights"],
                tensors["intercept"],
                decoder_of(decoder) if decoder else None,
            )
            module.load_state_dict(tensors)
            module._check(
                tensors["encoder.1.weight"].shape[1] if chosen is None else int(chosen.max()) + 1
            )
        except FileNotFoundError as error:
            raise ValueError(f"there is no explanation module at {str(path)!r}") from error
        except _DAMAGE as error:
            raise ValueError(
                f"{str(path)!r} holds no readable explanation module ({one_line(error)}); "
                "fit it again and write it with module.save(path)"
            ) from error
        return module

    def _check(self, width: int) -> None:
        """Check that the parts fit together, and take this number of features."""
        if self.facts.method not in METHODS or self.facts.target < 0:
            raise ValueError(f"it is by {self.facts.method!r} for class {self.facts.target}")
        for name, values in self.state_dict().items():
            if not values.isfinite().all():
                raise ValueError(f"the values of its {name} are not all finite")
        features = self.weights.new_zeros(1, width)
        if self(features).shape != (1,):
            raise ValueError("its weights are no vector")
        if self.decoder is not None:
            rebuilt = self.decoder(self.encoder(features))
            if rebuilt.shape != features.shape:
                raise ValueError(f"it rebuilds {tuple(rebuilt.shape)} from {tuple(features.shape)}")

    def __repr__(self) -> str:
        facts = self.facts
        return (
            f"<ExplanationModule: {len(self.weights)} x-features by {facts.method} of "
            f"{facts.layer} for {facts.label!r} ({facts.network_name})>"
        )


_DAMAGE = (OSError, SafetensorError, KeyError, IndexError, TypeError, ValueError, RuntimeError)


class Features(nn.Module):
    """Layer that turns outputs of the network into features; see :func:`as_features`."""

    def forward(self, activations: Tensor) -> Tensor:
        """Features ``(N, S)`` of outputs ``(N, C, H, W)`` or ``(N, K)``."""
        return as_features(activations)


class Choice(nn.Module):
    """Layer that selects some features."""

    def __init__(self, chosen: Tensor) -> None:
        super().__init__()
        self.register_buffer("chosen", chosen)

    chosen: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """Selected features ``(N, n)`` of ``(N, S)``."""
        return features[:, self.chosen]


Layers = Sequence[tuple[Tensor, Tensor]]
"""Weights ``(out, in)`` and biases ``(out,)`` of fully connected layers, in order."""


def encoder_of(chosen: Tensor | None, layers: Layers) -> nn.Sequential:
    """Encoder that selects features, or for ``None`` consists of rectified layers."""
    if chosen is not None:
        return nn.Sequential(Features(), Choice(chosen))
    return nn.Sequential(Features(), *_rectified(layers))


def decoder_of(layers: Layers) -> nn.Sequential:
    """Decoder of rectified layers, with a linear last one, as features may be negative."""
    return nn.Sequential(*_rectified(layers)[:-1])


def _rectified(layers: Layers) -> list[nn.Module]:
    modules: list[nn.Module] = []
    for weight, bias in layers:
        layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0])
        layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
        modules += [layer, nn.ReLU()]
    return modules


def layers_of(part: str, tensors: Mapping[str, Tensor]) -> Layers:
    """Layers of a saved encoder or decoder."""
    names = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]
    mine = sorted((name for name in names if name.startswith(f"{part}.")), key=_place)
    return [(tensors[f"{name}.weight"], tensors[f"{name}.bias"]) for name in mine]


def _place(name: str) -> int:
    return int(name.split(".")[1])
