"""Model files as strangers: whatever a file asks for, opening it runs nothing and touches no other file."""

import io
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf

from tinycerb.cli.convert import convert
from tinycerb.compression.quantization import load_quantization_aware, open_quantization_aware, quantize_aware
from tinycerb.config.user_sources import Sources, allow_code
from tinycerb.conversion.from_keras_file import convert_keras_file
from tinycerb.conversion.options import ConversionOptions
from tinycerb.errors import EnvironmentProblem, TinyCerbError, UsageError
from tinycerb.events import ignore
from tinycerb.keras_models.keras_file import ForeignCodeError, KerasFileError, open_keras_file
from tinycerb.keras_models.keras_file.architecture import check_architecture
from tinycerb.keras_models.legacy import keras
from tinycerb.keras_models.multi_head import attach_heads
from tinycerb.training.artefacts import load_float_model
from tinycerb.training.model_source import load_user_model
from tinycerb.workflow.new_run import new_or_resumed_run

L = keras.layers
SHAPE = (8, 8, 1)


def save(model: Any, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path, **({} if path.suffix else {"save_format": "tf"}))
    return path


def backbone() -> keras.Model:
    image = L.Input(SHAPE)
    x = L.ReLU(name="relu")(L.BatchNormalization(name="norm")(L.Conv2D(4, 3, use_bias=False, name="first")(image)))
    return keras.Model(image, L.GlobalAveragePooling2D(name="pool")(x))


def quantized() -> keras.Model:
    model = quantize_aware(attach_heads(backbone(), 3, 2), keep_zeros=True)
    model(np.random.default_rng(0).random((4, *SHAPE)).astype(np.float32), training=True)
    return model


def with_layer(layer: Any) -> keras.Model:
    image = L.Input(SHAPE)
    return keras.Model(image, L.Dense(3)(layer(L.Flatten()(image))))


