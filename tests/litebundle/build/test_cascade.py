"""The cascade against whole pipelines run one by one, each variant for itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from litebundle.build import variants as variants_module
from litebundle.build.cascade import run_cascade
from litebundle.build.cascade_report import CascadeReport
from litebundle.build.records import from_bytes, to_bytes
from litebundle.build.variants import Evaluator, Job
from litebundle.data import Answer, DataSample, DataSet
from litebundle.errors import LitebundleError
from litebundle.metrics import METRICS, pooled
from litebundle.run import LiteRTModel, Runner, read_image
from quantize import bootstrap_mean_difference

LETTERS = "abcdefgh"


def with_uint8_input(model: bytes) -> bytes:
    """The same model behind a DEQUANTIZE: pixels go in, pixel / 255 comes out of it."""
    tree = schema.ModelT.InitFromPackedBuf(model, 0)
    graph = tree.subgraphs[0]
    real = graph.inputs[0]
    pixels = schema.TensorT()
    pixels.name, pixels.shape, pixels.type = "pixels", list(graph.tensors[real].shape), schema.TensorType.UINT8
    pixels.quantization = schema.QuantizationParametersT()
    pixels.quantization.scale, pixels.quantization.zeroPoint = [1 / 255], [0]
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 1
    operator.opcodeIndex, operator.inputs, operator.outputs = len(tree.operatorCodes), [len(graph.tensors)], [real]
    tree.operatorCodes.append(code)
    graph.operators.insert(0, operator)
    graph.tensors.append(pixels)
    tree.signatureDefs[0].inputs[0].tensorIndex = len(graph.tensors) - 1
    graph.inputs = [len(graph.tensors) - 1]
    builder = flatbuffers.Builder(1024)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def folded(graph, stage):
    """The graph with that stage fed by pixels, as a compiler that folds its normalisation leaves it."""
    pixels = f"{stage}/pixels"
    nodes = []
    for node in graph.nodes:
        if node.name == f"{stage}/normalize":
            node = replace(node, name=f"{stage}/to_tensor", op="to_tensor", outputs=(pixels,), attributes={})
        if node.name == f"{stage}/model":
            node = replace(node, inputs=(pixels,))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


@pytest.fixture
def job(app, linear_tflite):
    """`locate` stays as it is; `colour` takes pixels; `number` weighs the colours a little differently."""
    models = app.models | {
        "colour": with_uint8_input(app.models["colour"]),
        "number": linear_tflite(np.array([[1.0, 2.6, 2.4]]), np.zeros(1)),
    }
    return Job(app.graph, folded(app.graph, "colour"), app.models, models, app.labels)


@pytest.fixture
def data(tmp_path):
    """Photos with one to three coloured cells; the answers are what the float pipeline reads, some made
    wrong.
    """
    generator = np.random.default_rng(2)
    samples = []
    for i in range(14):
        photo = np.zeros((40, 40, 3), np.uint8)
        items = []
        for cell in generator.choice(16, size=1 + i % 3, replace=False):
            row, column, channel = 10 * (cell // 4), 10 * (cell % 4), int(generator.integers(3))
            photo[row : row + 10, column : column + 10, channel] = generator.integers(120, 256)
            text = "".join(generator.choice(list(LETTERS), 2))
            box = [int(column), int(row), int(column) + 10, int(row) + 10]
            items.append({"box": box, "angle": channel, "text": text})
        kind = "even" if i % 2 == 0 else "odd"
        path = tmp_path / "validate" / kind / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo).save(path)
        samples.append(DataSample(path, "validate", kind, Answer(items=tuple(items))))
    return DataSet("cells", "validate", tmp_path / "validate", tuple(samples))


def runner_of(job, quantized):
    """A whole pipeline of its own for one variant."""
    nodes = tuple(
        other if own.stage in quantized else own
        for own, other in zip(job.float_graph.nodes, job.graph.nodes, strict=True)
    )
    models = {
        name: LiteRTModel.from_buffer(job.models[name] if name in quantized else content, name=name)
        for name, content in job.float_models.items()
    }
    return Runner(replace(job.float_graph, nodes=nodes), models, job.labels)


def test_every_variant_reads_what_its_own_pipeline_reads(job, data):
    assert dict(job.variants) == {
        "float": frozenset(),
        "quantized": frozenset({"colour", "number"}),
        "colour": frozenset({"colour"}),
        "number": frozenset({"number"}),
    }
    evaluator = Evaluator(job)
    runners = {name: runner_of(job, quantized) for name, quantized in job.variants.items()}
    for sample in data.samples:
        photo = read_image(sample.path)
        found = evaluator.evaluate(photo).items
        assert {name: found[name] for name in found} == {
            name: runner.run(photo).items for name, runner in runners.items()
        }


def test_scores_and_intervals_are_those_of_the_samples(job, data):
    report = run_cascade(job, data, workers=1)
    assert set(report.metrics) == {"accuracy", "box_f1", "edit_distance", "exact_match"}
    assert [(kind.kind, kind.samples) for kind in report.kinds] == [("even", 7), ("odd", 7)]
    runners = {name: runner_of(job, quantized) for name, quantized in job.variants.items()}
    for kind in ("even", "odd", "all"):
        samples = [sample for sample in data.samples if kind in (sample.kind, "all")]
        scores = {
            name: [
                METRICS["edit_distance"].score(runner.run(read_image(s.path)).items, s.answer.items) for s in samples
            ]
            for name, runner in runners.items()
        }
        for variant in job.variants:
            entry = report.comparison("edit_distance", variant, kind)
            assert entry.float_score == pytest.approx(pooled(scores["float"]))
            assert entry.score == pytest.approx(pooled(scores[variant]))
            assert entry.samples == len(samples)
            assert entry.changed == sum(a != b for a, b in zip(scores["float"], scores[variant], strict=True))
            values, weights = np.array([[s.value, s.weight] for s in scores[variant]]).T
            base, base_weights = np.array([[s.value, s.weight] for s in scores["float"]]).T
            expected = bootstrap_mean_difference(values, base, a_weights=weights, b_weights=base_weights)
            # Lower is better here, so what is lost is variant minus float.
            assert entry.drop == pytest.approx(entry.score - entry.float_score)
            assert (entry.drop_low, entry.drop_high) == pytest.approx((expected.low, expected.high))
    assert report.comparison("edit_distance", "number").changed > 0


def test_a_stage_that_reads_the_same_costs_nothing(job, data):
    report = run_cascade(job, data, workers=1)
    for metric in report.metrics:
        entry = report.comparison(metric, "colour")
        assert (entry.drop, entry.drop_low, entry.drop_high, entry.changed) == (0, 0, 0, 0)


def test_stage_drift_is_taken_on_the_float_pipelines_inputs(job, data):
    report = run_cascade(job, data, workers=1)
    by_key = {(row.stage, row.tensor, row.kind): row for row in report.stage_drift}
    assert {key[:2] for key in by_key} == {("colour", "scores"), ("number", "y")}
    errors, worst = [], (0.0, "")
    for sample in data.samples:
        name = sample.path.relative_to(data.folder).as_posix()
        seen = []
        runner_of(job, ()).run(
            read_image(sample.path),
            tap=lambda stage, inputs, _, seen=seen: seen.append(inputs["x"]) if stage == "number" else None,
        )
        error = [float(abs(x @ np.array([0.0, 0.6, -0.6]))[0]) for x in seen]
        errors += error
        worst = max(worst, (max(error), name))
    row = by_key["number", "y", "all"]
    assert row.runs == len(errors) > 14
    assert row.samples == 14
    assert row.max_abs == pytest.approx(worst[0], rel=1e-5)
    assert row.worst_sample == worst[1]


def test_worst_samples_carry_both_answers(job, data):
    report = run_cascade(job, data, workers=1)
    rows = [row for row in report.worst if row.metric == "edit_distance"]
    assert rows and all(row.drop > 0 for row in rows)
    assert [row.drop for row in rows] == sorted((row.drop for row in rows), reverse=True)
    for row in rows:
        score = METRICS["edit_distance"].score
        assert row.float_score == score(row.float_items, row.expected).value
        assert row.quantized_score == score(row.quantized_items, row.expected).value
        assert row.drop == pytest.approx(row.quantized_score - row.float_score)
        sample = next(s for s in data.samples if s.path == data.folder / row.sample)
        assert sample.answer.items == row.expected and sample.kind == row.kind


def test_the_report_does_not_depend_on_the_number_of_workers(job, data):
    seen = []
    report = run_cascade(job, data, workers=2, advance=seen.append)
    assert report == run_cascade(job, data, workers=1)
    assert seen == [1] * 14


def test_the_report_survives_the_cache(job, data):
    report = run_cascade(job, data, workers=1)
    again = from_bytes(CascadeReport, to_bytes(report))
    assert to_bytes(again) == to_bytes(report)
    assert again.comparisons == report.comparisons


def test_nothing_runs_twice_on_the_same_inputs(job, data, monkeypatch):
    runs = Counter()

    class Counting(LiteRTModel):
        def run(self, *arguments):
            runs[self.name, id(self)] += 1
            return super().run(*arguments)

    monkeypatch.setattr(variants_module, "LiteRTModel", Counting)
    evaluator = Evaluator(job)
    sample = data.samples[0]
    assert len(sample.answer.items) == 1
    evaluator.evaluate(read_image(sample.path))
    by_stage = {stage: sorted(n for (name, _), n in runs.items() if name == stage) for stage in job.models}
    assert by_stage["locate"] == [1]  # one model: quantizing left it alone
    assert by_stage["colour"] == [1, 1]  # float and quantized, for four variants
    assert by_stage["number"] == [1, 1]  # the two colours agree to the bit, so behind them only number differs


def test_a_value_that_is_not_finite_names_stage_value_and_sample(job, data, linear_tflite):
    broken = linear_tflite(np.array([[np.inf, 2.0, 3.0]]), np.zeros(1))
    for side, models in (
        ("float", {"float_models": job.float_models | {"number": broken}}),
        ("quantized", {"models": job.models | {"number": broken}}),
    ):
        with pytest.raises(LitebundleError) as caught:
            run_cascade(replace(job, **models), data, workers=1)
        for part in ("sample 'even/00.png'", "'number/y'", f"{side} model of stage 'number'"):
            assert part in str(caught.value)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_picture_that_is_none_is_named(job, data, workers):
    data.samples[3].path.write_bytes(b"no picture")
    with pytest.raises(LitebundleError, match=r"odd/03\.png"):
        run_cascade(job, data, workers=workers)


def test_a_pipeline_that_quantizing_left_alone_has_no_drift(job, data):
    same = replace(job, graph=job.float_graph, models=job.float_models)
    report = run_cascade(same, data, workers=1)
    assert report.variants == ("float", "quantized") and report.stage_drift == () and report.worst == ()
