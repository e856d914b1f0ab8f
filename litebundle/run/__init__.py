"""The host runner: a pipeline's graph on the LiteRT interpreter."""

from __future__ import annotations

from litebundle.run.boundary import QuantizedValue as QuantizedValue
from litebundle.run.boundary import enter_model as enter_model
from litebundle.run.boundary import leave_model as leave_model
from litebundle.run.executor import execute_node as execute_node
from litebundle.run.image import read_image as read_image
from litebundle.run.model import LiteRTModel as LiteRTModel
from litebundle.run.model import Tensor as Tensor
from litebundle.run.runner import Result as Result
from litebundle.run.runner import Runner as Runner
from litebundle.run.stage import Tap as Tap
