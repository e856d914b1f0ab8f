"""The bundle: one file of models, graph, golden vectors and verdicts; docs/bundle.md defines it."""

from __future__ import annotations

from litebundle.bundle.bundle import Bundle as Bundle
from litebundle.bundle.manifest import Identity as Identity
from litebundle.bundle.manifest import Manifest as Manifest
from litebundle.bundle.manifest import Verdict as Verdict
from litebundle.bundle.stages import describe_stage as describe_stage
from litebundle.bundle.verify import Verification as Verification
from litebundle.bundle.writer import write_bundle as write_bundle
