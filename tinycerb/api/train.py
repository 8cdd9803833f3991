"""`tinycerb.train`."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import cast

from tinycerb.api.calls import Source, working
from tinycerb.api.inputs import FOLDER, Data, Model, Pool, data_source, model_source, pool_source
from tinycerb.api.settings import as_overrides
from tinycerb.bounded.typed_json import to_json
from tinycerb.config.user_sources import Sources
from tinycerb.defenses.recommendation import recommended_victim
from tinycerb.errors import UsageError
from tinycerb.run.directory import RunDirectory
from tinycerb.seal.files import read_json
from tinycerb.workflow.new_run import new_or_resumed_run
from tinycerb.workflow.work import TRAIN_KINDS, work


@dataclass(frozen=True)
class TrainedVictim:
    """A model of a run.

    Attributes:
        name: its name in tables and paths.
        defense: its training part.
        response: what is done to its posteriors before they are answers.
        accuracy: of the float model on the test images, the mean over its heads, 0 to 1.
        parameters: after pruning.
        heads: that learn the task.
    """

    name: str
    defense: str
    response: str
    accuracy: float
    parameters: int
    heads: int


@dataclass(frozen=True)
class Run:
    """A run whose victims are trained; it stands for its directory wherever a path is taken.

    Attributes:
        path: the run directory.
        name: what its configuration calls it.
        victims: its models, in order.
        recommended: name of the one to deploy.
    """

    path: Path
    name: str
    victims: tuple[TrainedVictim, ...]
    recommended: str

    def __fspath__(self) -> str:
        return fspath(self.path)

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {**to_json(self), "path": fspath(self.path)}


def train(
    preset: str | PathLike[str] | Mapping[str, object] | None = None,
    *,
    model: Model | None = None,
    data: Data | None = None,
    query_pool: Pool | None = None,
    defense: str = "",
    flash: str = "",
    ram: str = "",
    owner: Source = "",
    settings: Mapping[str, object] | None = None,
    out: Source | None = None,
    force: bool = False,
    resume: Source | None = None,
    allow_code: bool = False,
    jobs: int = 0,
    progress: bool = True,
) -> Run:
    """Trains the victims of a run, as `tinycerb train` does.

    Args:
        preset: a preset's name, the path of a .toml file, or a mapping like one (`extends` names what it goes on from,
            `custom` where it names nothing). It may be left out where a model or data are given.
        model: your network: a model of tf_keras, a file of one, or `package.module:build`.
        data: your images, uint8 [N, height, width, channels] with labels [N]: `((x_train, y_train), (x_test, y_test))`,
            `(images, labels)`, a mapping of arrays, a .npz file, a folder of images, or `package.module:load`. Arrays
            are kept in a folder `inputs` beside the run, which needs them again.
        query_pool: the attacker's images, likewise, or a pool's name.
        defense: in place of the preset's: `NAME[,k=v][+RESPONSE[,k=v]]`.
        flash: bytes of the int8 file to prune to, for example `48KB`.
        ram: bytes of the arena to prune to.
        owner: the file of your owner key, or `public`.
        settings: values of the configuration: `{"training.dense_epochs": 1}` or tables in tables.
        out: the new run directory; by default `runs/<time>-<name>-<hash>`.
        force: whether an older run there is deleted.
        resume: a run to go on with, in place of everything above.
        allow_code: whether a Keras file is opened though code in it will run; for this call alone.
        jobs: tasks side by side, 0 for one per core.
        progress: whether progress goes to standard error.

    Returns:
        The run.

    Raises:
        UsageError: a value is not among the allowed ones, or something is at `out` already.
        EnvironmentProblem: a package, data or disk space is missing.
        TinyCerbError: a task failed; finished work is kept, and `resume` goes on.
        Interrupted: Ctrl-C; likewise.
    """
    base, overrides = _as_layers(preset, settings or {})
    target = None if out is None else Path(out)
    folder = (Path("runs") if target is None else target.parent) / FOLDER
    with working(progress):
        sources = Sources(model_source(model, folder), data_source(data, folder), pool_source(query_pool, folder))
        directory = new_or_resumed_run(
            base,
            overrides,
            target,
            force,
            None if resume is None else Path(resume),
            sources,
            flash,
            ram,
            defense,
            allow_code,
            fspath(owner),
        )
        with directory.locked():
            work(directory, TRAIN_KINDS, jobs, not progress)
        return run_of(directory)


def run_of(directory: RunDirectory) -> Run:
    """Returns a run whose victims are trained.

    Raises:
        EnvironmentProblem: they are not, or a file is damaged.
    """
    victims = []
    for name, victim in directory.victims.items():
        found = read_json(victim.files.training)
        accuracies = cast(list[float], found["float_accuracy_per_head"])
        victims.append(
            TrainedVictim(
                name,
                victim.config.defense,
                victim.response_text,
                sum(accuracies) / len(accuracies),
                found["parameters"],
                victim.heads.learned,
            )
        )
    config = directory.config
    return Run(directory.path, config.name, tuple(victims), recommended_victim(config))


def _as_layers(
    preset: str | PathLike[str] | Mapping[str, object] | None, settings: Mapping[str, object]
) -> tuple[str | None, list[str]]:
    if preset is None or isinstance(preset, str | PathLike):
        return None if preset is None else fspath(preset), as_overrides(settings)
    if not isinstance(preset, Mapping):
        raise UsageError(f"the preset is {preset!r:.60}; allowed: a preset's name, a path or a mapping")
    base = preset.get("extends", "custom")
    if not isinstance(base, str | PathLike):
        raise UsageError(f"extends is {base!r:.60}; expected a preset's name or the path of a .toml file")
    table = {key: value for key, value in preset.items() if key != "extends"}
    return fspath(base), as_overrides(table) + as_overrides(settings)
