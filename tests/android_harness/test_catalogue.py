"""Both builds of the Android harness, Maven's and Gradle's, have the same modules, versions and dependencies."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

import pytest

HARNESS = Path(__file__).parent.parent.parent / "android_harness"
CATALOGUE = tomllib.loads((HARNESS / "gradle" / "libs.versions.toml").read_text(encoding="utf-8"))
SETTINGS = (HARNESS / "settings.gradle.kts").read_text(encoding="utf-8")
POM = {"m": "http://maven.apache.org/POM/4.0.0"}

# What one build alone has, and why.
# Tests that run beside other modules; style; what stands for Google's Maven repository; AGP's packaging.
MAVEN_MODULES = {"core-tests", "lint", "engine-litert-api", "pack"}
MAVEN_VERSIONS = {  # tests without a phone, gates, R8 (which AGP brings)
    *("robolectric", "android-all", "surefire", "animal-sniffer", "gummy-bears", "ktlint", "detekt", "r8")
}
GRADLE_VERSIONS = {"agp", "litert"}  # from Google's Maven repository
SCOPES = {
    "api": "compile",
    "implementation": "compile",
    "compileOnly": "provided",
    "runtimeOnly": "runtime",
    "testImplementation": "test",
    "testRuntimeOnly": "test",
}
LITERT = "com.google.ai.edge.litert:litert"


class Dependency(NamedTuple):
    scope: str
    module: str
    version: str
    classifier: str


def pom(folder: str) -> ElementTree.Element:
    return ElementTree.parse(HARNESS / folder / "pom.xml").getroot()


def properties() -> dict[str, str]:
    found = pom(".").find("m:properties", POM)
    assert found is not None
    return {entry.tag.partition("}")[2]: str(entry.text) for entry in found}


def maven(folder: str) -> set[Dependency]:
    return {
        Dependency(
            dependency.findtext("m:scope", "compile", POM),
            f"{dependency.findtext('m:groupId', '', POM)}:{dependency.findtext('m:artifactId', '', POM)}",
            re.sub(
                r"\$\{(.*)\}",
                lambda name: properties().get(name[1], "0.1.0"),
                dependency.findtext("m:version", "", POM),
            ),
            dependency.findtext("m:classifier", "", POM),
        )
        for dependency in pom(folder).findall("m:dependencies/m:dependency", POM)
    }


def library(accessor: str) -> tuple[str, str]:
    """`libs.a.b` is the catalogue's a-b."""
    entry = CATALOGUE["libraries"][accessor.removeprefix("libs.").replace(".", "-")]
    return entry["module"], CATALOGUE["versions"][entry["version"]["ref"]]


def gradle(folder: str) -> set[Dependency]:
    script = (HARNESS / folder / "build.gradle.kts").read_text(encoding="utf-8")
    block = re.search(r"^dependencies \{\n(.*?)^\}", script, re.MULTILINE | re.DOTALL)
    assert block is not None
    found = set()
    for line in block[1].splitlines():
        call = re.fullmatch(r" *(\w+)\((.*)\)", line)
        assert call is not None, f"{folder}/build.gradle.kts: {line} is no dependency that this test reads"
        scope, argument = SCOPES[call[1]], call[2]
        if project := re.fullmatch(r'project\(":(.*)"\)', argument):
            found.add(Dependency(scope, f"org.litebundle:{project[1]}", "0.1.0", ""))
        elif variant := re.fullmatch(r'variantOf\((.*)\) \{ classifier\("(.*)"\) \}', argument):
            found.add(Dependency(scope, *library(variant[1]), variant[2]))
        else:
            found.add(Dependency(scope, *library(argument), ""))
    return found


def test_both_builds_have_the_same_modules() -> None:
    modules = {str(module.text) for module in pom(".").findall("m:modules/m:module", POM)}
    included = set(re.findall(r'":([\w-]+)"', SETTINGS))
    assert modules - MAVEN_MODULES == included
    assert modules >= MAVEN_MODULES


def test_both_builds_have_the_same_versions() -> None:
    versions = {
        name.removesuffix(".version"): value for name, value in properties().items() if name.endswith(".version")
    }
    assert versions.keys() >= MAVEN_VERSIONS
    catalogue = dict(CATALOGUE["versions"])
    assert catalogue.keys() >= GRADLE_VERSIONS
    assert {k: v for k, v in versions.items() if k not in MAVEN_VERSIONS} == {
        k: v for k, v in catalogue.items() if k not in GRADLE_VERSIONS
    }


@pytest.mark.parametrize("module", ["core", "engine-tflite", "cli"])
def test_modules_for_the_jvm_have_the_same_dependencies(module: str) -> None:
    assert gradle(module) == maven(module)


def test_the_app_has_the_same_dependencies_with_what_the_packer_adds() -> None:
    shipped = {d for d in maven("app") if d.scope not in ("test", "provided")}
    packed = {d._replace(scope="runtime") for d in maven("pack") if d.scope == "compile" and d.classifier}
    assert gradle("app") == shipped | packed


def test_the_signatures_of_litert_stand_for_litert() -> None:
    version = CATALOGUE["versions"]["litert"]
    stand_in = Dependency("provided", "org.litebundle:engine-litert-api", "0.1.0", "")
    real = Dependency("compile", LITERT, version, "")
    assert maven("engine-litert") - {stand_in} == gradle("engine-litert") - {real}
    assert stand_in in maven("engine-litert")
    assert real in gradle("engine-litert")
    signatures = next((HARNESS / "engine-litert-api").rglob("Signatures.kt")).read_text(encoding="utf-8")
    assert f"{LITERT} {version})" in signatures


def test_both_builds_make_the_same_app() -> None:
    script = (HARNESS / "app" / "build.gradle.kts").read_text(encoding="utf-8")
    given = {
        "applicationId": "application.id",
        "minSdk": "min.sdk",
        "targetSdk": "target.sdk",
    }
    found = pom("app").find("m:properties", POM)
    assert found is not None
    for name, prop in given.items():
        match = re.search(rf"^ *{name} = \"?([\w.]+)\"?$", script, re.MULTILINE)
        assert match is not None
        assert match[1] == found.findtext(f"m:{prop}", None, POM)


def test_both_builds_compile_by_the_same_options() -> None:
    arguments = [str(arg.text) for arg in pom(".").iterfind(".//m:args/m:arg", POM)]
    script = (HARNESS / "build.gradle.kts").read_text(encoding="utf-8")
    assert arguments[0] == "-Werror"
    assert re.findall(r'"(-X[\w=-]+)"', script) == arguments[1:]


def test_only_modules_for_the_jvm_compile_java_by_release() -> None:
    """The Android plugins refuse it."""
    script = (HARNESS / "build.gradle.kts").read_text(encoding="utf-8")
    before, jvm = script.split('plugins.withId("org.jetbrains.kotlin.jvm")')
    assert "options.release" in jvm
    assert "options.release" not in before
