package org.litebundle.app.run

import android.content.res.AssetManager
import org.litebundle.core.bundle.Bundle
import java.io.FileInputStream
import java.io.FileNotFoundException
import java.nio.channels.FileChannel

/** The bundle among the app's assets: stored there without compression, it is mapped where it lies in the package. */
object BuiltInBundle {
    private const val ENDING = ".litebundle"

    /** Throws BundleException, or FileNotFoundException where there is no such asset or it is compressed. */
    fun open(assets: AssetManager): Bundle {
        val name = assets.list("").orEmpty().firstOrNull { it.endsWith(ENDING) }
            ?: throw FileNotFoundException("the app has no asset *$ENDING: put one into src/main/assets")
        return assets.openFd(name).use { asset ->
            FileInputStream(asset.fileDescriptor).channel.use { file ->
                Bundle.open(file.map(FileChannel.MapMode.READ_ONLY, asset.startOffset, asset.length))
            }
        }
    }
}
