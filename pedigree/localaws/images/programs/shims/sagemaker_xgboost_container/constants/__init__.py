"""Names and words that the image's modules share."""