class Writer(L.Layer):
    """Writes a file whenever its graph runs."""

    def __init__(self, path: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.path = path

    def call(self, inputs):
        with tf.control_dependencies([tf.io.write_file(self.path, "ran")]):
            return tf.identity(inputs)

    def get_config(self):
        return {**super().get_config(), "path": self.path}


class WritesWhenLoaded(tf.saved_model.experimental.TrackableResource):
    """Writes a file as soon as TensorFlow loads the graph that holds it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def _create_resource(self):
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[], shared_name="trap", name="trap")

    def _initialize(self):
        tf.io.write_file(self.path, "ran")


@pytest.fixture
def trap(tmp_path, monkeypatch) -> Path:
    """The file that appears when something runs: in the current directory, which no file of a model can know."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here" / "RAN"


@pytest.fixture
def code(trap, tmp_path) -> Callable[[str], Path]:
    """A model whose Lambda layer carries Python code that writes the trap's file."""

    def make(ending: str) -> Path:
        layer = L.Lambda(lambda x: (__import__("pathlib").Path("RAN").write_text("ran"), x)[1], name="evil")
        path = save(with_layer(layer), tmp_path / f"evil{ending}")
        trap.unlink(missing_ok=True)
        return path

    return make


@pytest.mark.parametrize("ending", [".h5", ".keras", ""])
def test_code_in_a_file_runs_through_none_of_the_ways_in(code, trap, tmp_path, ending: str) -> None:
    path = code(ending)
    with pytest.raises(UsageError, match=r"holds code of its own \(layer 'evil', a Lambda\).*--allow-code"):
        convert_keras_file(path, tmp_path / "out", ConversionOptions(), ignore)
    # A run's own are files; a folder in their place is none.
    told = r"code of its own .layer 'evil'.*delete it to train anew" if ending else "is a directory"
    for load in (load_quantization_aware, load_float_model):
        with pytest.raises(TinyCerbError, match=told):
            load(path)
    if ending:
        with pytest.raises(UsageError, match=r"layer 'evil', a Lambda.*package.module:build"):
            load_user_model(str(path))
    assert not trap.exists()
    open_keras_file(path, allow_code=True)
    assert trap.exists()


def test_the_command_refuses_it(cli, code, trap, tmp_path) -> None:
    finished = cli("convert", code(".h5"), "--out", tmp_path / "out")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "code of its own (layer 'evil', a Lambda)" in finished.stderr
    # No banner of TensorFlow's before it.
    assert finished.stderr.count("\n") == 1
    assert not trap.exists()


def test_the_command_runs_it_where_the_user_says_so_and_says_it(code, trap, tmp_path, capsys) -> None:
    path = code(".h5")
    with pytest.raises(UsageError, match="it is not quantization-aware"):
        convert(path, tmp_path / "out", allow_code=True)
    assert f"warning: --allow-code: any code in {path} runs on this machine as you" in capsys.readouterr().err
    assert trap.exists()


def test_a_user_s_consent_holds_for_the_model_that_is_trained_on_and_for_no_file_of_a_run(
    code, trap, monkeypatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    path = code(".h5")
    allow_code()
    with pytest.raises(EnvironmentProblem, match="code of its own"):
        load_float_model(path)
    assert not trap.exists()
    load_user_model(str(path))
    assert trap.exists()


@pytest.mark.parametrize("source", ["", "package.module:build"])
def test_consent_without_a_file_is_a_mistake(tmp_path, source: str) -> None:
    with pytest.raises(UsageError, match="--allow-code is for a Keras file: --model FILE"):
        new_or_resumed_run("smoke", None, tmp_path, False, None, Sources(source), allow_code=True)
    with pytest.raises(UsageError, match=r"nothing of .*model.tflite is ever run"):
        convert(tmp_path / "model.tflite", allow_code=True)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> tuple[keras.Model, Path, Path]:
    """A model, the SavedModel that it became, and a file that the graph in it writes while it is loaded."""
    folder, model = tmp_path_factory.mktemp("saved"), quantized()
    model.extra = WritesWhenLoaded(str(folder / "RAN"))
    return model, save(model, folder / "model"), folder / "RAN"


def test_a_graph_that_writes_files_is_never_loaded(saved) -> None:
    """The network's layers are Keras' own, so it is opened; what else the folder holds stays where it is."""
    model, path, trap = saved
    trap.unlink(missing_ok=True)
    opened = open_quantization_aware(path)
    assert not trap.exists()
    assert_same(opened, model)
    tf.saved_model.load(path)
    assert trap.exists(), "the trap would have worked"


def test_a_quantization_aware_model_comes_back_as_it_was(tmp_path) -> None:
    model = quantized()
    assert_same(open_quantization_aware(save(model, tmp_path / "model.h5")), model)


def assert_same(opened: keras.Model, saved: keras.Model) -> None:
    assert [layer.name for layer in opened.layers] == [layer.name for layer in saved.layers]
    for before, after in zip(saved.get_weights(), opened.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_layer_that_only_its_graph_knows_is_refused(trap, tmp_path) -> None:
    path = save(with_layer(Writer(str(trap), name="writer")), tmp_path / "saved")
    trap.unlink(missing_ok=True)
    with pytest.raises(ForeignCodeError, match=r"something else than Keras' own layers \(layer 'writer', a Writer\)"):
        open_keras_file(path)
    assert not trap.exists()


def test_a_quantization_aware_archive_says_what_to_save_instead(tmp_path) -> None:
    path = save(quantized(), tmp_path / "model.keras")
    with pytest.raises(UsageError, match=r"cannot be loaded.*an .h5 file or a SavedModel: model.save\('model.h5'\)"):
        convert_keras_file(path, tmp_path / "out", ConversionOptions(), ignore)


def of(name: str, **more: Any) -> dict[str, Any]:
    return {"class_name": name, "config": {"name": "culprit", **more.pop("config", {})}, **more}


DENSE = of("Dense", config={"kernel_initializer": of("GlorotUniform"), "activation": "relu", "bias_constraint": None})


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (of("Lambda"), "code of its own .layer 'culprit', a Lambda"),
        (of("TimeDistributed", config={"layer": of("Lambda")}), "code of its own"),
        (of("Sequential", config={"layers": [DENSE, of("Bidirectional", config={"layer": of("Lambda")})]}), "a Lambda"),
        (of("Dense", config={"activation": of("__lambda__")}), "a __lambda__"),
        (of("Dense", config={"activation": of("function", module="os", config={"x": "system"})}), "a function"),
        (of("Dense", config={"activation": "deserialize"}), "activation 'deserialize', which is none of Keras' own"),
        (of("LSTM", config={"recurrent_activation": "get"}), "recurrent_activation 'get'"),
        (of("Dense", config={"kernel_initializer": "tf"}), "kernel_initializer 'tf'"),
        (of("Dense", config={"kernel_regularizer": of("get")}), "a get"),
        (of("Dense", config={"bias_constraint": of("load_model")}), "a load_model"),
        (of("Dense", module="os"), "a Dense of the module 'os', which is not Keras' own .layer 'culprit'"),
        (of("Dense", module="keras.layers.experimental"), "the module 'keras.layers.experimental'"),
        (of("Dense", module=["os"]), "the module"),
        (of("Dense", registered_name="Custom>Adam"), "a Dense that is registered as 'Custom>Adam'"),
        (of("TensorFlowOpLayer", config={"node_def": "WriteFile"}), "a TensorFlowOpLayer"),
        (of("TFOpLambda", config={"function": "io.write_file"}), "a call of TensorFlow's io.write_file"),
        (of("SlicingOpLambda", config={"function": "py_function"}), "a call of TensorFlow's py_function"),
        (of("TFOpLambda", config={"function": ["io.write_file"]}), "a call of TensorFlow's"),
        (of("ClassMethod", config={"cls_symbol": "io.gfile"}), "a ClassMethod"),
        (of("StringLookup", config={"vocabulary": "/etc/passwd"}), "a StringLookup"),
        (of("ResidualWrapper", config={"residual_fn": "4wE="}), "a ResidualWrapper"),
        (of("DenseFeatures"), "a DenseFeatures"),
        (of("Adam"), "an Adam"),
        ({"class_name": "TypeSpec", "type_spec": "x", "serialized": []}, "a TypeSpec"),
        ({"class_name": "__typespec__", "spec_name": "x", "module": "os", "registered_name": None}, "a __typespec__"),
        ({"class_name": ["Lambda"], "config": {}}, "something else than Keras' own layers"),
        ({"class_name": {"Lambda": 1}}, "something else than Keras' own layers"),
    ],
)
def test_what_a_description_may_not_name(layer: dict[str, Any], message: str) -> None:
    for place in (layer, [[DENSE, {"deep": [0, layer]}]], {"inbound_nodes": [[["x", 0, 0, {"y": layer}]]]}):
        with pytest.raises(ForeignCodeError, match=message):
            check_architecture(of("Functional", config={"layers": place}))


def test_what_a_description_may_name() -> None:
    image = L.Input(SHAPE)
    x = L.Conv2D(4, 3, kernel_initializer="he_normal", kernel_regularizer="l2", bias_constraint="non_neg")(image)
    x = keras.Sequential(
        [L.Input((6, 6, 4)), L.ReLU(dtype="mixed_float16"), L.TimeDistributed(L.Dense(3, activation="tanh"))]
    )(x)
    x = L.Activation("linear", dtype="float32")(tf.nn.relu(x[:, 1:] + 1.0) * x[:, :-1])
    x = L.Bidirectional(L.GRU(3))(L.Reshape((15, 6))(x))
    check_architecture(json.loads(keras.Model(image, x).to_json()))


def test_nesting_without_end_is_named_and_not_followed(tmp_path) -> None:
    path = save(backbone(), tmp_path / "deep.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = '{"class_name":"Sequential","config":' + "[" * 20_000 + "]" * 20_000 + "}"
    with pytest.raises(KerasFileError, match="nested too deep"):
        open_keras_file(path)


def links(file: h5py.File, other: Path) -> None:
    file["model_weights/linked"] = h5py.ExternalLink(str(other), "/model_weights")


def outside(file: h5py.File, other: Path) -> None:
    file.require_group("model_weights").create_dataset("outside", (10,), "u1", external=[(str(other), 0, 10)])


def virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(str(other), "values", (3,))
    file.require_group("model_weights").create_virtual_dataset("virtual", layout)


@pytest.mark.parametrize("part", [links, outside, virtual])
def test_a_file_does_not_take_other_files_in(tmp_path, part: Callable) -> None:
    path, other = save(backbone(), tmp_path / "model.h5"), save(backbone(), tmp_path / "other.h5")
    with h5py.File(path, "r+") as file:
        part(file, other)
    with pytest.raises(ForeignCodeError, match=r"more than a network and its weights \('model_weights/"):
        open_keras_file(path)


def test_an_archive_unpacks_nothing(tmp_path) -> None:
    import zipfile

    path = save(backbone(), tmp_path / "model.keras")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("../../escaped", "x")
    with pytest.raises(ForeignCodeError, match=r"more than a network and its weights \('../../escaped'\)"):
        open_keras_file(path)


def test_a_graph_without_layers_is_no_network(tmp_path) -> None:
    tf.saved_model.save(tf.Module(), tmp_path / "graph")
    with pytest.raises(KerasFileError, match=r"a graph, no network of layers; save it from Keras 2: model.save"):
        open_keras_file(tmp_path / "graph")


def as_from_windows(path: Path, out: Path) -> Path:
    """The same archive with the weights' groups called as Keras 2 calls them on Windows."""
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name.endswith(".h5"):
                held = io.BytesIO(content)
                with h5py.File(held, "r+") as weights:
                    layers: Any = weights["layers"]
                    for layer in list(layers):
                        weights.move(f"layers/{layer}", f"layers\\{layer}")
                    del weights["layers"]
                content = held.getvalue()
            after.writestr(name, content)
    return out


def test_an_archive_from_windows_keeps_its_weights(tmp_path, monkeypatch) -> None:
    image = L.Input(SHAPE)
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, use_bias=False)(image)))
    model = keras.Model(image, L.Dense(3)(L.GlobalAveragePooling2D()(x)))
    model.set_weights([np.full_like(weight, index + 1) for index, weight in enumerate(model.get_weights())])
    path = as_from_windows(save(model, tmp_path / "linux.keras"), tmp_path / "windows.keras")
    for opened in (load_user_model(str(path))[0], open_keras_file(path), open_keras_file(path, allow_code=True)):
        weights = opened.get_weights()
        assert len(weights) == 7
        assert all((weight == index + 1).all() for index, weight in enumerate(weights))


def test_of_an_archive_that_cannot_be_built_the_user_s_own_path_is_named(tmp_path) -> None:
    path = as_from_windows(save(backbone(), tmp_path / "linux.keras"), tmp_path / "windows.keras")
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members["config.json"] = members["config.json"].replace(b'"filters": 4', b'"filters": 5')
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    with pytest.raises(
        UsageError, match=rf"^{path} cannot be loaded: .*save it again, model.save\('model.h5'\)"
    ) as told:
        load_user_model(str(path))
    assert str(told.value).count(tempfile.gettempdir()) == str(path).count(tempfile.gettempdir())
