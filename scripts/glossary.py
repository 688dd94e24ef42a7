"""Write what is made of the table of terms: the views' help and the glossary of the documentation.

``python -m scripts.glossary`` writes ``xwidgets/widgets/shared/terms.mjs`` and
``docs/glossary.md``; a test holds that they are current.
"""

import json
from pathlib import Path

from xwidgets.files import whole
from xwidgets.widgets.terms import TERMS

ROOT = Path(__file__).parents[1]
MODULE = ROOT / "xwidgets" / "widgets" / "shared" / "terms.mjs"
PAGE = ROOT / "docs" / "glossary.md"


def module() -> str:
    """The table as an ES module."""
    lines = [
        f"  [{json.dumps(name, ensure_ascii=False)}, {json.dumps(facts, ensure_ascii=False)}],"
        for name, term in TERMS.items()
        for facts in [
            {"words": term.words, "link": term.link, "labels": list(term.labels)}
            | ({"plain": term.plain} if term.plain else {})
        ]
    ]
    return "\n".join(
        [
            "// @ts-check",
            "// Terms of the views, in two sentences with a link; scripts/glossary.py wrote this.",
            "",
            "/** @typedef {{ words: string, link: string, labels: string[] }} Help */",
            "",
            "/** @type {Map<string, Help & { plain?: string }>} */",
            "export const TERMS = new Map([",
            *lines,
            "]);",
            "",
        ]
    )


def page() -> str:
    """The table as a page of the documentation."""
    parts = [
        "# Glossary",
        "",
        "The words that the views use. A “?” beside a label in a view says the same.",
        "",
    ]
    for name in sorted(TERMS, key=str.lower):
        term = TERMS[name]
        parts += [f"**{name}**", f": {term.words} [More](https://{term.link})", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    for path, text in ((MODULE, module()), (PAGE, page())):
        with whole(path) as part:
            part.write_text(text, "utf-8")
