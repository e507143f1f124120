"""The services of the local AWS, a folder each."""
