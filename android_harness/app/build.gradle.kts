plugins {
    alias(libs.plugins.android.application)
}

/** Puts the bundle under the name by which the app asks for it. */
abstract class BundleAsset : DefaultTask() {
    @get:InputFile
    abstract val bundle: RegularFileProperty

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @TaskAction
    fun copy() {
        val name = bundle.get().asFile.name.substringBefore('-') + ".litebundle"
        bundle.get().asFile.copyTo(assets.get().file(name).asFile, overwrite = true)
    }
}

android {
    namespace = "org.litebundle.app"
    compileSdk = 35
    defaultConfig {
        applicationId = "org.litebundle.sample"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += "arm64-v8a" }
    }
    buildTypes {
        release {
            isMinifyEnabled = true
            proguardFiles("proguard-rules.pro")
            // A debuggable build gives no headline, so a phone on the desk takes the release; sign yours with your key.
            signingConfig = signingConfigs.getByName("debug")
        }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    androidResources { noCompress += "litebundle" }
    // Two jars of JavaCPP's have the same files there, which only GraalVM reads.
    packaging { resources { excludes += "META-INF/native-image/**" } }
}

androidComponents {
    // Its tests run with Robolectric in the build by Maven.
    beforeVariants { it.hostTests.values.forEach { test -> test.enable = false } }
    onVariants { variant ->
        val task = tasks.register<BundleAsset>("${variant.name}BundleAsset") {
            bundle = rootProject.layout.projectDirectory.file(
                providers.gradleProperty("bundle").orElse("../dist/formula_scan-0.1.0.litebundle"),
            )
        }
        variant.sources.assets?.addGeneratedSourceDirectory(task, BundleAsset::assets)
    }
}

dependencies {
    implementation(project(":engine-tflite"))
    runtimeOnly(variantOf(libs.tensorflow.lite) { classifier("android-arm64") })
    runtimeOnly(variantOf(libs.javacpp) { classifier("android-arm64") })
}
