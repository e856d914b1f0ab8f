"""From compiled classes to a signed APK, without an Android SDK: dex by R8, our own zip, apksigner, and checks.

Run by `mvn verify` (android_harness/pack/pom.xml) as `python -m android_harness.pack`; `--help` lists what it takes.
"""
