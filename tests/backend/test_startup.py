"""The backend of Keras, and its settings as a new process will read them."""

import json
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest

from keras_pruning import InputError, cli
from keras_pruning.backend import startup
from keras_pruning.recipes import environment


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty folder of Keras' settings, in a process that has not imported Keras."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setitem(sys.modules, "keras", None)
    return tmp_path


def write(folder, **settings):
    (folder / "keras.json").write_text(json.dumps(settings))


def test_another_backend_of_the_file_is_refused(keras_home, monkeypatch):
    startup.require_tensorflow()
    write(keras_home, backend="jax")
    message = r"Expected KERAS_BACKEND=tensorflow. Received: the backend 'jax' in .*keras.json. Set"
    with pytest.raises(InputError, match=message):
        startup.require_tensorflow()
    # The environment comes first, as in Keras.
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    startup.require_tensorflow()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(InputError, match="Received: KERAS_BACKEND=torch"):
        startup.require_tensorflow()


def test_a_keras_that_was_imported_with_another_backend(keras_home, monkeypatch):
    imported = SimpleNamespace(config=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", imported)
    with pytest.raises(InputError, match="Received: Keras was imported with the backend 'jax'"):
        startup.require_tensorflow()


@pytest.mark.parametrize(
    "settings", [{"floatx": "float8"}, {"image_data_format": "first"}, {"epsilon": 1}, [1]]
)
def test_settings_that_stop_keras_are_refused(settings, keras_home):
    (keras_home / "keras.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="Invalid settings of Keras. Expected in .*Received"):
        startup.keras_settings()


@pytest.mark.slow
def test_settings_are_those_of_a_new_keras(keras_home, monkeypatch):
    """Keras itself is asked in a process of its own."""
    write(keras_home, floatx="float64", image_data_format="channels_first", epsilon=1e-5)
    code = (
        "from keras import config as c\n"
        "print(c.backend(), c.floatx(), c.epsilon(), c.image_data_format())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = ("backend", "floatx", "epsilon", "image_data_format")
    settings = startup.keras_settings()
    assert shown.stdout.split() == [str(settings[name]) for name in names]


def test_a_file_that_is_not_json_is_ignored(keras_home):
    (keras_home / "keras.json").write_text("{")
    assert startup.keras_settings()["floatx"] == "float32"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TF_ENABLE_ONEDNN_OPTS", "0"),
        ("XLA_FLAGS", "--xla_cpu_enable_fast_math=true"),
        ("TF_XLA_FLAGS", "--tf_xla_auto_jit=2"),
        ("TF_DETERMINISTIC_OPS", "1"),
        ("KERAS_MAX_EPOCHS", "1"),
    ],
)
def test_a_switch_changes_the_environment(name, value, keras_home, monkeypatch):
    monkeypatch.delenv(name, raising=False)
    before = environment()
    monkeypatch.setenv(name, value)
    assert environment() != before


@pytest.mark.skipif(platform.machine() != "x86_64", reason="oneDNN is off by default")
def test_a_switch_at_its_default_changes_nothing(keras_home, monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    before = environment()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    assert environment() == before


@pytest.mark.parametrize(
    ("change", "key"), [({"floatx": "float64"}, "floatx"), ({"epsilon": 1e-3}, "epsilon")]
)
def test_settings_of_keras_change_the_environment(change, key, keras_home):
    before = environment()
    write(keras_home, **change)
    after = environment()
    assert after != before and after[key] == change[key]


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(None, "B 100"), ("1", "B 200"), ("0,1", "B 100"), ("", "CPU"), ("-1", "CPU")],
)
def test_the_device_is_the_first_visible_gpu(visible, expected, tmp_path, monkeypatch):
    for number in (0, 1):
        (tmp_path / str(number)).write_text(f"Bus: x\nModel: \t B {number + 1}00\nIRQ: 1\n")

    def glob(pattern):
        return ["/dev/nvidia0"] if "/dev" in pattern else map(str, tmp_path.iterdir())

    monkeypatch.setattr(startup.glob, "glob", glob)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert startup.device().partition(" x86")[0].partition(" aarch")[0] == expected


@pytest.mark.parametrize("command", ["score", "train", "sweep", "doctor"])
def test_commands_refuse_another_backend_at_once(command, keras_home, capsys):
    """The command line has not imported Keras yet, and its children would."""
    write(keras_home, backend="jax")
    assert cli.main([command, "--output", str(keras_home / "out")]) == 2
    shown = capsys.readouterr().err
    assert shown.count("error: ") == 1 and "Received: the backend 'jax'" in shown
    assert not (keras_home / "out").exists()
