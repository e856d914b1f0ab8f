"""From a pipeline.toml to a bundle: cached steps, drift end to end, verdicts, publishing."""
