#!/usr/bin/env bash
# traitlets 5.16.1: a validator of an `Any` trait is never asked about None, and
# `Any(allow_none=False)` changes nothing: None is stored, unseen. The base class
# `TraitType`, which takes any value as well, does ask its validator.
#
# A good guess: @validate is asked about every value that is set, and allow_none=False refuses None.
#
# Seen:
#   5.16.1
#   Any()                  stored None, validator asked about []
#   Any(allow_none=False)  stored None, validator asked about []
#   TraitType()            stored 'checked', validator asked about [None]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check traitlets==5.16.1
"$folder/venv/bin/python" - <<'PYTHON'
import traitlets


def stored(trait):
    asked = []

    class Holder(traitlets.HasTraits):
        value = trait

        @traitlets.validate("value")
        def check(self, proposal):
            asked.append(proposal.value)
            return "checked"

    holder = Holder()
    holder.value = None
    return holder.value, asked


print(traitlets.__version__)
expected = {
    "Any()": (None, []),
    "Any(allow_none=False)": (None, []),
    "TraitType()": ("checked", [None]),
}
for name, outcome in expected.items():
    value, asked = stored(eval(f"traitlets.{name}"))
    print(f"{name:22s} stored {value!r}, validator asked about {asked}")
    assert (value, asked) == outcome, "this has changed"
PYTHON
