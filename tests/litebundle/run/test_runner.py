from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from litebundle.errors import LitebundleError
from litebundle.graph import Graph, Node, ResultField
from litebundle.run import LiteRTModel, Runner, execute_node


@pytest.fixture
def runner(app):
    return make_runner(app)


def make_runner(app, **changed):
    models = {name: LiteRTModel.from_buffer(data, name=name) for name, data in app.models.items()}
    app = replace(app, **changed)
    return Runner(app.graph, models, app.labels)


def without_score(result):
    return [{key: value for key, value in item.items() if key != "score"} for item in result.items]


def test_reads_each_found_box(app, runner):
    # Green is 204/255 = 0.8, so memory is 1.6: 1 + 1.6 -> token 3, then 3 + 1 + 1.6 -> 6, then the end.
    found = runner.run(app.photo)
    assert sorted(without_score(found), key=lambda item: item["angle"]) == app.items
    assert all(item["score"] < 0 for item in found.items)


def test_json_is_plain_and_times_add_up(app, runner):
    document = runner.run(app.photo).to_json()
    assert json.loads(json.dumps(document)) == document
    assert set(document["stage_ms"]) == set(app.models)
    assert sum(document["stage_ms"].values()) + document["glue_ms"] <= document["total_ms"]


def test_no_box_gives_no_item_and_the_runner_goes_on(app, runner):
    assert runner.run(np.zeros_like(app.photo)).items == ()
    assert len(runner.run(app.photo).items) == 2


def test_boxes_alone_give_one_item_each(app):
    graph = replace(
        app.graph, nodes=app.graph.nodes[:4], results=(replace(app.graph.results[0], value="locate/boxes"),)
    )
    items = make_runner(app, graph=graph).run(app.photo).items
    assert sorted(item["box"] for item in items) == [[0, 0, 10, 10], [30, 20, 40, 30]]


def test_each_node_alone_gives_what_the_runner_gives(app, runner):
    models = {name: LiteRTModel.from_buffer(data, name=name) for name, data in app.models.items()}
    values = {"photo": app.photo}
    for node in app.graph.nodes:
        values |= execute_node(node, values, models, app.labels)
    found = runner.run(app.photo)
    assert values["count/text"] == [item["text"] for item in found.items]
    assert values["count/score"] == [item["score"] for item in found.items]


@pytest.mark.parametrize("beam", [2, 3])
def test_beams_do_not_share_their_state(app, beam):
    """The best token leads clearly at each step, so a beam finds the greedy answer."""
    *front, loop, last = app.graph.nodes
    nodes = (*front, replace(loop, attributes={**loop.attributes, "beam": beam}), last)
    found = make_runner(app, graph=replace(app.graph, nodes=nodes)).run(app.photo)
    assert sorted(without_score(found), key=lambda item: item["angle"]) == app.items


def test_tap_sees_every_run_of_every_model(app, runner):
    calls = []
    runner.run(app.photo, tap=lambda *call: calls.append(call))
    stages = [stage for stage, _, _ in calls]
    assert (stages.count("locate"), stages.count("colour"), stages.count("number")) == (1, 2, 2)
    for stage, inputs, outputs in calls:
        # Kept arrays still hold what the model computed, long after later runs.
        again = LiteRTModel.from_buffer(app.models[stage])
        expected = again.run([inputs[tensor.name] for tensor in again.inputs])
        for tensor, array in zip(again.outputs, expected, strict=True):
            np.testing.assert_array_equal(outputs[tensor.name], array)
    steps = [(inputs["token"].item(), inputs["state"].item()) for stage, inputs, _ in calls if stage == "count"]
    assert sorted(steps) == sorted([(1, 0), (2, 1), (4, 2), (1, 0), (3, 1), (6, 2)])


def test_tap_shares_what_the_steps_share(app, runner):
    memories = []

    def tap(stage, inputs, outputs):
        if stage == "count":
            memories.append(inputs["memory"])

    runner.run(app.photo, tap=tap)
    assert len(memories) == 6 and len({id(memory) for memory in memories}) == 2


