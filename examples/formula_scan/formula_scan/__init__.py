"""Photo of a page to the LaTeX of every formula on it: data generator and models of the example."""
