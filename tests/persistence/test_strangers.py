"""Files that `save` has not written: each is refused, before anything of it is used."""

import copy
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skdigits import ImageReshaper, PictureCleaner, load, save
from skdigits.datasets import load_digits
from skdigits.persistence.schema import KERAS_OPTIMIZERS, SETTINGS

FILES = Path(__file__).parent / "files"
KINDS = "DigitClassifier", "DigitSequenceRecognizer", "ImageReshaper", "PictureCleaner", "Pipeline"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The document and the other entries of a file of every kind."""
    folder = tmp_path_factory.mktemp("files")
    classifier = load(FILES / "classifier-format-4.skdigits")
    reshaper = ImageReshaper().fit(load_digits().data)
    steps = [("rows", ImageReshaper("flat").fit(load_digits().data)), ("cnn", classifier)]
    estimators = (
        classifier,
        load(FILES / "recognizer-format-4.skdigits"),
        reshaper,
        PictureCleaner(),
        Pipeline(steps),
    )
    return {
        kind: entries_of(save(estimator, folder / kind))
        for kind, estimator in zip(KINDS, estimators, strict=True)
    }


def entries_of(path):
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(entries.pop("estimator.json")), entries


def loaded(path, document, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**entries, "estimator.json": json.dumps(document)}.items():
            archive.writestr(name, content)
    return load(path)


def assert_refused(path, document, entries, match=""):
    with pytest.raises(ValueError, match=f"cannot be read as a file .*{match}") as caught:
        loaded(path, document, entries)
    assert str(caught.value).startswith(f"{path} ")
    return str(caught.value)


def with_state(document, name, value):
    return {**document, "state": {**document["state"], name: value}}


CLEANER = {"output": "digit", "height": 28}
NEVER = {  # of no parameter
    "path": "/home/someone/folder",
    "name": "evil",
    "list": ["list", [["list", [1]], "x"]],
    "dict": ["dict", [["a", ["list", [1]]]]],
    "negative": -1.5,
    "NaN": float("nan"),
    "infinite": float("inf"),
    "estimator": ["estimator", "PictureCleaner", CLEANER],
    "pipeline": ["estimator", "Pipeline", {"steps": ["list", []], "verbose": False}],
    "record": ["record", "FitCall", {"first": 0, "early_stopping": False}],
    "function": ["function", "print"],
    "object": {"a": 1},
    "strings": ["strings", ["a"]],
    "array": ["array", 0, "|O", [1]],
    "class": ["type", "int"],
}
PERHAPS = {"huge": 10**40, "true": True, "none": None, "empty": ["list", []], "one": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_refused_or_one_that_its_class_accepts(kind, files, tmp_path):
    document, entries = files[kind]
    estimator = loaded(tmp_path / "file", document, entries)
    names = estimator.get_params(deep=False).keys()
    assert names - document["state"].keys() <= {
        "checkpoint",
        "verbose",
        "memory",
        "transform_input",
    }
    for name in names:
        for value in NEVER.values():  # before any array is read: this file has none
            message = assert_refused(tmp_path / "file", with_state(document, name, value), {})
            assert "it has no entry" not in message
        for key, value in PERHAPS.items():
            altered = with_state(document, name, value)
            try:
                found = loaded(tmp_path / "file", altered, entries).get_params(deep=False)[name]
            except ValueError as error:
                assert "cannot be read as a file" in str(error)
                continue
            assert found == ([] if key == "empty" else value)
            assert type(found) in (int, bool, list, type(None))
            checked = clone(estimator).set_params(**{name: found})
            getattr(checked, "_check_parameters", checked._validate_params)()


@pytest.mark.parametrize("name", ["checkpoint", "memory", "transform_input", "n_jobs", "fit"])
@pytest.mark.parametrize("value", [None, False, "folder"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_save_does_not_write_is_refused(kind, name, value, files, tmp_path):
    """Even a value without effect: no reader has to think about which values have none."""
    document, entries = files[kind]
    document = with_state(document, name, value)
    assert_refused(
        tmp_path / "file",
        document,
        entries,
        "unknown attribute|exactly the entries 'steps' and 'verbose'",
    )


@pytest.mark.parametrize("value", ["0123456789.", "012345678", "0123456788", ".123456789", 1])
def test_other_characters_are_refused(value, files, tmp_path):
    document, entries = files["DigitSequenceRecognizer"]
    document = with_state(document, "characters_", value)
    assert_refused(tmp_path / "file", document, entries, "characters_")


def test_a_file_without_characters_reads_digits(files, tmp_path):
    document, entries = files["DigitSequenceRecognizer"]
    state = {name: v for name, v in document["state"].items() if name != "characters_"}
    older = document | {"state": state}
    assert loaded(tmp_path / "file", older, entries).characters_ == "0123456789"


@pytest.mark.parametrize("kind", ["DigitClassifier", "DigitSequenceRecognizer"])
def test_verbosity_is_not_saved(kind, files, tmp_path):
    document, entries = files[kind]
    assert_refused(
        tmp_path / "file", with_state(document, "verbose", 1), entries, "unknown attribute"
    )
    older = with_state(document, "verbose", 1) | {"format": 5}  # which had it
    assert loaded(tmp_path / "file", older, entries).verbose == 0


def test_attributes_of_another_class_are_refused(files, tmp_path):
    everything = {k: v for document, _ in files.values() for k, v in document["state"].items()}
    entries = files["DigitClassifier"][1]
    for kind in KINDS:
        own = files[kind][0]
        for name in everything.keys() - own["state"].keys():
            altered = with_state(own, name, everything[name])
            assert_refused(tmp_path / "file", altered, entries)


def records(value):
    """All records in a state, as the dicts of their fields."""
    if isinstance(value, list):
        if value[:1] == ["record"]:
            yield value[2]
        for item in value:
            yield from records(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from records(item)


@pytest.mark.parametrize("kind", ["DigitClassifier", "DigitSequenceRecognizer"])
def test_every_field_of_a_record_is_checked(kind, files, tmp_path):
    document, entries = files[kind]
    for i, fields in enumerate(records(document["state"])):
        for name in [*fields, "another"]:
            for key, value in NEVER.items():
                if key in ("name", "infinite", "pipeline", "function", "strings", "class"):
                    continue  # as others
                if (name, key) in {("low", "negative"), ("mean", "negative"), ("mean", "NaN")}:
                    continue  # of pixels
                altered = copy.deepcopy(document)
                [*records(altered["state"])][i][name] = value
                assert_refused(tmp_path / "file", altered, entries)


@pytest.mark.parametrize("kind", ["EpochSearchCV", "SVC", "os.system", None, 3, ["list", []], {}])
def test_other_classes_are_refused(kind, files, tmp_path):
    document, entries = files["PictureCleaner"]
    assert_refused(
        tmp_path / "file", {**document, "estimator": kind}, entries, "its class .* is unknown"
    )
    document, entries = copy.deepcopy(files["Pipeline"])
    document["state"]["steps"][1][0][1][1][1] = kind
    assert_refused(tmp_path / "file", document, entries, "its class .* is unknown")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 5.0},
        {"format": True},
        {"format": [5]},
        {"versions": None},
        {"versions": {"skdigits": "<b>1</b>"}},
        {"versions": {"skdigits": 1}},
        {"versions": {"evil": "1.0"}},
        {"versions": ["skdigits"]},
        {"state": []},
        {"state": None},
        {"more": 1},
    ],
)
def test_the_document_has_four_entries_of_fixed_kinds(changes, files, tmp_path):
    document, entries = files["PictureCleaner"]
    assert_refused(tmp_path / "file", {**document, **changes}, entries)
    for name in document:
        rest = {key: value for key, value in document.items() if key != name}
        assert_refused(
            tmp_path / "file", rest, entries, "the entries of its estimator.json are not"
        )
    for other in ([document], "text", 1, None):
        assert_refused(
            tmp_path / "file", other, entries, "the entries of its estimator.json are not"
        )


STEP = ["tuple", ["clean", ["estimator", "PictureCleaner", CLEANER]]]


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [STEP, STEP],
        [["tuple", ["a__b", STEP[1][1]]]],
        [["tuple", ["steps", STEP[1][1]]]],
        [["tuple", [1, STEP[1][1]]]],
        [["tuple", ["clean", "drop"]]],
        [["tuple", ["clean", ["list", []]]]],
        [["tuple", ["clean"]]],
        [["tuple", ["clean", STEP[1][1], 1]]],
        ["clean"],
        [None],
    ],
)
def test_steps_that_no_pipeline_has_are_refused(steps, files, tmp_path):
    document, entries = copy.deepcopy(files["Pipeline"])
    document["state"]["steps"][1][:0] = steps
    if steps:
        assert_refused(tmp_path / "file", document, entries, "step|same name")
    document["state"]["steps"] = ["list", steps]
    assert_refused(tmp_path / "file", document, {}, "step|no steps|same name")


def test_a_step_before_the_last_one_is_a_transformer(files, tmp_path):
    document, entries = copy.deepcopy(files["DigitSequenceRecognizer"])
    recognizer = ["estimator", "DigitSequenceRecognizer", document["state"]]
    state = {"steps": ["list", [["tuple", ["read", recognizer]], STEP]], "verbose": False}
    document |= {"estimator": "Pipeline", "state": state}
    assert_refused(tmp_path / "file", document, entries, "is not a transformer")
    state["steps"][1].reverse()
    assert loaded(tmp_path / "file", document, entries).steps[0][0] == "clean"


@pytest.mark.parametrize(
    "array",
    [
        ["array", "0", "<f4", [1]],
        ["array", 0.0, "<f4", [1]],
        ["array", -1, "<f4", [1]],
        ["array", 999, "<f4", [1]],
        ["array", 0, "f4,f4", [1]],
        ["array", 0, "|O", [1]],
        ["array", 0, "|S4", [1]],
        ["array", 0, "M8[D]", [1]],
        ["array", 0, 4, [1]],
        ["array", 0, "<f4", [-1]],
        ["array", 0, "<f4", [True]],
        ["array", 0, "<f4", [2**70, 0]],
        ["array", 0, "<f4", 1],
        ["array", 0, "<f4"],
        ["array", 0, "<U20", [1]],
    ],
)
def test_arrays_that_are_described_otherwise_are_refused(array, files, tmp_path):
    """Array 0 has 80 bytes: ten labels. As text they have characters that do not exist."""
    document, entries = copy.deepcopy(files["DigitClassifier"])
    assert document["state"]["classes_"] == ["array", 0, "<i8", [10]]
    entries["array-0"] = b"\xff" * 80
    document["state"]["classes_"] = array
    assert_refused(tmp_path / "file", document, entries)


@pytest.mark.parametrize(
    "classes", [np.arange(10)[::-1], np.arange(10) / 2, np.arange(9), np.full(10, np.nan)]
)
def test_labels_that_fit_would_not_make_are_refused(classes, files, tmp_path):
    document, entries = copy.deepcopy(files["DigitClassifier"])
    entries["array-0"] = np.ascontiguousarray(classes).tobytes()
    document["state"]["classes_"] = ["array", 0, classes.dtype.str, list(classes.shape)]
    assert_refused(tmp_path / "file", document, entries, "classes_")


def optimizer(**changes):
    config = {"learning_rate": 0.1, "momentum": 0.0, "weight_decay": None}
    whole = {"module": "keras.optimizers", "class_name": "SGD", "registered_name": None}
    settings = {name[1:]: value for name, value in changes.items() if name[0] == "_"}
    rest = {name: value for name, value in changes.items() if name[0] != "_"}
    return json.dumps(whole | {"config": config | settings} | rest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "evil",
        optimizer(module="evil"),
        optimizer(class_name="Lambda"),
        optimizer(registered_name="mine>Own"),
        optimizer(build_config={}),
        optimizer(config=None),
        optimizer(_learning_rate="0.1"),
        optimizer(_learning_rate={"class_name": "CosineDecay"}),
        optimizer(_learning_rate=float("nan")),
        optimizer(_momentum=float("inf")),
        optimizer(_momentum={"class_name": "Lambda"}),
        optimizer(_momentum=[["a"]]),
        optimizer(_use_ema=True),
        optimizer(_rho=0.1),
        optimizer(_evil=1),
    ],
)
def test_optimizers_that_fit_would_not_describe_are_refused(text, files, tmp_path):
    document, entries = copy.deepcopy(files["DigitClassifier"])
    fields = document["state"]["_network"][2]
    fields["key"][2]["optimizer"] = text
    assert_refused(tmp_path / "file", document, entries, "optimizer|learning_rate")
    fields["key"][2]["optimizer"] = optimizer()
    assert loaded(tmp_path / "file", document, entries).n_iter_ == 3


def test_the_settings_of_keras_are_all_known():
    """A new one in a later Keras would make save refuse the optimizer."""
    import keras

    for name, settings in KERAS_OPTIMIZERS.items():
        if hasattr(keras.optimizers, name):
            config = keras.optimizers.serialize(getattr(keras.optimizers, name)(0.1))["config"]
            assert config.keys() - {"name", "learning_rate"} <= SETTINGS | settings, name


# -- the ONNX model --------------------------------------------------------------------------------


def external(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.bin")


def other_weight(model):
    tensor = next(t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT)
    tensor.raw_data = tensor.raw_data[:-1] + bytes([tensor.raw_data[-1] ^ 1])


def other_padding(model):
    node = next(node for node in model.graph.node if node.op_type == "Conv" and node.attribute)
    node.attribute[0].ints[0] += 1


def another_function(model):
    node = helper.make_node("Relu", ["a"], ["b"])
    opsets = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("evil", "f", ["a"], ["b"], [node], opsets))


CHANGES = {
    "no nodes": lambda model: model.graph.ClearField("node"),
    "a node less": lambda model: model.graph.node.pop(),
    "a node more": lambda model: model.graph.node.add(op_type="Relu", input=["a"], output=["b"]),
    "other kind of node": lambda model: setattr(model.graph.node[1], "op_type", "Abs"),
    "other domain": lambda model: setattr(model.graph.node[1], "domain", "evil"),
    "other input": lambda model: model.graph.node[2].input.append("more"),
    "other padding": other_padding,
    "other order": lambda model: model.graph.node.reverse(),
    "external data": external,
    "other weight": other_weight,
    "weight of unknown type": lambda model: setattr(model.graph.initializer[0], "data_type", 99),
    "huge weight": lambda model: model.graph.initializer[0].dims.append(2**40),
    "segment": lambda model: setattr(model.graph.initializer[0].segment, "begin", 0),
    "weight more": lambda model: model.graph.initializer.append(model.graph.initializer[0]),
    "sparse weight": lambda model: model.graph.sparse_initializer.add(dims=[1]),
    "quantization": lambda model: model.graph.quantization_annotation.add(tensor_name="a"),
    "other size": lambda model: setattr(
        model.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 9
    ),
    "output more": lambda model: model.graph.output.append(model.graph.input[0]),
    "value info": lambda model: model.graph.value_info.append(model.graph.input[0]),
    "name": lambda model: setattr(model.graph, "name", "evil"),
    "text": lambda model: setattr(model, "doc_string", "evil"),
    "producer": lambda model: setattr(model, "producer_name", "evil"),
    "function": another_function,
    "training": lambda model: model.training_info.add(),
    "opset": lambda model: setattr(model.opset_import[0], "version", 1),
    "opset more": lambda model: model.opset_import.add(domain="evil", version=1),
    "ir version": lambda model: setattr(model, "ir_version", 3),
    "metadata more": lambda model: model.metadata_props.add(key="a", value="b"),
    "other metadata": lambda model: setattr(model.metadata_props[0], "value", "[1, 2]"),
    "other versions": lambda model: setattr(model.metadata_props[2], "value", "{}"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_onnx_model_that_is_not_that_of_the_network_is_refused(
    name, files, tmp_path, monkeypatch
):
    document, entries = files["DigitClassifier"]
    model = onnx.load_from_string(entries["network.onnx"])
    tensor = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    (tmp_path / "secret.bin").write_bytes(tensor.raw_data)
    monkeypatch.chdir(tmp_path)
    CHANGES[name](model)
    entries = entries | {"network.onnx": model.SerializeToString()}
    assert_refused(tmp_path / "file", document, entries, "its ONNX model differs from")


@pytest.mark.parametrize("more", [b"\xfa\x3f\x04evil", b"\x00", b"evil"])
def test_bytes_that_onnx_does_not_know_are_refused(more, files, tmp_path):
    document, entries = files["DigitClassifier"]
    entries = entries | {"network.onnx": entries["network.onnx"] + more}
    assert_refused(tmp_path / "file", document, entries, "its ONNX model (is|differs)")


def test_another_order_of_the_bytes_is_no_other_model(files, tmp_path):
    """As another version of protobuf may write them."""
    document, entries = files["DigitClassifier"]
    model = onnx.load_from_string(entries["network.onnx"])
    rest = onnx.ModelProto(graph=model.graph)
    model.ClearField("graph")
    content = rest.SerializeToString() + model.SerializeToString()
    assert content != entries["network.onnx"]
    loaded(tmp_path / "file", document, entries | {"network.onnx": content})


@pytest.mark.parametrize(
    ("n_more", "message"), [(2**18, "damaged"), (2**18 + 1, "expected at most")]
)
def test_an_onnx_model_has_few_bytes_besides_its_weights(n_more, message, files, tmp_path):
    document, entries = files["DigitClassifier"]
    entries = entries | {"network.onnx": entries["network.onnx"] + bytes(n_more)}
    assert_refused(tmp_path / "file", document, entries, message)


def test_no_and_several_onnx_models_are_refused(files, tmp_path):
    document, entries = files["DigitClassifier"]
    without = {name: content for name, content in entries.items() if name != "network.onnx"}
    assert_refused(tmp_path / "file", document, without, "no entry network.onnx")
    twice = entries | {"network-1.onnx": entries["network.onnx"]}
    assert_refused(tmp_path / "file", document, twice, "is not used")


def test_loading_opens_no_other_file(files, tmp_path, monkeypatch):
    document, entries = files["Pipeline"]
    loaded(tmp_path / "file", document, entries)
    opened = []
    for module, name in ((io, "open"), (Path, "open"), (zipfile.io, "open")):
        original = getattr(module, name)

        def recorded(path, *args, original=original, **options):
            opened.append(str(path))
            return original(path, *args, **options)

        monkeypatch.setattr(module, name, recorded)
    load(tmp_path / "file")
    assert set(opened) == {str(tmp_path / "file")}