@pytest.mark.parametrize("photo", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_photo_is_refused(runner, photo):
    with pytest.raises(LitebundleError, match=r"photo must be uint8 \[H, W, 3\]"):
        runner.run(photo)


def test_a_shape_that_does_not_fit_names_stage_and_tensor(app):
    first, *rest = app.graph.nodes
    nodes = (replace(first, attributes={"size": [5, 5]}), *rest)
    with pytest.raises(LitebundleError, match=r"'locate': input 'image' is float32 \[1, 4, 4, 3\], but got"):
        make_runner(app, graph=replace(app.graph, nodes=nodes)).run(app.photo)


def test_missing_model_and_missing_labels_are_refused_before_any_run(app):
    with pytest.raises(LitebundleError, match="no model for stage 'locate'"):
        Runner(app.graph, {}, app.labels)
    with pytest.raises(LitebundleError, match=r"labels 'labels/count.json' are missing"):
        make_runner(app, labels={})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"state": {}}, "feeds .*, the model takes"),
        ({"logits": "scores"}, "reads 'scores', the model gives"),
        ({"constants": [], "state": {"state": "state_out", "memory": "state_out"}}, "0 constants"),
    ],
)
def test_a_loop_that_does_not_fit_its_model_is_refused(app, changed, message):
    *front, loop, last = app.graph.nodes
    nodes = (*front, replace(loop, attributes={**loop.attributes, **changed}), last)
    with pytest.raises(LitebundleError, match=message):
        make_runner(app, graph=replace(app.graph, nodes=nodes))


def test_a_graph_whose_kinds_do_not_fit_is_refused_before_any_run(app):
    first, second, *rest = app.graph.nodes
    geometry = replace(second, inputs=("locate/geometry",))
    with pytest.raises(LitebundleError, match="normalize takes a image, but 'locate/geometry' is a geometry"):
        make_runner(app, graph=replace(app.graph, nodes=(first, geometry, *rest)))
    with pytest.raises(LitebundleError, match="letterbox takes 1 inputs and makes 2 outputs, the graph gives 1 and 1"):
        make_runner(app, graph=replace(app.graph, nodes=(replace(first, outputs=("locate/picture",)),)))


def test_a_state_in_integers_begins_at_its_zero_point_and_goes_round(app, int8_counter_tflite):
    app = replace(app, models={**app.models, "count": int8_counter_tflite})
    states = []

    def tap(stage, inputs, outputs):
        if stage == "count":
            states.append((inputs["state"].item(), outputs["state_out"].item()))

    runner = make_runner(app)
    assert sorted(without_score(runner.run(app.photo, tap=tap)), key=lambda item: item["angle"]) == app.items
    assert states == [(0, 1), (1, 2), (2, 3)] * 2


def test_folded_pixels_and_raw_integers_through_two_stages(sum_tflite):
    """one = pixels + pixels, two = one + one, with 8-bit tensors all the way and no step lost between the stages."""
    pixel, double = 1 / 255, 1 / 100
    models = {
        "one": sum_tflite([1, 2, 2, 3], "uint8", (pixel, pixel, double)),
        "two": sum_tflite([1, 2, 2, 3], "uint8", (double, double, double * 2)),
    }
    nodes = (
        Node("one/to_tensor", "to_tensor", ("photo",), ("one/image",), {}, "one", False),
        Node("one/model", "model", ("one/image", "one/image"), ("one/total",), {}, "one", False),
        Node("two/model", "model", ("one/total", "one/total"), ("two/total",), {}, "two", False),
    )
    graph = Graph(nodes, (ResultField("one", "one/total"), ResultField("two", "two/total")))
    runner = Runner(graph, {name: LiteRTModel.from_buffer(data, name=name) for name, data in models.items()}, {})
    photo = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 23
    (item,) = runner.run(photo).items
    np.testing.assert_allclose(item["one"][0], photo / 127.5, atol=double * 0.51)
    np.testing.assert_allclose(item["two"], np.array(item["one"]) * 2, rtol=1e-6)
