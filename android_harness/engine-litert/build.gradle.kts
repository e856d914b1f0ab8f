plugins {
    alias(libs.plugins.android.library)
}

android {
    namespace = "org.litebundle.engine.litert"
    compileSdk = 35
    defaultConfig { minSdk = 26 }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
}

// Its tests have fake classes with the names of LiteRT's, for the build by Maven; see the README.
androidComponents {
    beforeVariants { it.hostTests.values.forEach { test -> test.enable = false } }
}

dependencies {
    api(project(":core"))
    implementation(libs.litert)
}
