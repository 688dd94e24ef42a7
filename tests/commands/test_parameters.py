"""Options are those of the method, and a text means the value that Python would be given."""

from argparse import ArgumentTypeError
from dataclasses import dataclass, fields
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xwidgets as xw
from xwidgets.commands.lists import methods
from xwidgets.commands.parameters import add_parameters, method_of, option, spelling_of
from xwidgets.commands.parser import Parser
from xwidgets.explain import MapMethod, Sampler, parameter

METHODS = methods()


def parsed(kind: Any, *words: str) -> Any:
    parser = Parser("explain", "", "")
    add_parameters(parser, kind)
    return method_of(kind, parser.parse(words))


def spelled(value: Any) -> str:
    """The value as a person would write it."""
    if isinstance(value, tuple):
        return ",".join(map(spelled, value))
    return {None: "none", True: "true", False: "false"}.get(value, str(value)) if (
        value is None or isinstance(value, bool)
    ) else str(value)  # fmt: skip


def test_every_map_of_the_package_is_offered() -> None:
    assert set(METHODS.values()) == {
        xw.ClassActivationMap, xw.Deconvnet, xw.ExcitationBackprop, xw.Occlusion,
        xw.PredictionDifference, xw.Saliency,
    }  # fmt: skip
    assert {"occlusion", "saliency", "prediction-difference"} <= set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_without_options_it_is_the_method_in_its_quickest_quality(name: str) -> None:
    method = METHODS[name]()
    assert parsed(METHODS[name]) == method.changed(**method.qualities.get("quick", {}))
    if method.qualities:
        assert parsed(METHODS[name], "--quality", "fine") == method


@pytest.mark.parametrize("name", METHODS)
def test_all_parameters_but_objects_are_options_and_their_defaults_can_be_written(
    name: str,
) -> None:
    kind = METHODS[name]
    defaults = {field.name: field.default for field in fields(kind)}
    told = {each: value for each, value in defaults.items() if each != "sampler"}
    words = [word for each, value in told.items() for word in (option(each), spelled(value))]
    assert parsed(kind, *words) == kind()


@pytest.mark.parametrize(
    ("words", "method"),
    [
        (["--window", "5", "--value", "0.25"], xw.Occlusion(window=5, value=0.25, stride=4)),
        (
            ["--window", "3,9", "--value", "0,0.5,1"],
            xw.Occlusion(window=(3, 9), value=(0.0, 0.5, 1.0), stride=3),
        ),
        (
            ["--measure=drop", "--memory", "0", "--stride", "1"],
            xw.Occlusion(measure="drop", memory=0.0),
        ),
        (["--quality", "quick"], xw.Occlusion(stride=4)),
        (["--quality", "fine", "--window", "3"], xw.Occlusion(window=3)),
        (["--quality", "quick", "--stride", "2"], xw.Occlusion(stride=2)),
        (["--quality", "normal"], xw.PredictionDifference(stride=2, samples=10)),
        (["--seed", "7"], xw.PredictionDifference(seed=7, stride=4, samples=2)),
        (
            ["--training-size", "60", "--quality", "fine"],
            xw.PredictionDifference(training_size=60),
        ),
        (["--stop-at", "pixels"], xw.ExcitationBackprop(stop_at="pixels")),
        (["--stop-at", "3"], xw.ExcitationBackprop(stop_at=3)),
        (["--contrastive", "false"], xw.ExcitationBackprop(contrastive=False)),
        (["--layer", "features.3"], xw.ClassActivationMap(layer="features.3")),
    ],
)
def test_texts_are_values(words: list[str], method: Any) -> None:
    made = parsed(type(method), *words)
    assert made == method
    for field in fields(method):
        assert type(getattr(made, field.name)) is type(getattr(method, field.name)), field.name


