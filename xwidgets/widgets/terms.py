"""Terms that views use, each in two sentences with a link.

The help buttons of the views, ``shared/terms.mjs``, and the glossary of the documentation are made
from this table; ``python -m scripts.glossary`` writes both.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A term and its help.

    Attributes:
        words: two sentences.
        link: where more is said, without its scheme.
        labels: other words of the views for it, or that need it to be read.
        plain: what it is in everyday words, to stand beside the field's; "" for none.
    """

    words: str
    link: str
    labels: tuple[str, ...] = ()
    plain: str = ""


_PDA = "arxiv.org/abs/1702.04595"
_RESAMPLING = "arxiv.org/abs/1707.09641"
_EXPLANATION = "arxiv.org/abs/1709.05360"
_OCCLUSION = "arxiv.org/abs/1311.2901"
_SALIENCY = "arxiv.org/abs/1312.6034"
_EXCITATION = "arxiv.org/abs/1608.00507"
_WIKIPEDIA = "en.wikipedia.org/wiki/"

TERMS: dict[str, Term] = {
    "score": Term(
        "The number that the network puts out for a class, before softmax turns all of them into "
        "probabilities. Scores can be any number, and the largest belongs to the predicted class.",
        _WIKIPEDIA + "Softmax_function",
        ("logits", "logit", "score before softmax", "class scores"),
    ),
    "probability": Term(
        "How likely a class is by the network's own account, from 0 to 1 or 100 %. All classes "
        "together have 1, unless each label is judged by itself.",
        _WIKIPEDIA + "Softmax_function",
        ("percentage points",),
    ),
    "bits": Term(
        "Log2 odds: one bit more doubles the odds of a class, from 1 : 1 to 2 : 1 or from 50 % to "
        "67 %. A network that is almost sure cannot gain or lose many of them.",
        _WIKIPEDIA + "Logit",
        ("odds", "log odds"),
    ),
    "evidence": Term(
        "By how many bits the odds of a class fall when a part of the picture is unknown. Positive "
        "evidence speaks for the class, negative evidence against it.",
        _PDA,
        ("evidence of the region", "weight of evidence"),
    ),
    "relevance": Term(
        "How much each pixel matters for what is asked, in the unit of the method. In a signed map "
        "one colour speaks for the class and the other against it.",
        _PDA,
        ("map", "heat map", "heat maps", "relevance map", "share of a map"),
    ),
    "window": Term(
        "The square of pixels that is hidden at once, at every place of the picture. Small windows "
        "show detail, large ones hide whole parts.",
        _PDA,
        ("windows", "window in pixels"),
    ),
    "sample": Term(
        "One possible content that a hidden window is filled with. The score is averaged over "
        "several, and more samples make the noise smaller.",
        _PDA,
        ("samples", "noise", "images"),
    ),
    "conditional": Term(
        "What is hidden is filled with what would be likely there given the pixels around it. It "
        "asks whether the content is surprising: a fill may bring the hidden thing back.",
        _PDA,
        ("fill with",),
    ),
    "marginal": Term(
        "What is hidden is filled with the same place of other pictures, whatever surrounds it. "
        "It asks whether the content is needed, with fills that often do not fit.",
        _PDA,
    ),
    "drawn": Term(
        "The picture is drawn again without the part, and with what is behind it in its place. "
        "Only drawings can be asked so, and the answer is the true effect of the part.",
        _WIKIPEDIA + "Counterfactual_conditional",
        ("drawn without it",),
    ),
    "grey": Term(
        "What is hidden is filled with one plain colour. That is simple and the same each time, "
        "but the network has rarely seen such pictures.",
        _OCCLUSION,
        ("colour", "gray"),
    ),
    "method": Term(
        "What is asked of the network: each method measures something else, and says so in its "
        "question. Two methods that disagree can both be right.",
        _PDA,
        ("methods", "methods side by side", "which should i believe?"),
    ),
    "quality": Term(
        "How finely a method looks: quick visits every fourth place of its window, normal every "
        "second, fine each, with more samples. Finer maps take longer and are less noisy.",
        _PDA,
        ("quick", "normal", "fine"),
    ),
    "measure": Term(
        "What is compared with and without a part: the odds in bits, the score before softmax, or "
        "the probability. Where the network is sure, only the score still moves.",
        _PDA,
    ),
    "standard error": Term(
        "How far a value may be off because only so many samples were drawn. The true value lies "
        "within two of them in about 95 of 100 cases.",
        _WIKIPEDIA + "Standard_error",
        ("hatch what is within 2 standard errors of zero", "not told from zero"),
    ),
    "effect": Term(
        "The smallest change that is worth speaking of, set by you: what is below is hatched and "
        "not coloured. 0.05 bits move a probability of 50 % by less than one percentage point.",
        _WIKIPEDIA + "Effect_size",
        ("too small", "hatched"),
    ),
    "scale": Term(
        "The value that the strongest colour stands for. One scale for all maps lets colours be "
        "compared; a scale of each map alone shows faint maps as strongly as others.",
        _WIKIPEDIA + "Heat_map",
        ("one scale for all maps", "scale of this map alone"),
    ),
    "share": Term(
        "A part of a whole that was spread over the picture, such as the excitation of a class. "
        "At a pixel it is told as a multiple of an even spread, the value if all pixels had the "
        "same.",
        _EXCITATION,
        ("× an even spread", "share of the excitation", "even spread"),
    ),
    "mass": Term(
        "How much of what set out at the class arrived at the layer that is shown, 1 being all. "
        "With contrast it is a difference, and may be near 0.",
        _EXCITATION,
        ("contrast", "stop at"),
    ),
    "saliency": Term(
        "How strongly the score reacts to a tiny change of each pixel: the size of the gradient. "
        "It tells where the network is sensitive, not what speaks for or against.",
        _SALIENCY,
        (
            "logits per unit of pixel value",
            "logits per pixel value",
            "channels",
            "activation squared per pixel value",
        ),
    ),
    "layer": Term(
        "A step of the network, whose output is a stack of maps. Early layers see small patches, "
        "late ones most of the picture.",
        _OCCLUSION,
        ("output", "start from", "reconstruct from"),
    ),
    "neuron": Term(
        "A channel of a layer: one detector, applied at every place. Its map shows where it is "
        "active.",
        _RESAMPLING,
        ("channel", "activation", "feature map", "unit", "in many images"),
    ),
    "importance": Term(
        "How much a neuron matters for one prediction, by one of six metrics. The metrics have "
        "different units and often disagree.",
        _RESAMPLING,
        ("rank", "ranked by", "best of each layer", "in the top set", "in all top sets"),
    ),
    "precision": Term(
        "The inverse of how much a neuron's activation varies when the picture is disturbed a "
        "little. Steady neurons rank first; neurons that are hardly active are left out.",
        _RESAMPLING,
        ("activation_precision", "activation precision", "mean magnitude at least"),
        "how steady it stays when the picture is disturbed",
    ),
    "output correlation": Term(
        "How closely a neuron's activation and the score move together when the picture is "
        "disturbed a little. 1 is in step; the sign does not count.",
        _RESAMPLING,
        ("output_correlation",),
        "how closely it moves with the score of the class",
    ),
    "activation sum": Term(
        "All activations of a neuron in this picture, added up. It favours neurons that are active "
        "in many places, whether or not the class needs them.",
        _RESAMPLING,
        ("activation_sum",),
        "how active it is, all places together",
    ),
    "activation variance": Term(
        "How much a neuron's activation differs between places of this picture. It favours neurons "
        "that answer to some places only.",
        _RESAMPLING,
        ("activation_variance",),
        "how much it differs from place to place",
    ),
    "weight sum": Term(
        "All weights with which the next layer reads a neuron, added up. It knows nothing of the "
        "picture.",
        _RESAMPLING,
        ("weight_sum",),
        "the next layer's weights for it, added up",
    ),
    "weight variance": Term(
        "How much the weights with which the next layer reads a neuron differ. It knows nothing of "
        "the picture.",
        _RESAMPLING,
        ("weight_variance",),
        "how much the next layer's weights for it differ",
    ),
    "Jaccard": Term(
        "How far two sets agree: what they share, divided by what either has. 1 means the same "
        "set, 0 nothing in common.",
        _WIKIPEDIA + "Jaccard_index",
        ("jaccard index of the top sets",),
    ),
    "box": Term(
        "The patch of the picture in which a neuron's reconstruction has pixels. Its size depends "
        "on how faint a pixel still counts.",
        _RESAMPLING,
        (
            "box around pixels above",
            "contains the object",
            "smallest share of the strongest pixel in a box, in percent",
        ),
    ),
    "reconstruction": Term(
        "A deconvnet runs a neuron's activation backwards to the pixels that caused it. It shows "
        "the pattern that the neuron answers to in this picture.",
        _OCCLUSION,
        ("reconstructed from", "the whole map", "its maximum"),
    ),
    "x-feature": Term(
        "One of a few numbers that a small module distils from a layer so that their weighted sum "
        "gives the score. Each has a heat map and can be named by a person.",
        _EXPLANATION,
        ("x-features", "trust", "don't trust"),
    ),
    "orthogonality": Term(
        "How little the heat maps of the x-features of one module repeat each other. Low values "
        "are better: each then shows something of its own.",
        _EXPLANATION,
        ("mean correlation",),
    ),
    "faithfulness": Term(
        "How closely the x-features' sum follows the network's own score. Without it a map that "
        "looks good explains another network.",
        _EXPLANATION,
        ("approximation",),
    ),
    "held-out error": Term(
        "How far the approximated scores are off on images that were held out of the fit, while "
        "the loss is what the fit makes small, pass by pass over its own images. An error that "
        "rises while the loss falls tells of a fit that learns its images by heart.",
        _EXPLANATION,
        ("held-out error (solid)", "loss (dashed)", "epoch"),
    ),
    "locality": Term(
        "Over how many parts of the object a heat map spreads, as an entropy. Low values mean that "
        "it keeps to one part.",
        _EXPLANATION,
    ),
    "object": Term(
        "The part of the picture that a map points to, cut out by colours and edges. The slider "
        "says how likely a pixel must be part of it.",
        _SALIENCY,
        ("outline the object",),
    ),
    "class model": Term(
        "The picture that the network likes best for a class, found by gradient ascent. It shows "
        "what the class is made of for the network, not what objects look like.",
        _SALIENCY,
        (
            "λ",
            "steps",
            "step",
            "jitter",
            "blur",
            "total variation",
            "fourier basis",
            "seeds",
            "λ and regularisers",
        ),
    ),
    "randomise": Term(
        "The network's weights are replaced by random ones, layer by layer. A map that does not "
        "change then cannot have been about what the network learned.",
        "arxiv.org/abs/1810.03292",
        ("randomise the weights, layer by layer",),
    ),
}
"""Help by term."""


def term_of(label: str) -> str | None:
    """Term that a label of a view is, or needs; ``None`` for plain words.

    Example:
        >>> term_of("Too small"), term_of("Clear")
        ('effect', None)
    """
    sought = label.strip().lower()
    for name, term in TERMS.items():
        if sought in (name.lower(), *term.labels):
            return name
    return None
