package org.litebundle.app

import android.content.Context
import android.view.ViewGroup
import kotlin.math.min

/** Lays its children over each other, each as large as a photo of the given shape can be shown whole, in the middle. */
class PhotoLayout(context: Context) : ViewGroup(context) {
    private var photoWidth = 3
    private var photoHeight = 4

    fun setPhotoSize(width: Int, height: Int) {
        photoWidth = width
        photoHeight = height
        requestLayout()
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        setMeasuredDimension(MeasureSpec.getSize(widthSpec), MeasureSpec.getSize(heightSpec))
        val scale = min(measuredWidth.toFloat() / photoWidth, measuredHeight.toFloat() / photoHeight)
        val width = MeasureSpec.makeMeasureSpec((scale * photoWidth).toInt(), MeasureSpec.EXACTLY)
        val height = MeasureSpec.makeMeasureSpec((scale * photoHeight).toInt(), MeasureSpec.EXACTLY)
        for (i in 0 until childCount) getChildAt(i).measure(width, height)
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        for (i in 0 until childCount) {
            val child = getChildAt(i)
            val x = (right - left - child.measuredWidth) / 2
            val y = (bottom - top - child.measuredHeight) / 2
            child.layout(x, y, x + child.measuredWidth, y + child.measuredHeight)
        }
    }
}
