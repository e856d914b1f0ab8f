package org.litebundle.app.camera

import android.hardware.DataSpace
import android.media.Image
import android.os.Build
import org.litebundle.app.RequiresSdk
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard

/** How a picture's YUV stands for colours. */
data class FrameColor(val standard: ColorStandard, val range: ColorRange) {
    companion object {
        /** What Android's cameras give unless they say otherwise: JFIF, which is BT.601 in the full range. */
        val JFIF = FrameColor(ColorStandard.BT601, ColorRange.FULL)

        fun of(image: Image): FrameColor =
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) ColorSince33.of(image.dataSpace) else JFIF
    }
}

@RequiresSdk(Build.VERSION_CODES.TIRAMISU)
internal object ColorSince33 {
    fun of(dataSpace: Int): FrameColor {
        val standard = when (DataSpace.getStandard(dataSpace)) {
            DataSpace.STANDARD_BT709 -> ColorStandard.BT709
            DataSpace.STANDARD_BT601_525, DataSpace.STANDARD_BT601_625 -> ColorStandard.BT601
            else -> return FrameColor.JFIF
        }
        val range = when (DataSpace.getRange(dataSpace)) {
            DataSpace.RANGE_FULL -> ColorRange.FULL
            DataSpace.RANGE_LIMITED -> ColorRange.LIMITED
            else -> return FrameColor.JFIF
        }
        return FrameColor(standard, range)
    }
}
