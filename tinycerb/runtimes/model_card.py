"""What a converted file says about itself, typed: the card inside the `.tflite`, and `model.json` beside it.

Both are flat JSON objects, and the fields below are their keys, in the order in which they are written. Keys that this
version does not know are kept in `further` and written again: whoever puts a response on a file of somebody else must
not take away what it says. A newer `schema_version` is refused, because known keys may mean something else there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Self

from tinycerb.bounded.typed_json import from_json, to_json
from tinycerb.converters.metadata import SCHEMA_VERSION, MetadataError, check_metadata
from tinycerb.runtimes.engines import EngineName

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class HeadErrors:
    """Largest error of any head per layout that was measured, in steps of its int8 logits."""

    fully_connected: float
    convolution: float


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """What is known of a file before it is converted; None for what whoever made it did not say.

    Attributes:
        schema_version: of the card.
        victim: name of the model.
        defense: as a configuration names it.
        selection: how heads are drawn.
        channel_ratio: share of the channels that is removed, 0 to 1.
        backbone: the network.
        dataset: what it was trained on.
        class_names: one per class.
        image_shape: height, width, channels.
        image_range: least and largest real value of a pixel.
        quantization: how ranges were found, in words.
        response: what is done to every posterior, as `tinycerb.answers.responses` reads it.
        combined_by: name of the response that makes one answer of all heads; None where each answers alone.
        owner_key: digest of the owner key that a training part or response depends on, or "public".
        seed: of the run.
        tensorflow: version of the converter.
        head_errors_lsb: of the layouts that the converter has chosen from.
    """

    schema_version: int = SCHEMA_VERSION
    victim: str | None = None
    defense: str | None = None
    selection: str | None = None
    channel_ratio: float | None = None
    backbone: str | None = None
    dataset: str | None = None
    class_names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    image_range: tuple[float, ...] | None = None
    quantization: str | None = None
    response: str = "none"
    combined_by: str | None = None
    owner_key: str | None = None
    seed: int | None = None
    tensorflow: str | None = None
    head_errors_lsb: HeadErrors | None = None

    def to_json(self) -> dict[str, object]:
        """Returns the JSON object; what is not known is left out."""
        return to_json(self)


@dataclass(frozen=True, kw_only=True)
class ModelCard(ModelDescription):
    """What a `.tflite` says about itself, in its metadata buffer `tinycerb`.

    Attributes:
        heads: how many it has, those included that never answer alone.
        classes: of each.
        alphas: per head, what its logits are multiplied by so that all share one scale.
        head_layout: the layer that holds the heads.
        further: keys that this version does not know.
    """

    heads: int
    classes: int
    alphas: tuple[float, ...]
    head_layout: str | None = None
    further: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> Self:
        """Reads a card that may come from anywhere.

        Raises:
            MetadataError: a newer version, or a field is missing or wrong; the message names the field, its value and
                what is allowed.
        """
        check_metadata(content)
        known = {each.name for each in fields(cls)} - {"further"}
        further = {key: value for key, value in content.items() if key not in known}
        given = {key: value for key, value in content.items() if key in known}
        return from_json(cls, {**given, "further": further}, "", MetadataError)

    def to_json(self) -> dict[str, object]:
        """Returns the JSON object; what is not known is left out."""
        content = to_json(self)
        del content["further"]
        return {**content, **self.further}


@dataclass(frozen=True)
class TensorFacts:
    """An input or output: type, shape, and what an integer stands for, (integer - zero_point) * scale."""

    dtype: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True)
class OperatorFacts:
    """An operator and what it costs."""

    operator: str
    version: int
    output_shape: tuple[int, ...]
    multiply_accumulates: int
    weight_bytes: int
    activation_bytes: int


@dataclass(frozen=True)
class ArenaFacts:
    """The memory that TFLite Micro takes.

    Attributes:
        basis: `measured` or `estimated`.
        origin: how, in words.
        arena_bytes: all of it.
        nonpersistent_bytes: for activations.
        persistent_bytes: for the interpreter.
    """

    basis: str
    origin: str
    arena_bytes: int
    nonpersistent_bytes: int
    persistent_bytes: int


@dataclass(frozen=True)
class GoldenFacts:
    """How many images and answers the golden vectors have."""

    images: int
    answers: int


@dataclass(frozen=True)
class CalibrationManifest:
    """The images that post-training quantization has measured ranges on.

    Attributes:
        split: of the data set that they come from.
        indices: which of it.
        class_histogram: how many per class.
        in_distribution_images: how many these are.
        out_of_distribution_images: how many procedural ones came beside them.
        out_of_distribution_families: of which kinds.
        sha256: of all of them.
    """

    split: str
    indices: tuple[int, ...]
    class_histogram: tuple[int, ...]
    in_distribution_images: int
    out_of_distribution_images: int
    out_of_distribution_families: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class BundleCard(ModelCard):
    """`model.json`: the card, and what can be said with the file at hand.

    Attributes:
        sha256: of the file, 64 hexadecimal digits.
        file_bytes: its size.
        inputs: by name; there is an `image`.
        outputs: by name; there are `logits`.
        operators: in the order of execution.
        calibration: the images that ranges were measured on, or None.
        engines: the runtimes that answered the golden vectors.
        arena: the memory it takes.
        golden: the golden vectors beside it.
        exactness: which bytes its answers are, in a sentence; empty in files of before.
    """

    sha256: str
    file_bytes: int
    inputs: Mapping[str, TensorFacts]
    outputs: Mapping[str, TensorFacts]
    operators: tuple[OperatorFacts, ...]
    calibration: CalibrationManifest | None
    engines: tuple[EngineName, ...]
    arena: ArenaFacts
    golden: GoldenFacts | None = None
    exactness: str = ""

    def __post_init__(self) -> None:
        """Checks what a type does not say.

        Raises:
            MetadataError: no SHA-256, or an input or output is missing.
        """
        if not _SHA256.fullmatch(self.sha256):
            raise MetadataError(f"sha256 is {self.sha256!r:.80}; expected 64 hexadecimal digits")
        for kind, tensors, name in (("inputs", self.inputs, "image"), ("outputs", self.outputs, "logits")):
            if name not in tensors:
                raise MetadataError(f"{kind} has {', '.join(tensors) or 'nothing'}; expected {name!r} among them")
