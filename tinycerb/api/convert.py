"""`tinycerb.convert`."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import fspath
from pathlib import Path

from tinycerb import file_names
from tinycerb.api.calls import Source, working
from tinycerb.api.inputs import Data, KerasModel, data_source, model_source
from tinycerb.api.open import Model
from tinycerb.config.user_sources import is_keras_model
from tinycerb.conversion.options import ConversionOptions
from tinycerb.converters.contract import DEFAULT_TARGETS
from tinycerb.runtimes.model_artifact import open_artifact
from tinycerb.runtimes.model_card import BundleCard
from tinycerb.runtimes.model_json import read_model_json
from tinycerb.subprocess_call import call_in_subprocess
from tinycerb.workflow.convert import convert_source


@dataclass(frozen=True, repr=False)
class ConvertedModel(Model):
    """A model that was converted; `model.json`, golden vectors and `resolver.h` lie beside its file.

    Attributes:
        bundle: what `model.json` says: size, operators, arena, which runtimes have answered the golden vectors.
    """

    bundle: BundleCard

    @property
    def name(self) -> str:
        """The victim's name, or that of the file it was made from."""
        return self.card.victim or self.path.parent.name

    @property
    def flash_bytes(self) -> int:
        """Bytes of the file."""
        return self.bundle.file_bytes

    @property
    def arena_bytes(self) -> int:
        """Bytes of TFLite Micro's arena; `bundle.arena.basis` says whether measured or estimated."""
        return self.bundle.arena.arena_bytes

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {"path": fspath(self.path), "card": self.bundle.to_json()}


@dataclass(frozen=True)
class Conversion:
    """What a conversion has made; it stands for the run or the directory wherever a path is taken.

    Attributes:
        path: the run, or the new directory.
        models: the converted models.
    """

    path: Path
    models: tuple[ConvertedModel, ...]

    def __getitem__(self, name: str) -> ConvertedModel:
        """Returns a model by its name."""
        found = {model.name: model for model in self.models}
        return found[name]

    def __fspath__(self) -> str:
        return fspath(self.path)

    def to_json(self) -> dict[str, object]:
        """Returns what JSON can say of it."""
        return {"path": fspath(self.path), "models": [model.to_json() for model in self.models]}


def convert(
    source: Source | KerasModel,
    out: Source | None = None,
    *,
    response: str | None = None,
    op: str = "builtin",
    max_accuracy_drop: float | None = None,
    targets: Sequence[str] = DEFAULT_TARGETS,
    class_names: Sequence[str] = (),
    data: Data | None = None,
    force: bool = False,
    allow_code: bool = False,
    jobs: int = 0,
    progress: bool = True,
) -> Conversion:
    """Converts models to int8 .tflite files with head selection, as `tinycerb convert` does.

    Args:
        source: a run, a quantization-aware model of tf_keras or a file of one, or an int8 .tflite file.
        out: the new directory, for a model or a file; by default `converted/NAME`.
        response: what is done to every answer, for example `rounding,bits=3`; None leaves what the file says.
        op: `builtin`; `custom` or `custom-draw` also write `model.custom.tflite`.
        max_accuracy_drop: points of accuracy that any head may lose; None for any.
        targets: runtimes that must be able to run the file.
        class_names: for a model or a file.
        data: your images, for a model or a file; as for `train`.
        force: whether an older conversion at `out` is replaced.
        allow_code: whether a Keras file is opened though code in it will run.
        jobs: tasks side by side, 0 for one per core.
        progress: whether progress goes to standard error.

    Returns:
        The converted models: all victims of a run, else one.

    Raises:
        UsageError: options that do not fit each other or the source, or no such model.
        EnvironmentProblem: the source is missing or damaged, or something cannot be written.
        GateError: a head loses more accuracy than it may, or a runtime cannot run the file.
    """
    with tempfile.TemporaryDirectory(prefix="tinycerb-") as folder, working(progress):
        # A path stays the caller's own; a model or arrays in memory are files for as long as they are read.
        given = model_source(source, Path(folder)) if isinstance(source, KerasModel) else fspath(source)
        if isinstance(source, KerasModel) and out is None:
            # As Keras calls it: its file's name is nothing that anybody has chosen.
            out = Path("converted") / str(getattr(source, "name", "model"))
        options = ConversionOptions(
            operator=op,
            response=response,
            max_accuracy_drop=max_accuracy_drop,
            targets=tuple(targets),
            class_names=tuple(class_names),
            data=data_source(data, Path(folder)),
            force=force,
            allow_code=allow_code,
        )
        options.check()
        target = None if out is None else Path(out)
        if is_keras_model(Path(given)) or max_accuracy_drop is not None:
            # It loads TensorFlow.
            order = {"source": given, "out": None if target is None else fspath(target), "options": asdict(options)}
            made = call_in_subprocess(
                "tinycerb.workflow.convert_child", text=json.dumps({**order, "jobs": jobs, "quiet": not progress})
            )
        else:
            made = map(fspath, convert_source(Path(given), target, options, jobs, not progress))
        models = tuple(map(_converted, map(Path, made)))
    is_run = (Path(given) / file_names.CONFIG).is_file()
    return Conversion(Path(given) if is_run else models[0].path.parent, models)


def _converted(path: Path) -> ConvertedModel:
    return ConvertedModel(path, open_artifact(path).card, read_model_json(path.with_name(file_names.MODEL_JSON)))
