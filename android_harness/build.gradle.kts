// device-only: gradle-build
import org.jetbrains.kotlin.gradle.dsl.JvmTarget
import org.jetbrains.kotlin.gradle.tasks.KotlinJvmCompile

plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    // Its version is also that of the Kotlin built into the Android plugins.
    alias(libs.plugins.kotlin.jvm) apply false
}

subprojects {
    group = "org.litebundle"
    version = "0.1.0"

    tasks.withType<KotlinJvmCompile>().configureEach {
        compilerOptions {
            jvmTarget = JvmTarget.JVM_17
            // As in pom.xml: no call that Android makes through invoke-custom.
            freeCompilerArgs.addAll(
                "-Xno-param-assertions",
                "-Xno-call-assertions",
                "-Xstring-concat=inline",
                "-Xlambdas=class",
                "-Xsam-conversions=class",
            )
        }
    }
    // The Android plugins refuse it: there the platform to compile against is the SDK's.
    plugins.withId("org.jetbrains.kotlin.jvm") {
        tasks.withType<JavaCompile>().configureEach { options.release = 17 }
        dependencies {
            "testImplementation"(rootProject.libs.junit.jupiter)
            "testImplementation"(rootProject.libs.kotest.property)
            "testRuntimeOnly"(rootProject.libs.junit.platform.launcher)
        }
        tasks.withType<Test>().configureEach {
            useJUnitPlatform()
            systemProperty("litebundle.root", rootDir.parent)
        }
    }
}
