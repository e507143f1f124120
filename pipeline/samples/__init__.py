"""A data set that is drawn, not downloaded: a small network learns it, and a look at its colors does not."""
