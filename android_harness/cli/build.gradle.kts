plugins {
    alias(libs.plugins.kotlin.jvm)
    application
}

application { mainClass = "org.litebundle.cli.MainKt" }

tasks.processResources { expand("project" to mapOf("version" to version)) }

dependencies {
    api(project(":engine-tflite"))
    runtimeOnly(variantOf(libs.tensorflow.lite) { classifier("linux-x86_64") })
}
