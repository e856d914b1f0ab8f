"""Signing with APK Signature Scheme v2 and v3 (v1 is for Android 6 and older).

device-only: apk-install
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from android_harness.pack.dex import MIN_API
from android_harness.pack.tools import PackError, program, run

PASSWORD_VARIABLE = "LITEBUNDLE_KEYSTORE_PASSWORD"


@dataclass(frozen=True)
class Keystore:
    file: Path
    alias: str
    password: str


def own(file: Path, alias: str) -> Keystore:
    password = os.environ.get(PASSWORD_VARIABLE)
    if not file.is_file() or password is None:
        raise PackError(f"to sign with {file}, that file must exist and its password stand in ${PASSWORD_VARIABLE}")
    return Keystore(file, alias, password)


def sample(file: Path, java_home: Path) -> Keystore:
    """The sample's own key, made once: a phone takes an update only from the key that signed before.

    It protects nothing, so its password is no secret.
    """
    keystore = Keystore(file, "sample", "litebundle")
    if not keystore.file.exists():
        part = keystore.file.with_suffix(".part")
        part.unlink(missing_ok=True)
        run(
            [
                *(java_home / "bin" / "keytool", "-genkeypair", "-keystore", part, "-alias", keystore.alias),
                *("-keyalg", "RSA", "-keysize", "2048", "-validity", "10000", "-dname", "CN=litebundle sample"),
                *("-storetype", "PKCS12", "-storepass:env", PASSWORD_VARIABLE),
            ],
            {PASSWORD_VARIABLE: keystore.password},
        )
        part.chmod(0o600)
        part.rename(keystore.file)
    return keystore


def sign(unsigned: Path, signed: Path, keystore: Keystore) -> None:
    run(
        [
            *(program("apksigner"), "sign", "--in", unsigned, "--out", signed, "--min-sdk-version", str(MIN_API)),
            *("--ks", keystore.file, "--ks-key-alias", keystore.alias, "--ks-pass", f"env:{PASSWORD_VARIABLE}"),
            *("--v1-signing-enabled", "false", "--v2-signing-enabled", "true"),
            *("--v3-signing-enabled", "true", "--v4-signing-enabled", "false"),
        ],
        {PASSWORD_VARIABLE: keystore.password},
    )
