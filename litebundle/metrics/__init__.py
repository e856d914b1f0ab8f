"""Task metrics: what a pipeline's results are worth against a data set's answers, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from litebundle.metrics import accuracy, box_f1, edit_distance, exact_match
from litebundle.metrics.metric import Metric as Metric
from litebundle.metrics.metric import SampleScore as SampleScore
from litebundle.metrics.metric import pooled as pooled

METRICS: Mapping[str, Metric] = {
    module.METRIC.name: module.METRIC for module in (accuracy, box_f1, edit_distance, exact_match)
}
