from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from quantize import QuantizationError, calibrate


def every_tensor(model: bytes, samples) -> dict[str, tuple[float, float]]:
    """(min, max) of every float tensor, by numpy over an interpreter that keeps all tensors and uses no delegate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        interpreter = Interpreter(model_content=model, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    inputs = {d["name"]: d["index"] for d in interpreter.get_input_details()}
    seen: dict[str, list[float]] = {}
    for sample in samples:
        for name, value in sample.items():
            interpreter.set_tensor(inputs[name], value)
        interpreter.reset_all_variables()
        interpreter.invoke()
        for detail in interpreter.get_tensor_details():
            if detail["dtype"] is np.float32 and detail["name"]:
                value = interpreter.get_tensor(detail["index"])
                seen.setdefault(detail["name"], []).extend([float(value.min()), float(value.max())])
    return {name: (min(values), max(values)) for name, values in seen.items()}


def test_min_max_agrees_with_numpy_on_every_observed_tensor(trained) -> None:
    samples = trained.samples[:20]
    ranges, truth = calibrate(trained.model, samples), every_tensor(trained.model, samples)
    assert set(ranges.observers) == {"image", "edge", "blur", "logits"}
    for name in ranges.observers:
        low, high = truth[name]
        known = ranges.tensors[name]
        assert known.max == pytest.approx(high, rel=1e-5)
        assert known.min == (0 if name in ("edge", "blur") else pytest.approx(low, rel=1e-5))
        assert known.count == 20


def test_derived_ranges_hold_the_values(trained) -> None:
    samples = trained.samples[:20]
    ranges, truth = calibrate(trained.model, samples).tensors, every_tensor(trained.model, samples)
    for name in ("pool", "features", "probabilities"):
        assert ranges[name].min <= truth[name][0] and truth[name][1] <= ranges[name].max
    assert (ranges["probabilities"].min, ranges["probabilities"].max) == (0, 1)


def test_real_model_agrees_with_numpy(mlperf_tiny) -> None:
    model = (mlperf_tiny / "image_classification/trained_models/pretrainedResnet.tflite").read_bytes()
    random = np.random.default_rng(0)
    samples = [{"input_1": random.uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)} for _ in range(4)]
    ranges, truth = calibrate(model, samples), every_tensor(model, samples)
    for name in ranges.observers:
        span = ranges.tensors[name].max - ranges.tensors[name].min
        assert abs(ranges.tensors[name].max - truth[name][1]) <= 1e-5 * span
        assert ranges.tensors[name].min in (0, pytest.approx(truth[name][0], abs=1e-5 * span))


@pytest.mark.parametrize("method", ["minmax", "percentile"])
def test_order_and_grouping_of_samples_do_not_matter(trained, method) -> None:
    samples = trained.samples[:12]
    whole = calibrate(trained.model, samples, method=method).to_json()
    assert calibrate(trained.model, samples[::-1], method=method).to_json() == whole
    parts = [calibrate(trained.model, samples[k : k + 5], method=method) for k in (5, 0, 10)]
    assert parts[0].merge(parts[1]).merge(parts[2]).to_json() == whole
    assert parts[2].merge(parts[0].merge(parts[1])).to_json() == whole


def test_many_samples_pass_through_more_than_one_block(trained) -> None:
    quiet = [{"image": np.zeros((1, 12, 12, 3), np.float32)}] * 700
    loud = {"image": np.full((1, 12, 12, 3), 3, np.float32)}
    for at in (0, 255, 256, 699):
        ranges = calibrate(trained.model, [*quiet[:at], loud, *quiet[at + 1 :]]).tensors
        assert (ranges["image"].min, ranges["image"].max, ranges["image"].count) == (0, 3, 700)


def test_percentile_ranges_are_inside_min_max(trained) -> None:
    whole = calibrate(trained.model, trained.samples).tensors
    cut = calibrate(trained.model, trained.samples, method="percentile", percentile=99).tensors
    for name in ("image", "edge", "blur", "logits"):
        assert whole[name].min <= cut[name].min and cut[name].max <= whole[name].max
    assert cut["edge"].max < whole["edge"].max


def test_percentile_100_is_min_max(trained) -> None:
    whole = calibrate(trained.model, trained.samples[:5])
    cut = calibrate(trained.model, trained.samples[:5], method="percentile", percentile=100)
    for name in whole.observers:
        assert cut.tensors[name].max == pytest.approx(whole.tensors[name].max, rel=1e-6)


def test_several_inputs_of_several_types(network) -> None:
    net = network()
    rows, index = net.input("rows", [5, 2]), net.input("index", [3], np.int32)
    gain = net.input("gain", [])
    picked = net.op("GATHER", [rows, index], "picked", [3, 2])
    model = net.build(net.op("MUL", [picked, gain], "scaled", [3, 2]))
    random = np.random.default_rng(0)
    samples = [
        {
            "rows": random.normal(size=(5, 2)).astype(np.float32),
            "index": random.integers(0, 5, 3).astype(np.int32),
            "gain": np.array(random.uniform(1, 2), np.float32),
        }
        for _ in range(6)
    ]
    ranges, truth = calibrate(model, samples).tensors, every_tensor(model, samples)
    assert set(ranges) == {"rows", "gain", "picked", "scaled"}
    for name in ("rows", "gain", "scaled"):
        assert (ranges[name].min, ranges[name].max) == truth[name]


def test_nan_in_a_sample_is_named(trained) -> None:
    samples = [{"image": sample["image"].copy()} for sample in trained.samples[:5]]
    samples[3]["image"][0, 5, 5, 1] = np.nan
    for method in ("minmax", "percentile"):
        with pytest.raises(QuantizationError, match=r"sample 3 .*'image'"):
            calibrate(trained.model, samples, method=method)


@pytest.mark.parametrize(
    ("kind", "operands", "bad"),
    [
        ("DIV", (np.zeros((1, 4)), np.zeros((1, 4))), "made"),
        ("SQRT", (np.array([[1, 4, -1, 9]]),), "made"),
        ("EXP", (np.array([[1, 4, 200, 9]]),), "made"),
        ("MUL", (np.full((1, 4), 1e30), np.full((1, 4), 1e30)), "made"),
    ],
)
def test_the_first_tensor_that_is_not_finite_is_named(network, kind, operands, bad) -> None:
    net = network()
    inputs = [net.input(f"x{k}", [1, 4]) for k in range(len(operands))]
    made = net.op(kind, inputs, "made", [1, 4])
    model = net.build(net.op("MUL", [made, net.constant("zero", np.zeros((1, 4)))], "after", [1, 4]))
    good = {f"x{k}": np.ones((1, 4), np.float32) for k in range(len(operands))}
    evil = {f"x{k}": value.astype(np.float32) for k, value in enumerate(operands)}
    with pytest.raises(QuantizationError, match=rf"sample 2 .*'{bad}'"):
        calibrate(model, [good, good, evil, good])


def test_recurrent_state_does_not_leak_between_samples(recurrent) -> None:
    samples = [{"steps": np.full((1, 6, 3), value, np.float32)} for value in (3, -1, 0.5)]
    forward, backward = (calibrate(recurrent, order) for order in (samples, samples[::-1]))
    assert forward.to_json() == backward.to_json()


def test_empty_set_is_refused(trained) -> None:
    with pytest.raises(QuantizationError, match="empty"):
        calibrate(trained.model, [])


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({"image": np.zeros((1, 12, 12, 1), np.float32)}, r"'image' is float32 \[1, 12, 12, 1\].*\[1, 12, 12, 3\]"),
        ({"image": np.zeros((1, 12, 12, 3), np.float64)}, "'image' is float64"),
        ({"picture": np.zeros((1, 12, 12, 3), np.float32)}, r"\['picture'\].*\['image'\]"),
        ({}, r"\[\].*\['image'\]"),
        ({"image": np.zeros((1, 12, 12, 3), np.float32), "more": np.zeros(1)}, "more"),
    ],
)
def test_sample_that_does_not_fit_is_refused(trained, sample, message) -> None:
    with pytest.raises(QuantizationError, match=message) as caught:
        calibrate(trained.model, [trained.samples[0], sample])
    assert "sample 1" in str(caught.value)


@pytest.mark.parametrize("options", [{"method": "mean"}, {"method": "percentile", "percentile": 101.0}])
def test_unknown_method_is_refused(trained, options) -> None:
    with pytest.raises(QuantizationError):
        calibrate(trained.model, trained.samples[:1], **options)


def test_progress_counts_up_and_may_interrupt(trained) -> None:
    seen: list[int] = []

    def stop_at_three(done: int) -> None:
        seen.append(done)
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(trained.model, trained.samples, progress=stop_at_three)
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("damage", [b"", b"not a model at all", b"\x20\x00\x00\x00TFL3" + b"\xff" * 40])
def test_file_that_is_no_model_is_refused(damage) -> None:
    with pytest.raises(QuantizationError):
        calibrate(damage, [{"x": np.zeros(1, np.float32)}])


def test_damaged_files_are_refused_or_work_but_never_crash(trained) -> None:
    random = np.random.default_rng(0)
    for trial in range(25):
        damaged = bytearray(trained.model)
        if trial % 2:
            damaged = damaged[: random.integers(8, len(damaged))]
        for _ in range(3):
            damaged[random.integers(0, len(damaged))] = random.integers(0, 256)
        with contextlib.suppress(QuantizationError):
            calibrate(bytes(damaged), trained.samples[:1])
