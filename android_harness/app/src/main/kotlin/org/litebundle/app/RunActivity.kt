package org.litebundle.app

import android.app.Activity
import android.os.Bundle
import android.widget.TextView

/** The one screen: what runs, or why nothing does. */
class RunActivity : Activity() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(TextView(this).apply { setText(R.string.starting) })
    }
}
