"""Survey: one method over a whole data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from xwidgets.errors import a_flag, listed, of_kind, one_of, warn
from xwidgets.explain import MapMethod
from xwidgets.explain.data_set import DataSet, fingerprint
from xwidgets.explain.method import several
from xwidgets.extras import needed
from xwidgets.networks import Channel, Network, Subject
from xwidgets.networks._network import a_network
from xwidgets.networks.target import Resolved, Target
from xwidgets.results.result import versions

from .digest import digest, steady
from .folder import EXTRA, Facts, Survey
from .measures import Measure, chosen_measures, measured
from .plan import Plan, one_thread
from .stopping import StoppingRule, in_order
from .workers import batches, check_workers
from .writer import Writer, behind, writing

DTYPES = ("float32", "float16")
"""Types that maps are kept in."""


def survey(
    net: Network,
    images: object,
    method: MapMethod,
    folder: str | Path,
    targets: Sequence[Target] | None = None,
    measures: Sequence[str | Measure] = (),
    *,
    layers: Sequence[str | int] = (),
    until: Mapping[str, float] | None = None,
    again: bool = False,
    workers: Any = None,
    dtype: Literal["float32", "float16"] = "float32",
    progress: bool = True,
) -> Survey:
    """Explain every picture of a data set, into a folder.

    What is computed is written batch by batch. Whatever ends it, the same call goes on where it
    was. Numbers are the same to the last bit, whatever the number of workers and in whichever order
    batches are done. :func:`xwidgets.open_survey` reads the folder meanwhile.

    Args:
        net: the classifier, whose weights of now are used to the end.
        images: all that :class:`xwidgets.images.Collection` takes. Those of another size than the
            network's are brought to it by :meth:`xwidgets.Network.prepare`.
        method: that maps each picture, such as ``xw.Saliency()``.
        folder: new, empty, or of the same survey, which then goes on.
        targets: of each picture; ``None`` for the class with the highest score.
        measures: of each map, which become columns of the table: ``"half_area"``, ``"sharpness"``
            and ``"same_sign"`` as of :mod:`xwidgets.evaluate`; of drawn scenes ``"part_shares"``
            and ``"part_means"`` by part, and ``"subject_concentration"``; or functions of a map
            ``(H, W)`` and a picture's :class:`xwidgets.images.collection.Item` that return a
            number, or numbers by name. On resuming they count by their names.
        layers: by name, or convolutions by number, of which the largest and the mean activation of
            each channel are kept for every picture; see :meth:`xwidgets.Survey.neurons`.
        until: by measure, such as ``{"half_area": 0.01}``, the largest standard error of its mean
            over the pictures, of the first target, with which the survey ends, at 64 pictures with
            the measure at the earliest. Pictures are then taken in a random order, the same for all
            surveys of as many, so that those that are done are a random sample. The same call with
            a smaller number goes on, and without ``until`` to the last picture.
        again: whether batches are computed again in which a picture has no map, as where a file
            server was away, or a map no measures.
        workers: ``None`` for one core of this process, a number of processes, or a
            ``dask.distributed.Client``.
        dtype: of the maps that are kept, ``"float32"``, or ``"float16"`` up to 65,504.
        progress: whether to show a progress bar.

    Returns:
        The survey. Pictures that cannot be read or explained have no map, and a row that says why.

    Raises:
        ValueError: when no picture can be read, for a folder that holds another survey or other
            files, a network that has changed since, or another argument.
        OSError: for a folder that cannot be written to, as on a full disk, or a worker that was
            killed; what is done is kept.

    Example:
        >>> import xwidgets as xw
        >>> scenes = [xw.scenes.bird(seed) for seed in range(6)]
        >>> done = survey(xw.network("birds"), scenes, xw.Saliency(), "birds", progress=False)
        >>> done
        <Survey of 6 pictures: saliency (birds), complete>
        >>> done.table()[["number", "predicted_label", "correct"]].head(2)
           number                 predicted_label  correct
        ...
    """
    of_kind("method", method, MapMethod, "a method that maps pictures, such as xw.Saliency()")
    of_kind("folder", folder, str | Path, "the path of a folder")
    one_of("dtype", dtype, DTYPES)
    a_flag("again", again)
    a_flag("progress", progress)
    check_workers(workers)
    for package in ("zarr", "pyarrow"):
        needed(package, EXTRA)
    known, rule = chosen_measures(measures), StoppingRule(until)
    folder = Path(folder)
    plan = _plan(
        a_network(net).frozen(), images, method, targets, known, layers, dtype, folder,
        in_random_order=until is not None,
    )  # fmt: skip
    rule.check(plan.facts.measures)
    with writing(folder, plan.facts, again) as writer:
        done = Survey(folder)
        for batch in sorted(done.done.difference(writer.missing)) if until else ():
            rule.add(done.rows(batch))
        _compute(plan, writer, rule, workers, progress)
        if rule.reached:
            writer.end(rule.errors)
    if larger := [] if rule.reached else rule.larger:
        errors = ", ".join(f"of {name} {rule.errors[name]:.2g}" for name in larger)
        warn(f"all {len(done)} pictures are done, and standard errors are still: {errors}")
    table = done.table()
    for column, what in (("error", "map"), ("measure_error", "measures")):
        if without := table["number"][table[column].notna()].nunique():
            taken = table["number"].nunique()
            warn(f"{without} of {taken} pictures have no {what}; their rows say why")
    return done


def _compute(plan: Plan, writer: Writer, rule: StoppingRule, workers: Any, progress: bool) -> None:
    """Compute and write what is missing, as far as a rule asks for it."""
    facts = plan.facts
    missing = writer.missing
    if rule.reached:
        return
    left = sum(len(facts.numbers(batch)) for batch in missing)
    bar = tqdm(
        total=facts.count, initial=facts.count - left, desc="surveying", unit="picture",
        disable=not progress,
    )  # fmt: skip
    with bar, closing(batches(plan, missing, workers)) as computed, behind(writer.write) as write:
        for batch in computed if facts.seed is None else in_order(computed, missing):
            write(batch)
            rule.add(batch.rows)
            bar.update(len(batch.maps))
            if rule.reached:
                break


def _plan(
    net: Network,
    images: object,
    method: MapMethod,
    targets: Sequence[Target] | None,
    measures: Mapping[str, Measure],
    layers: Sequence[str | int],
    dtype: str,
    folder: Path,
    in_random_order: bool,
) -> Plan:
    """Plan of a survey; what its maps are tells its folder, or else the first picture."""
    data = DataSet(net, images, method.pictures_at_once)
    asked = [None] if targets is None else [*several(targets)]
    with one_thread():
        subject = Subject(net, data.first().image)
        chosen = [subject.target(target) for target in asked]
        for target in asked:
            if isinstance(target, Channel) and target.index is None:
                raise ValueError(
                    "a channel without an index is another one in every picture; give its index"
                )
        for target in chosen:
            method.admit(subject, target)
        resolved = method.resolved(subject)
        kept: list[Resolved | None] = [
            None if target is None else known for target, known in zip(asked, chosen, strict=True)
        ]
        known_facts: dict[str, Any] = {
            "network_name": net.name,
            "network": fingerprint(net),
            "pictures": data.fingerprint(),
            "count": len(data),
            "layers": _channels(net, layers),
            "targets": tuple("" if target is None else target.label(net) for target in kept),
            "explained": digest([resolved, kept, [*measures]]),
            "size": (int(net.size[0]), int(net.size[1])),
            "dtype": dtype,
            "batch_size": data.batch_size,
            "versions": versions(),
        }
        before = Survey(folder).facts if (folder / "survey.json").exists() else None
        if before is not None and before.seed is None and in_random_order:
            raise ValueError(
                f"the survey in {str(folder)!r} takes its pictures by number, so that those that "
                "are done are no random sample; leave out until, or give another folder"
            )
        if before is not None and before.explained == known_facts["explained"]:
            facts = replace(before, **known_facts)
        else:
            first = _first_facts(net, data, method, asked, measures)
            facts = Facts(**known_facts, **first, seed=SEED if in_random_order else None)
        net.examples = None  # a sampler is fitted by now, and not all functions can be sent
    return Plan(facts, net, data, resolved, tuple(kept), measures)


def _first_facts(
    net: Network,
    data: DataSet,
    method: MapMethod,
    targets: Sequence[Target],
    measures: Mapping[str, Measure],
) -> dict[str, Any]:
    """Facts of the maps of the first picture that can be explained.

    Raises:
        ValueError: where none of the first can be.
    """
    error, numbers = None, range(min(len(data), TRIED))
    for item in (item for item in map(data.item, numbers) if item.image is not None):
        try:
            results = method.complete(Subject(net, item.image), targets)
        except ValueError as fault:
            error = error or fault
            continue
        return {
            "method": results[0].method,
            "parameters": tuple(_steady(result.parameters) for result in results),
            "units": tuple(result.unit for result in results),
            "signed": any(result.signed for result in results),
            "measures": tuple(measured(measures, results[0].values, item)),
        }
    raise ValueError(
        f"none of the first {len(numbers)} pictures can be explained; of the first: {error}"
    ) from error


def _channels(net: Network, layers: Sequence[str | int]) -> dict[str, int]:
    """Number of channels of layers, by name."""
    needed = "a list of layers, by name, or convolutions by number"
    chosen = [net.layer(layer) for layer in listed("layers", layers, object, needed)]
    for layer in chosen:
        if layer.rows != 1:
            raise ValueError(
                f"layer {layer.name!r} has {layer.rows} rows for each picture; choose one before "
                "the network makes a batch of its own, or behind it"
            )
    return {layer.name: layer.channels for layer in chosen}


SEED = 0
"""Seed of random orders."""

TRIED = 32
"""Pictures that are tried until one can be explained."""


def _steady(value: Any) -> Any:
    """Parameters that are the same in every process, as JSON holds them."""
    if isinstance(value, Mapping):
        return {str(name): _steady(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_steady(item) for item in value]
    return steady(value) if isinstance(value, str) else value
