"""What a fit lacked for its x-features to mean something, in a sentence with the fix."""


def too_few_images(network: str, label: str, positive: int, images: int, x_features: int) -> str:
    """Sentence on too few images of a class, or of others; ``""`` when there are enough.

    As many are needed as there are x-features: n x-features of fewer than n images can fit these
    whatever they are. That is a choice of this package; the paper has 50 of each class.

    Example:
        >>> too_few_images("birds", "wren", 2, 300, 5)
        "network birds takes 2 of the 300 images for 'wren', too few to tell 5 x-features ..."
        >>> too_few_images("birds", "wren", 50, 300, 5)
        ''
    """
    asked = 2 * x_features
    took = f"network {network} takes {positive} of the {images} images for {label!r}"
    if positive < x_features:
        return (
            f"{took}, too few to tell {x_features} x-features apart; give at least "
            f"{asked - positive} more that it takes for {label!r} with images=, or look for fewer "
            "x-features with features="
        )
    others = images - positive
    if others < x_features:
        return (
            f"{took}, and too few for others to tell what is its own; give at least "
            f"{asked - others} more of other classes with images=, or look for fewer x-features "
            "with features="
        )
    return ""


def none_active(label: str, positive: int) -> str:
    """Sentence on a module of which no x-feature is active for any image of its class.

    Example:
        >>> none_active("wren", 20)
        "no x-feature is active for any of the 20 images of 'wren', so they explain nothing; ..."
    """
    return (
        f"no x-feature is active for any of the {positive} images of {label!r}, so they explain "
        "nothing; give more of these with images=, or fit them again with another seed="
    )


def all_silent(network: str, label: str) -> str:
    """Sentence on a picture of the class in which no x-feature is active.

    Example:
        >>> all_silent("birds", "wren")
        "network birds takes the picture for 'wren', but no x-feature is active in it, so ..."
    """
    return (
        f"network {network} takes the picture for {label!r}, but no x-feature is active in it, so "
        "they do not explain it; fit them to pictures like it too, with images="
    )