@pytest.mark.parametrize(
    ("kind", "words", "sentence"),
    [
        (xw.Occlusion, ["--window", "0"], "window is 0, but must be a whole number of at least 1"),
        (xw.Occlusion, ["--window", "3,4,5"], "2 whole numbers with commas"),
        (xw.Occlusion, ["--window", "wide"], "'wide' must be a whole number, or 2 whole numbers"),
        (xw.Occlusion, ["--value", "2"], "from 0 to 1"),
        (xw.Occlusion, ["--value", "nan"], "from 0 to 1"),
        (xw.Occlusion, ["--measure", "loss"], "'difference' or 'drop' or 'probability'"),
        (xw.Occlusion, ["--windw", "3"], "unknown option '--windw'; did you mean '--window'"),
        (xw.Occlusion, ["--quality", "best"], "quick"),
        (xw.Occlusion, ["--seed", "1"], "unknown option '--seed'"),
        (xw.Saliency, ["--samples", "1.5"], "'1.5' must be a whole number"),
        (xw.Saliency, ["--seed", "-1"], "from 0 to 2**63 - 1"),
        (xw.ExcitationBackprop, ["--contrastive", "maybe"], "'true' or 'false', or 'none'"),
        (xw.PredictionDifference, ["--sampler", "grey"], "unknown option '--sampler'"),
    ],
)
def test_others_are_refused_in_a_sentence(
    kind: Any, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parsed(kind, *words)
    assert end.value.code == 2
    told = capsys.readouterr()
    assert not told.out
    assert sentence in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("name", METHODS)
def test_the_help_tells_each_parameter_as_the_method_does(name: str) -> None:
    parser = Parser("explain", "", "")
    add_parameters(parser, METHODS[name])
    told = " ".join(parser.format_help().split())
    for each, known in METHODS[name].parameters.items():
        assert (option(each) in told) == (each != "sampler")
        if each != "sampler":
            assert known.line.split("``")[0].split(":")[0][:40].strip() in told
            assert known.unit in told
    assert "`" not in told
    assert "None" not in told


NUMBERS = st.integers(-1000, 1000)


@given(st.lists(NUMBERS, min_size=2, max_size=5).map(tuple))
def test_numbers_with_commas_are_tuples(values: tuple[int, ...]) -> None:
    assert spelling_of(tuple[int, ...]).read(spelled(values)) == values
    pair = spelling_of(int | tuple[int, int])
    if len(values) == 2:
        assert pair.read(spelled(values)) == values
    else:
        with pytest.raises(ValueError, match="2 whole numbers"):
            pair.read(spelled(values))


@given(st.floats(allow_nan=False) | st.none() | st.sampled_from(["near", "far"]))
def test_a_text_is_read_as_the_first_type_that_takes_it(value: Any) -> None:
    spelling = spelling_of(str | float | Literal["near", "far"] | None)
    assert spelling.read("none" if value is None else str(value)) == value
    assert spelling.placeholder == "NAME|X|near|far|none"


def test_what_no_text_can_be_is_no_option() -> None:
    for kind in (Sampler | None, object, xw.Network, tuple[Sampler, ...], type(None)):
        assert spelling_of(kind) is None


def test_a_method_of_ones_own_has_options_without_a_word_more() -> None:
    @dataclass(frozen=True)
    class Brightness(MapMethod):
        name, unit = "brightness", "share of white"
        gain: float = parameter(1.0, "what it is multiplied with; 100 % is 1", least=0, most=2)
        squared: bool = parameter(False, "whether it is squared")

    assert parsed(Brightness, "--gain", "2", "--squared", "true") == Brightness(2.0, True)
    parser = Parser("explain", "", "")
    add_parameters(parser, Brightness)
    assert "multiplied with; 100 % is 1 (default: 1.0, 0 to 2)" in " ".join(
        parser.format_help().split()
    )


def test_a_wrong_value_raises_what_argparse_expects() -> None:
    parser = Parser("explain", "", "")
    add_parameters(parser, xw.Occlusion)
    [action] = [each for each in parser._actions if "--stride" in each.option_strings]
    with pytest.raises(ArgumentTypeError, match="at least 1"):
        action.type("0")  # type: ignore[operator,misc]
