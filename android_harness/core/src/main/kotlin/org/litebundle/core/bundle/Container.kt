package org.litebundle.core.bundle

import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import java.nio.file.FileVisitResult
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.SimpleFileVisitor
import java.nio.file.attribute.BasicFileAttributes

/** The files of a bundle by name: read-only, little-endian views that share no position. */
internal class Container private constructor(private val files: Map<String, ByteBuffer>) {
    val names: Set<String> get() = files.keys

    operator fun get(name: String): ByteBuffer? = files[name]?.duplicate()?.order(ByteOrder.LITTLE_ENDIAN)

    companion object {
        /** The zip or the folder at [file], mapped. Throws [BundleException] or [IOException]. */
        fun open(file: File): Container = if (file.isDirectory) folder(file.toPath().toRealPath()) else zip(map(file))

        fun zip(bytes: ByteBuffer): Container {
            val zip = Zip(bytes.asReadOnlyBuffer())
            return Container(
                zip.entries().associate { it.name to zip.slice(it.dataOffset.toInt(), it.end.toInt()) },
            )
        }

        private fun folder(folder: Path): Container {
            val paths = sortedMapOf<String, Path>()
            Files.walkFileTree(
                folder,
                object : SimpleFileVisitor<Path>() {
                    override fun visitFile(path: Path, attributes: BasicFileAttributes): FileVisitResult {
                        val name = folder.relativize(path).joinToString("/")
                        if (!attributes.isRegularFile) {
                            throw BundleException("file '$name' is a link or a device; a bundle holds plain files")
                        }
                        Names.check(name)
                        paths[name] = path
                        return FileVisitResult.CONTINUE
                    }
                },
            )
            Names.checkDistinct(paths.keys.toList())
            return Container(paths.mapValues { map(it.value.toFile()) })
        }

        private fun map(file: File): ByteBuffer = FileInputStream(file).channel.use { channel ->
            val sizeBytes = channel.size()
            if (sizeBytes > Int.MAX_VALUE) throw BundleException("it is larger than ${Int.MAX_VALUE} bytes")
            if (sizeBytes ==
                0L
            ) {
                ByteBuffer.allocateDirect(0)
            } else {
                channel.map(FileChannel.MapMode.READ_ONLY, 0, sizeBytes)
            }
        }
    }
}
