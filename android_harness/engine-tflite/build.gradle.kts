plugins {
    alias(libs.plugins.kotlin.jvm)
}

dependencies {
    api(project(":core"))
    api(libs.tensorflow.lite)
    testRuntimeOnly(variantOf(libs.tensorflow.lite) { classifier("linux-x86_64") })
}
