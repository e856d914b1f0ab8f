"""Data sets of pictures: kinds wanted and present, answers, digests (docs/data.md)."""

from __future__ import annotations

from litebundle.data.check import check_dataset as check_dataset
from litebundle.data.dataset import Answer as Answer
from litebundle.data.dataset import DataSample as DataSample
from litebundle.data.dataset import DataSet as DataSet
from litebundle.data.dataset import load_dataset as load_dataset
from litebundle.data.report import DataReport as DataReport
from litebundle.data.report import Finding as Finding
from litebundle.data.report import KindCount as KindCount
