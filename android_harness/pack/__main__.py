"""python -m android_harness.pack: one signed, checked APK of the sample app."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from android_harness.pack import apk, checks, signing
from android_harness.pack.dex import Shrinker, dex
from android_harness.pack.tools import PackError
from litebundle.bundle.zip_writer import Content, write_zip
from litebundle.errors import LitebundleError

NAME = "litebundle-sample.apk"
UNSIGNED = "litebundle-sample-unsigned.apk"
ARGUMENTS = "arguments.txt"
SAMPLE_KEYSTORE = Path(__file__).parents[1] / ".sample.keystore"


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        check_inputs(options)
        options.output.mkdir(parents=True, exist_ok=True)
        if options.keystore:
            keystore = signing.own(options.keystore, options.alias)
        else:
            keystore = signing.sample(SAMPLE_KEYSTORE, options.java_home)
        with tempfile.TemporaryDirectory(dir=options.output) as temporary:
            folder = Path(temporary)
            first, second = folder / "first", folder / "second"
            with ThreadPoolExecutor() as both:
                list(both.map(partial(write_unsigned, options), (first, second)))
            checks.check_reproduced((first / UNSIGNED).read_bytes(), (second / UNSIGNED).read_bytes())
            signing.sign(first / UNSIGNED, first / NAME, keystore)
            checks.check(first / NAME, apk.found_by_name(options.classpath), folder)
            for name in (UNSIGNED, "mapping.txt", NAME):
                (first / name).replace(options.output / name)
    except (LitebundleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # So that it can be packed again without Maven.
    (options.output / ARGUMENTS).write_text("\n".join(arguments) + "\n", encoding="utf-8")
    print(f"{options.output / NAME}: {(options.output / NAME).stat().st_size} bytes")
    return 0


def check_inputs(options: argparse.Namespace) -> None:
    """Before anything is made: shrinking takes long."""
    archives = [*options.classpath, options.resources, options.bundle, options.platform, options.r8]
    for file in [*archives, *options.rules]:
        if not file.is_file():
            raise PackError(f"there is no file {file}, which the APK needs; relative paths begin at {Path.cwd()}")
    for file in archives:
        if not zipfile.is_zipfile(file):
            raise PackError(f"{file} is no archive; build it again")
    apk.asset(options.bundle)


def write_unsigned(options: argparse.Namespace, folder: Path) -> None:
    folder.mkdir()
    classes, native = apk.split(options.classpath)
    shrinker = Shrinker(options.java_home, options.r8, options.platform)
    contents: dict[str, Content] = {
        **apk.resources(options.resources),
        **apk.libraries(native),
        **apk.loader_properties(classes),
        **dex(shrinker, classes, options.rules, folder),
        apk.asset(options.bundle): options.bundle,
    }
    with (folder / UNSIGNED).open("wb") as file:
        write_zip(file, contents, apk.alignment)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m android_harness.pack", fromfile_prefix_chars="@")
    parser.add_argument("--classpath", type=_paths, required=True, help="jars of the app and of all it runs with")
    parser.add_argument("--resources", type=Path, required=True, help="APK of resources that aapt2 linked")
    parser.add_argument("--rules", type=Path, nargs="+", required=True, help="what R8 keeps")
    parser.add_argument("--bundle", type=Path, required=True, help="the bundle that the app runs by itself")
    parser.add_argument("--platform", type=Path, required=True, help="jar of the Android platform")
    parser.add_argument("--r8", type=Path, required=True, help="jar of R8")
    parser.add_argument("--java-home", type=Path, required=True)
    parser.add_argument("--keystore", type=Path, help=f"your key; its password stands in ${signing.PASSWORD_VARIABLE}")
    parser.add_argument("--alias", default="sample", help="the key's name in --keystore")
    parser.add_argument("--output", type=Path, required=True, help="folder for the APKs")
    return parser


def _paths(text: str) -> list[Path]:
    return [Path(part) for part in text.split(os.pathsep)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
