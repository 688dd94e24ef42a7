"""The directive of Sphinx: code that runs as in a notebook, what it shows, and its errors."""

import builtins
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import directives
from docutils.utils import SystemMessage
from sphinx.errors import ExtensionError

from xwidgets import sphinx

METHOD = """
from dataclasses import dataclass

import xwidgets as xw
from xwidgets.explain import MapMethod
from xwidgets.explain._parameter import parameter

@dataclass(frozen=True)
class Brightness(MapMethod):
    '''How bright is each pixel?'''

    power: float = parameter(2.0, "exponent", least=1, most=4)
    name, unit = "brightness", "grey"

    def explain(self, subject, target):
        return self.relevance(subject, target, subject.pixels.mean(0) ** self.power)

scene = xw.scenes.bird(seed=3)
found = Brightness(power=3).run(xw.network("birds"), scene.image)
assert abs(found.values - scene.image.mean(0).numpy() ** 3).max() < 1e-6
"""


@pytest.fixture
def read(monkeypatch):
    """A function that reads a document with one directive in it for each code that it is given."""
    monkeypatch.setitem(directives._directives, "live-view", sphinx.LiveView)
    env = SimpleNamespace(temp_data={}, docname="index", note_reread=lambda: None)

    def read(*codes):
        blocks = ["\n   ".join([".. live-view::", "", *code.splitlines()]) for code in codes]
        return publish_doctree(
            "\n\n".join(blocks),
            source_path="index.rst",
            settings_overrides={"env": env, "halt_level": 3, "warning_stream": False},
        )

    return read


def shown(document):
    return [node.astext() for node in document.findall(nodes.raw)]


def of_html(html):
    return f"class Shown:\n    def _repr_html_(self):\n        return {html!r}\n\nShown()"


def test_code_is_shown_with_what_its_last_line_is(read):
    document = read("word = 'bird'", of_html("<b>bird</b>"), "word")
    assert shown(document) == ["<b>bird</b>"]
    assert [node.astext() for node in document.findall(nodes.literal_block)][::2] == [
        "word = 'bird'",
        "word",
    ]


def test_a_method_can_be_defined(read):
    read(METHOD)


def test_annotations_are_values_as_in_a_notebook(read):
    code = "def area(side: float) -> float: ..."
    for statement in (code, f"exec({code!r}, globals())"):
        read(statement, "assert area.__annotations__['side'] is float")


@pytest.mark.parametrize("code", ["None", "word = 1", "# a remark alone", of_html(None), "3"])
def test_what_has_no_html_is_code_alone(read, code):
    document = read(code)
    assert not shown(document)
    assert len([*document.findall(nodes.literal_block)]) == 1


def test_a_directive_without_code_says_so(read):
    with pytest.raises(SystemMessage, match='Content block expected for the "live-view" directive'):
        read("")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("1 / 0", "ZeroDivisionError"), ("word =", "SyntaxError"), ("no", "NameError")],
)
def test_code_that_fails_is_told_with_its_place(read, code, kind):
    with pytest.raises(ExtensionError, match=r"index\.rst:1: the code of a view cannot") as caught:
        read(code)
    assert isinstance(caught.value.__cause__, getattr(builtins, kind))
