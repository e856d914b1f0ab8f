internal const val X = 1
