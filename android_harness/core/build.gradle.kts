plugins {
    alias(libs.plugins.kotlin.jvm)
}

dependencies {
    api(libs.gson)
}
