"""ES modules that import each other, as the one text that a view sends to the browser.

A module may import names of siblings, ``import { make } from "./shared/dom.mjs";``, so that Node's
tests and editors take the files as they are. Joined, each stands once, after what it imports, and
only the first keeps its default export. A style sheet beside a module, of the same name, goes with
it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

IMPORT = re.compile(r'^import \{\s*([^}]*?),?\s*\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let)\b)", re.MULTILINE)
DECLARED = re.compile(
    r"^(export )?(?:async )?(?:function\*?|class|const|let|var) (?:(\w+)|[\[{]([^=]*?)[\]}] =)",
    re.MULTILINE,
)
DEFAULT = re.compile(r"^export default ", re.MULTILINE)
OTHER = re.compile(r"^(?:import\b.*|export\b.*)", re.MULTILINE)


@dataclass(frozen=True)
class Joined:
    """A view's ES module with all that it imports, and their style sheets.

    Attributes:
        module: the text of the module.
        style: the text of the style sheets, in the order of the modules.
    """

    module: str
    style: str


@dataclass(frozen=True)
class Module:
    """A file, and what it says of others.

    Attributes:
        path: of the file.
        text: without imports and exports, but for a default export.
        imports: the names that it takes of each other file.
        names: what is declared at its top, and whether that is exported.
    """

    path: Path
    text: str
    imports: dict[Path, list[str]]
    names: dict[str, bool]

    @classmethod
    def read(cls, path: Path) -> Module:
        """The module in a file."""
        text = path.read_text("utf-8")
        imports = {
            (path.parent / place).resolve(): re.split(r",\s*", names)
            for names, place in IMPORT.findall(text)
        }
        names = {
            name: bool(exported)
            for exported, single, several in DECLARED.findall(text)
            for name in re.findall(r"\w+", single or several)
        }
        return cls(path, EXPORT.sub("", IMPORT.sub("", text)), imports, names)


def joined(path: Path) -> Joined:
    """A module and what it imports, each once, after what it imports itself.

    Raises:
        ValueError: in one sentence, when two modules use one name, import each other, or say
            something that cannot be joined.
    """
    modules: dict[Path, Module] = {}
    first = path.resolve()
    _visit(first, modules, ())
    owners: dict[str, Path] = {}
    for module in modules.values():
        for name in module.names:
            other = owners.setdefault(name, module.path)
            if other is not module.path:
                raise ValueError(
                    f"{other.name} and {module.path.name} both call something {name!r}, which "
                    f"cannot be joined for {path.name}; rename one of them"
                )
    texts = [_checked(module, last=module.path == first) for module in modules.values()]
    sheets = [sheet for one in modules if (sheet := one.with_suffix(".css")).exists()]
    return Joined("\n".join(texts), "\n".join(sheet.read_text("utf-8") for sheet in sheets))


def function_of(module: str) -> str:
    """A joined module as a function that returns its default export.

    Example:
        >>> print(function_of("const one = 1;\\nexport default { one };\\n"))
        () => {
        const one = 1;
        return { one };
        }
    """
    return f"() => {{\n{DEFAULT.sub('return ', module, count=1)}}}"


def _visit(path: Path, modules: dict[Path, Module], above: tuple[Path, ...]) -> None:
    """Put a module behind what it imports; ``above`` are those that led to it."""
    if path in modules:
        return
    if path in above:
        raise ValueError(f"{path.name} imports itself by way of {above[-1].name}; break the circle")
    if not path.exists():
        asking = above[-1].name if above else "a view"
        raise ValueError(f"{asking} asks for {path}, which is not there; check its name")
    module = Module.read(path)
    for other, names in module.imports.items():
        _visit(other, modules, (*above, path))
        for name in names:
            if not modules[other].names.get(name):
                raise ValueError(
                    f"{path.name} imports {name!r} of {other.name}, which exports no such name"
                )
    modules[path] = module


def _checked(module: Module, last: bool) -> str:
    """The text of a module, below its name, in which nothing is left that is of files."""
    for line in OTHER.findall(module.text):
        if not (last and line.startswith("export default")):
            raise ValueError(
                f"{module.path.name} has {line!r}, which cannot be joined; import names as in "
                'import { make } from "./dom.mjs"; and export what is declared'
            )
    return f"// {module.path.name}\n{module.text}"
